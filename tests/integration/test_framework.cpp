// The framework's hooks, error pages, logs and options, in a worker of its own behind httpd.
#include <algorithm>
#include <csignal>

#include "catch.hpp"
#include "harness/files.hpp"
#include "harness/paths.hpp"
#include "harness/process.hpp"
#include "helpers.hpp"
#include "matchers.hpp"

using namespace harness;
using zmqspdy::test::contains_text;

TEST_CASE("a worker's hooks, error pages, logs and variables work behind httpd", "[framework]") {
    const auto httpd = Httpd::started({});
    const TempDir folder;
    Process shop{{built("shop"), "--access-log", (folder.path() / "access").string(), "--currency", "EUR"},
                 folder.path() / "log",
                 {{"ZMQSPDY_ROUTER", httpd->router()},
                  {"ZMQSPDY_NAME", "counter"},
                  {"SHOP_TOKEN", "secret"},
                  {"SHOP_CURRENCY", "USD"}}};
    REQUIRE(joined(*httpd, {"counter"}));
    Client client{httpd->port()};
    const auto ask = [&client](const std::string& method, const std::string& path, bool token = true) {
        Call call;
        call.method = method;
        call.path = path;
        call.headers = {"User-Agent: test", "X-Request-Id: r-1"};
        if (token) {
            call.headers.emplace_back("Authorization: Bearer secret");
        }
        return client.send(call);
    };
    const auto is_marked = [](const Reply& reply) {
        return reply.header("x-content-type-options") == "nosniff";
    };

    auto reply = ask("GET", "/orders/7");
    CHECK(reply.body == "7 EUR\n");  // the command line goes before SHOP_CURRENCY
    CHECK(is_marked(reply));
    reply = ask("GET", "/orders/7", false);
    CHECK(reply.status == 401);
    CHECK(reply.header("www-authenticate") == "Bearer");
    CHECK(is_marked(reply));
    reply = ask("GET", "/orders/7/history");
    CHECK(reply.body == "ordered\npaid\n");
    CHECK(is_marked(reply));
    reply = ask("GET", "/nowhere");
    CHECK(reply.status == 404);
    CHECK(reply.body == "<h1>404</h1>\n");
    CHECK(is_marked(reply));
    CHECK(ask("GET", "/orders/x").status == 400);
    reply = ask("POST", "/orders/7");
    CHECK(reply.status == 405);
    CHECK(reply.header("allow") == "DELETE, GET, HEAD");
    CHECK(reply.body == "<h1>405</h1>\n");
    reply = ask("DELETE", "/orders/7");
    CHECK(reply.status == 500);
    CHECK(reply.body == "<h1>500</h1>\n");
    CHECK(is_marked(reply));

    shop.signal(SIGTERM);
    CHECK(shop.wait() == 0);
    const std::string log = read_file(folder.path() / "log");
    CHECK_THAT(log, contains_text("Z info shop[counter]: announced to tcp://") &&
                        contains_text("Z warning shop[counter]: no token from 127.0.0.1\n") &&
                        contains_text("Z error shop[counter]: DELETE /orders/7: nothing is ever deleted\n"));
    const std::string access = read_file(folder.path() / "access");
    CAPTURE(access);
    CHECK(std::count(access.begin(), access.end(), '\n') == 7);
    CHECK_THAT(access, contains_text("127.0.0.1 - - [") &&
                           contains_text("+0000] \"GET /orders/7 HTTP/1.1\" 200 6 \"-\" \"test\" ") &&
                           contains_text("\"GET /orders/7/history HTTP/1.1\" 200 13 ") &&
                           contains_text("\"DELETE /orders/7 HTTP/1.1\" 500 13 ") &&
                           contains_text(" r-1 whole\n"));
}
