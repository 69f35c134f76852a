// A client that leaves cancels its stream, wherever its request is.
#include <algorithm>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Seen = PuppetWorker::Seen;

constexpr milliseconds kPromise{250};

bool is_cancelled(const Seen& seen) {
    return seen.end == "CANCEL";
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

bool cancelled(const PuppetWorker& worker, const std::string& path) {
    const auto all = worker.requests();
    return std::any_of(all.begin(), all.end(),
                       [&](const Seen& seen) { return seen.path() == path && is_cancelled(seen); });
}

}  // namespace

TEST_CASE("A client that leaves cancels its stream within 250 ms", "[cancel][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.single_child = true});
    PuppetWorker worker{*httpd, relayed, {}};
    const auto leaves = [&](const std::string& path, const std::string& request,
                            const PuppetWorker::Action& meanwhile) {
        CAPTURE(path);
        RawClient client{httpd->port()};
        client.send(request);
        REQUIRE(worker.await(path));
        if (meanwhile) {
            worker.act(path, meanwhile);
            (void)client.read_until("part");
        }
        client.close();
        CHECK(within(patience(kPromise), [&] { return cancelled(worker, path); }));
    };
    leaves("/before-the-answer", get("/before-the-answer"), {});
    leaves("/in-the-answer", get("/in-the-answer"), [](PuppetWorker::Stream stream) {
        stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
        stream.data("part");
    });
    leaves("/in-the-body",
           "POST /in-the-body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc", {});
    leaves("/old", "GET /old HTTP/1.0\r\n\r\n", {});
    // The next request waits in the connection already.
    leaves("/pipelined", get("/pipelined") + get("/next"), {});
    for (const Seen& seen : worker.requests()) {
        CHECK(seen.path() != "/next");
    }
}

TEST_CASE("A client that leaves while it waits for a worker gives up its place within 250 ms",
          "[cancel][core]") {
    const auto httpd = Httpd::started(
        {.global = "LogLevel zmqspdy:debug", .location = "ZmqSpdyQueueTimeout 60s", .single_child = true});
    const auto gave_up = [&](std::size_t times) {
        return within(patience(kPromise), [&] { return log_lines_with(*httpd, "the client left") == times; });
    };
    std::size_t times = 0;
    for (const char* request :
         {"GET /given-up HTTP/1.1\r\nHost: localhost\r\n\r\n",
          "POST /given-up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc"}) {
        // Without a worker, again.
        REQUIRE(eventually(seconds{10}, [&] { return log_lines_with(*httpd, "is gone") == times; }));
        RawClient client{httpd->port()};
        client.send(request);
        RawClient other{httpd->port()};
        other.send(get("/kept"));
        client.close();
        CHECK(gave_up(++times));
        PuppetWorker worker{*httpd, false, answers({}, "ok\n")};
        CHECK(other.read_until("ok\n").starts_with("HTTP/1.1 200 "));
        for (const Seen& seen : worker.requests()) {
            CHECK(seen.path() != "/given-up");
        }
    }
}

// The place is free for httpd as soon as it has cancelled, for the worker when its handler has returned.
TEST_CASE("An upload that comes to a worker right after another client has left is not lost",
          "[cancel][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.single_child = true});
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    const Worker worker{"echo", "only", options};
    REQUIRE(joined(*httpd, {"only"}));
    const std::string body(300000, 'x');
    for (int i = 0; i < 5; ++i) {
        RawClient leaving{httpd->port()};
        leaving.send(get("/events?ms=20"));
        static_cast<void>(leaving.read_until("data:"));
        RawClient waiting{httpd->port()};
        waiting.send("POST /sha256 HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
        leaving.close();
        CHECK(waiting.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    }
}
