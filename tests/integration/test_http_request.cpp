// What a gateway owes a request on its way to a worker, line by line.
#include <algorithm>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Seen = PuppetWorker::Seen;

struct Gateway {
    explicit Gateway(bool relayed, HttpdSetup setup = {})
        : httpd{Httpd::started(with_one_child(std::move(setup)))},
          worker{*httpd, relayed, answers({}, "ok\n")} {}

    static HttpdSetup with_one_child(HttpdSetup setup) {
        setup.single_child = true;
        return setup;
    }

    [[nodiscard]] std::string exchange(const std::string& request) const {
        return raw_exchange(httpd->port(), request);
    }
    /// The only request there has been since the last call.
    [[nodiscard]] Seen next() {
        const auto all = worker.requests();
        REQUIRE(all.size() == ++count);
        return all.back();
    }

    std::unique_ptr<Httpd> httpd;
    PuppetWorker worker;
    std::size_t count = 0;
};

std::string get(const std::string& target, const std::string& fields = "Host: localhost\r\n") {
    return "GET " + target + " HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n";
}

int status_of(const std::string& response) {
    return response.starts_with("HTTP/1.") && response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

std::string all_values(const Seen& seen, const std::string& name) {
    std::string all;
    for (const auto& [key, value] : seen.headers) {
        if (key == name) {
            all += "[" + value + "]";
        }
    }
    return all;
}

}  // namespace

TEST_CASE("Hop-by-hop fields, those that Connection names, and Proxy stay at httpd", "[http_request][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed};
    const std::string response = gateway.exchange(
        "GET / HTTP/1.1\r\nHost: localhost\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: "
        "trailers\r\n"
        "Upgrade: websocket\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nProxy: http://evil/\r\nX-Named: "
        "1\r\nX-Also: 2\r\n"
        "X-Kept: 3\r\nTrailer: X-Sum\r\nConnection: close, X-Named,x-also , TE, Upgrade\r\n\r\n");
    CHECK(status_of(response) == 200);
    const Seen seen = gateway.next();
    for (const char* name :
         {"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "proxy",
          "x-named", "x-also", "trailer", "transfer-encoding", "host"}) {
        CAPTURE(name);
        CHECK_FALSE(seen.header(name));
    }
    CHECK(seen.header("x-kept") == "3");
}

TEST_CASE("The worker gets the request target as the client sent it", "[http_request]") {
    struct Case {
        const char* target;
        const char* path;  // nullptr: httpd refuses it
    };
    const auto check = [](Gateway& gateway, std::initializer_list<Case> cases) {
        for (const auto& [target, path] : cases) {
            CAPTURE(target);
            const std::string response = gateway.exchange(get(target));
            if (path == nullptr) {
                CHECK(status_of(response) >= 400);
                CHECK(gateway.worker.requests().size() == gateway.count);
            } else {
                CHECK(status_of(response) == 200);
                CHECK(gateway.next().path() == path);
            }
        }
    };
    SECTION("by default") {
        Gateway gateway{false};
        check(gateway, {{"/", "/"},
                        {"/a?b=c&d=%20%2F", "/a?b=c&d=%20%2F"},
                        {"/a?", "/a?"},
                        {"/%41%20%c3%a4", "/%41%20%c3%a4"},
                        {"/caf\xc3\xa9", "/caf\xc3\xa9"},
                        {"//two//slashes", "//two//slashes"},
                        {"/a/..;/b", "/a/..;/b"},
                        {"/a;p=1/b", "/a;p=1/b"},
                        {"/a+b", "/a+b"},
                        {"/a/../b%20c?d", "/b%20c?d"},
                        {"/a/%2e%2E/b", "/b"},
                        {"/a/./b", "/a/b"},
                        {"/a/...", "/a/..."},
                        {"/a%2Fb", nullptr},
                        {"/a%00b", nullptr},
                        {"/a%zz", nullptr},
                        {"/../b", nullptr},
                        {"http://localhost/a?b", "/a?b"},
                        {"http://localhost", "/"},
                        {"http://localhost?q", "/?q"},
                        {"http://other.example:81/x%20y", "/x%20y"}});
    }
    SECTION("AllowEncodedSlashes On") {
        Gateway gateway{false, {.global = "AllowEncodedSlashes On"}};
        check(gateway, {{"/a%2Fb", "/a%2Fb"}, {"/a%2f..%2fb?c", "/b?c"}});
    }
    SECTION("AllowEncodedSlashes NoDecode") {
        Gateway gateway{false, {.global = "AllowEncodedSlashes NoDecode"}};
        check(gateway, {{"/a%2Fb", "/a%2Fb"},
                        {"/a%2fb", "/a%2fb"},
                        {"/a%252Fb", "/a%252Fb"},
                        {"/x/../a%2Fb?c", "/a%2Fb?c"}});
    }
    SECTION("AllowEncodedSlashes NoDecode, behind mod_rewrite") {
        Gateway gateway{false,
                        {.modules = {"rewrite"},
                         .global = "AllowEncodedSlashes NoDecode\nRewriteEngine on\n"
                                   "RewriteRule ^/old/(.*)$ /new/$1 [PT]"}};
        check(gateway, {{"/old/a%2Fb", "/new/a%2Fb"}, {"/old/a%2fb%25", "/new/a%2fb%25"}});
    }
    SECTION("MergeSlashes Off") {
        Gateway gateway{false, {.global = "MergeSlashes Off"}};
        // httpd merges those in front all the same.
        check(gateway, {{"/two//slashes", "/two//slashes"}, {"//two//slashes", "/two//slashes"}});
    }
    SECTION("forms that are neither origin-form nor absolute-form, but httpd takes them") {
        Gateway gateway{false};
        check(gateway, {{"http:/x", "/x"},
                        {"?id=79", "/?id=79"},
                        {"http:?://h/headers", "/?://h/headers"},
                        {"http:/public?://h/headers", "/public?://h/headers"},
                        {"https:/p/x://h/headers", "/p/x://h/headers"}});
    }
}

