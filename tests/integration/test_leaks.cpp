// A thousand requests of every kind, then stop. Says most when the module was built with AddressSanitizer and
// ZMQSPDY_TEST_PRELOAD names its library (and libstdc++): the harness fails the test for whatever that reports, leaks included.
#include "catch.hpp"
#include "harness/digest.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

TEST_CASE("A thousand requests, a client that leaves, a worker that dies, and stop", "[leaks]") {
    const auto httpd = Httpd::started();
    Worker direct{"echo", "direct", router_options(httpd->router())};
    Worker relayed{"echo", "relayed", router_options(httpd->router(), true)};
    auto dies = std::make_unique<Worker>("echo", "dies", router_options(httpd->router()));
    REQUIRE(joined(*httpd, {"direct", "relayed", "dies"}));

    LoadPlan plan;
    plan.port = httpd->port();
    plan.concurrency = 16;
    plan.make = [](std::size_t number) {
        Call call;
        switch (number % 4) {
            case 0:
                call.method = "POST";
                call.path = "/echo";
                call.body = PatternSource{number}.take(number * 100);
                break;
            case 1:
                call.path = "/bytes/" + std::to_string(number * 100);
                break;
            case 2:
                call.path = "/stream/3?ms=1";
                break;
            default:
                call.path = "/status/404";
        }
        return call;
    };
    plan.check = [](std::size_t number, const Reply& reply) {
        const bool right = number % 4 == 3 ? reply.status == 404 : reply.status == 200;
        return right ? "" : reply.summary();
    };
    const LoadResult result = load(plan, 1000);
    INFO(result.summary());
    CHECK(result.wrong == 0);

    {
        RawClient leaves{httpd->port()};
        leaves.send("GET /stream/100000?ms=10 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        static_cast<void>(leaves.read_until("\r\n\r\n"));
    }
    dies.reset();
    for (int i = 0; i < 20; ++i) {
        CHECK(get_once(httpd->port(), "/whoami").ok());
    }
    httpd->control("graceful");
    CHECK(eventually(seconds{10}, [&] { return get_once(httpd->port(), "/whoami").ok(); }));
    httpd->control("stop");
}