TEST_CASE("Host is httpd's own idea of it, and an absolute-form target overrides the field",
          "[http_request]") {
    Gateway gateway{false};
    (void)gateway.exchange(get("/", "Host: example.com:8080\r\n"));
    Seen seen = gateway.next();
    CHECK(all_values(seen, ":host") == "[example.com:8080]");
    CHECK(all_values(seen, "x-forwarded-host") == "[example.com:8080]");
    CHECK(all_values(seen, ":scheme") == "[http]");
    (void)gateway.exchange(get("http://real.example/x", "Host: forged.example\r\n"));
    seen = gateway.next();
    CHECK(all_values(seen, ":host") == "[real.example]");
    CHECK(all_values(seen, "x-forwarded-host") == "[real.example]");
    (void)gateway.exchange("GET / HTTP/1.0\r\n\r\n");
    seen = gateway.next();
    CHECK(all_values(seen, ":host") == "[localhost]");
    CHECK(all_values(seen, ":version") == "[HTTP/1.0]");
    CHECK(all_values(seen, "x-forwarded-host").empty());
}

TEST_CASE("X-Forwarded-* and Via end with httpd's own word", "[http_request]") {
    Gateway gateway{false};
    (void)gateway.exchange(get("/",
                               "Host: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: outer\r\n"
                               "X-Forwarded-Proto: https\r\nVia: 1.0 outer\r\n"));
    const Seen seen = gateway.next();
    CHECK(all_values(seen, "x-forwarded-for") == "[192.0.2.1, 127.0.0.1]");
    CHECK(all_values(seen, "x-forwarded-host") == "[outer, localhost]");
    CHECK(all_values(seen, "x-forwarded-proto") == "[https, http]");
    CHECK(all_values(seen, "via") == "[1.0 outer, 1.1 localhost]");
}

TEST_CASE("Via names this server, whatever the client calls it", "[http_request]") {
    Gateway gateway{false};
    (void)gateway.exchange(get("/", "Host: evil.example\r\n"));
    CHECK(all_values(gateway.next(), "via") == "[1.1 localhost]");
    (void)gateway.exchange(get("http://evil.example/"));
    CHECK(all_values(gateway.next(), "via") == "[1.1 localhost]");
}

TEST_CASE("Max-Forwards of OPTIONS counts down and ends at httpd; of other methods it is passed on",
          "[http_request]") {
    Gateway gateway{false};
    const auto options = [&](const std::string& forwards) {
        return gateway.exchange(
            "OPTIONS /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nMax-Forwards: " + forwards +
            "\r\n\r\n");
    };
    const std::string ended = options("0");
    CHECK(status_of(ended) == 200);
    CHECK(ended.find("Content-Length: 0\r\n") != std::string::npos);
    for (const char* wrong : {"-1", "x", "1.5", "", "1, 2"}) {
        CAPTURE(wrong);
        CHECK(status_of(options(wrong)) == 400);
    }
    CHECK(gateway.worker.requests().empty());
    CHECK(status_of(options("1")) == 200);
    CHECK(gateway.next().header("max-forwards") == "0");
    CHECK(status_of(options("10")) == 200);
    CHECK(gateway.next().header("max-forwards") == "9");
    CHECK(status_of(options("99999999999999999999999999")) == 200);
    CHECK(gateway.next().header("max-forwards") == "4294967294");
    (void)gateway.exchange(get("/", "Host: localhost\r\nMax-Forwards: 0\r\n"));
    CHECK(gateway.next().header("max-forwards") == "0");
}

TEST_CASE("A length and the body that it announces reach the worker together, whatever the method",
          "[http_request]") {
    const std::string method = GENERATE("GET", "HEAD", "DELETE", "OPTIONS", "BREW");
    CAPTURE(method);
    Gateway gateway{false};
    const std::string start = method + " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    CHECK(status_of(gateway.exchange(start + "Content-Length: 5\r\n\r\nhello")) == 200);
    Seen seen = gateway.next();
    CHECK(all_values(seen, "content-length") == "[5]");
    CHECK(seen.body == "hello");
    CHECK(seen.end == "FIN");
    CHECK(status_of(gateway.exchange(start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) ==
          200);
    seen = gateway.next();
    CHECK(all_values(seen, "content-length").empty());
    CHECK(seen.body == "hello");
    CHECK(seen.end == "FIN");
}

TEST_CASE("What no session takes is refused with the right status, and no worker is troubled",
          "[http_request]") {
    Gateway gateway{
        false, {.global = "LimitRequestLine 200000\nLimitRequestFieldSize 200000\nLimitRequestFields 10000"}};
    const auto fields = [](std::size_t count, std::size_t size) {
        std::string lines = "Host: localhost\r\n";
        for (std::size_t i = 0; i < count; ++i) {
            lines += "X-" + std::to_string(i) + ": " + std::string(size, 'x') + "\r\n";
        }
        return lines;
    };
    CHECK(status_of(gateway.exchange(get("/", fields(248, 1)))) == 431);
    CHECK(status_of(gateway.exchange(get("/", fields(5000, 1)))) == 431);
    CHECK(status_of(gateway.exchange(get("/", fields(10, 7000)))) == 431);
    CHECK(status_of(gateway.exchange(get("/", fields(1, 66000)))) == 431);
    CHECK(status_of(gateway.exchange(get("/?" + std::string(66000, 'x')))) == 414);
    CHECK(status_of(gateway.exchange(get("/" + std::string(100000, 'x')))) == 414);
    CHECK(gateway.worker.requests().empty());
    CHECK(status_of(gateway.exchange(get("/", fields(240, 1)))) == 200);
    CHECK(gateway.next().header("x-239") == "x");
    // Many lines of one name are one.
    std::string same = "Host: localhost\r\n";
    for (int i = 0; i < 1000; ++i) {
        same += "X-Same: " + std::to_string(i) + "\r\n";
    }
    CHECK(status_of(gateway.exchange(get("/", same))) == 200);
    CHECK(gateway.next().header("x-same").value_or("").ends_with("999"));

    std::string trailers;
    for (int i = 0; i < 300; ++i) {
        trailers += "X-" + std::to_string(i) + ": x\r\n";
    }
    CHECK(status_of(gateway.exchange("POST /trailers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" +
                                     trailers + "\r\n")) == 431);
    CHECK(gateway.worker.await("/trailers", [](const Seen& seen) { return seen.end == "CANCEL"; }));
}

TEST_CASE("A URL may be longer than a file name", "[http_request]") {
    Gateway gateway{false};
    for (const std::string& path : {"/" + std::string(300, 'a'), "/" + std::string(4090, 'b'),
                                    "/" + std::string(7000, 'c') + "?q", std::string(3500, '/') + "d"}) {
        CAPTURE(path.size());
        CHECK(status_of(gateway.exchange(get(path))) == 200);
        CHECK(gateway.next().path() == path);
    }
}

TEST_CASE("Names that httpd vouches for are removed from clients, with underscores too", "[http_request]") {
    Gateway gateway{
        false,
        {.modules = {"setenvif"},
         .location = "SetEnvIf Request_URI . COLOUR=blue\nZmqSpdyPass REMOTE_USER REMOTE_ADDR COLOUR"}};
    (void)gateway.exchange(
        get("/",
            "Host: localhost\r\nZmqSpdy-Remote-User: root\r\nzmqspdy_remote_user: root\r\n"
            "ZMQSPDY-Anything: 1\r\nX_Forwarded_For: 192.0.2.9\r\nX-Forwarded_Proto: https\r\n"
            "Content_Length: 5\r\nX_Other: kept\r\n"));
    const Seen seen = gateway.next();
    for (const char* name : {"zmqspdy-remote-user", "zmqspdy_remote_user", "zmqspdy-anything",
                             "x_forwarded_for", "x-forwarded_proto", "content_length"}) {
        CAPTURE(name);
        CHECK_FALSE(seen.header(name));
    }
    CHECK(seen.header("x_other") == "kept");
    CHECK(all_values(seen, "zmqspdy-remote-addr") == "[127.0.0.1]");
    CHECK(all_values(seen, "zmqspdy-colour") == "[blue]");
    CHECK(all_values(seen, "x-forwarded-for") == "[127.0.0.1]");
}

TEST_CASE("Content-Length is what httpd validated, and never there beside chunking", "[http_request]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed};
    const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    (void)gateway.exchange(post + "Content-Length: 5\r\n\r\nhello");
    Seen seen = gateway.next();
    CHECK(all_values(seen, "content-length") == "[5]");
    CHECK(seen.body == "hello");
    CHECK(seen.end == "FIN");
    (void)gateway.exchange(post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    seen = gateway.next();
    CHECK(all_values(seen, "content-length").empty());
    CHECK(all_values(seen, "transfer-encoding").empty());
    CHECK(seen.body == "hello");
    CHECK(seen.end == "FIN");
}

TEST_CASE("100 Continue is sent when the worker asks for the body, and not after a final answer",
          "[http_request]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    PuppetWorker worker{*httpd, relayed, {}};
    const auto expecting = [](const std::string& path) {
        return "POST " + path +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    };
    SECTION("the worker asks") {
        RawClient client{httpd->port()};
        client.send(expecting("/asks"));
        const auto seen = worker.await("/asks");
        REQUIRE(seen);
        CHECK(seen->header("expect") == "100-continue");
        worker.act("/asks", [](PuppetWorker::Stream stream) { stream.headers({{":status", "100"}}); });
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
        client.send("hello");
        REQUIRE(worker.await("/asks", [](const Seen& now) { return now.end == "FIN"; }));
        worker.act("/asks", [](PuppetWorker::Stream stream) {
            stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}, {"content-length", "0"}}, true);
        });
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    }
    SECTION("the worker does not know of it, and the client waits no longer than it must") {
        RawClient client{httpd->port()};
        client.send(expecting("/silent"));
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
        client.send("hello");
        CHECK(worker.await("/silent", [](const Seen& now) { return now.body == "hello"; }));
    }
    SECTION("a final answer first") {
        RawClient client{httpd->port()};
        client.send(expecting("/final"));
        REQUIRE(worker.await("/final"));
        worker.act("/final", [](PuppetWorker::Stream stream) {
            stream.reply({{":status", "403"}, {":version", "HTTP/1.1"}, {"content-length", "0"}}, true);
        });
        const std::string answer = client.read_all();
        CAPTURE(answer);
        CHECK(answer.starts_with("HTTP/1.1 403 "));
        CHECK(answer.find("HTTP/1.1 100") == std::string::npos);
        CHECK(worker.await("/final")->body.empty());
    }
    SECTION("no worker yet") {
        RawClient client{httpd->port()};
        client.send("POST /other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
        REQUIRE(worker.await("/other"));
    }
}

TEST_CASE("A body over LimitRequestBody is refused with 413, before or within it", "[http_request]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, {.location = "LimitRequestBody 1000"}};
    const std::string post = "POST /limited HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    CHECK(status_of(gateway.exchange(post + "Content-Length: 1001\r\n\r\n")) == 413);
    CHECK(gateway.worker.requests().empty());  // no worker was troubled
    CHECK(status_of(gateway.exchange(post + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'))) == 200);
    CHECK(gateway.next().body.size() == 1000);

    RawClient client{gateway.httpd->port()};
    client.send(post + "Transfer-Encoding: chunked\r\n\r\n100\r\n" + std::string(256, 'x') + "\r\n");
    REQUIRE(gateway.worker.await("/limited", [](const Seen& seen) { return seen.body.size() == 256; }));
    client.send("400\r\n" + std::string(1024, 'x') + "\r\n0\r\n\r\n");
    const std::string answer = client.read_all();
    CAPTURE(answer);
    CHECK(status_of(answer) == 413);
    CHECK(gateway.worker.await("/limited", [](const Seen& seen) { return seen.end == "CANCEL"; }));
}

TEST_CASE("A body that breaks off or is badly chunked is reset, never finished", "[http_request][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const Gateway gateway{relayed};
    const auto is_open = [](const Seen& seen) { return seen.body == "abc" && seen.end.empty(); };
    const auto is_cancelled = [](const Seen& seen) { return seen.end == "CANCEL"; };
    const std::string post = "POST /broken HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    struct Case {
        const char* rest;
        int status;
    };
    for (const auto& [rest, status] :
         {Case{"zz\r\n", 400}, Case{"-5\r\nhello\r\n0\r\n\r\n", 400}, Case{"0x5\r\nhello\r\n0\r\n\r\n", 400},
          Case{"5\r\nhelloX\r\n0\r\n\r\n", 400}, Case{"5 5\r\nhello\r\n0\r\n\r\n", 400},
          Case{"fffffffffffffffff\r\n", 413}}) {
        CAPTURE(rest);
        RawClient client{gateway.httpd->port()};
        client.send(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        REQUIRE(gateway.worker.await("/broken", is_open));
        client.send(rest);
        CHECK(status_of(client.read_all()) == status);
        CHECK(gateway.worker.await("/broken", is_cancelled));
    }
    for (const char* framing :
         {"Content-Length: 100000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
        CAPTURE(framing);
        RawClient client{gateway.httpd->port()};
        client.send(post + framing);
        REQUIRE(gateway.worker.await("/broken", is_open));
        client.close();
        CHECK(gateway.worker.await("/broken", is_cancelled));
    }
}

TEST_CASE("Trailers follow the body and are never merged into the headers", "[http_request]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed};
    (void)gateway.exchange(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        "Trailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\nX-Also: 43\r\nAuthorization: late\r\n"
        "Content-Length: 3\r\nZmqSpdy-Remote-User: root\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    const Seen seen = gateway.next();
    CHECK(seen.body == "hello");
    CHECK(seen.end == "FIN");
    CHECK(seen.trailers == PuppetWorker::Fields{{"x-sum", "42"}, {"x-also", "43"}});
    CHECK_FALSE(seen.fin_on_trailers);  // which some implementations do not see
    CHECK_FALSE(seen.header("x-sum"));
    CHECK_FALSE(seen.header("authorization"));
}

TEST_CASE("TRACE and CONNECT are not forwarded", "[http_request]") {
    Gateway gateway{false};
    (void)gateway.exchange("TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(status_of(gateway.exchange(
              "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) >= 400);
    (void)gateway.exchange("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(gateway.worker.requests().empty());
    CHECK(status_of(gateway.exchange(
              "OPTIONS /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 200);
    CHECK(gateway.next().header(":method") == "OPTIONS");
    CHECK(status_of(gateway.exchange("BREW /pot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) ==
          200);
    CHECK(gateway.next().header(":method") == "BREW");
}

TEST_CASE("Priority: the field's urgency, or the directive's, is the stream's priority", "[http_request]") {
    Gateway gateway{false, {.sections = "<Location \"/fixed\">\nZmqSpdyPriority 6\n</Location>"}};
    const auto priority = [&](const std::string& path, const std::string& field) {
        (void)gateway.exchange(get(path, "Host: localhost\r\n" + field));
        return gateway.next().priority;
    };
    CHECK(priority("/", "") == 3);
    CHECK(priority("/", "Priority: u=0, i\r\n") == 0);
    CHECK(priority("/", "Priority: u=7\r\n") == 7);
    CHECK(priority("/", "Priority: u=9\r\n") == 3);
    CHECK(priority("/fixed", "Priority: u=0\r\n") == 6);
}
