// Workers that crash, hang, are too slow or are not there, and what the client sees of it.
#include <csignal>

#include <algorithm>

#include "catch.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

std::string get_request(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

/// A probe that gives up soon, for asking whether every slot is taken.
HttpdSetup with_probe(const std::string& global = {}) {
    HttpdSetup setup;
    setup.global = global;
    setup.sections = "<Location \"/whoami\">\n  ZmqSpdyQueueTimeout 200ms\n</Location>";
    return setup;
}

std::vector<std::string> one_at_a_time(const Httpd& httpd, bool relayed) {
    auto options = router_options(httpd.router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    return options;
}

}  // namespace

TEST_CASE("A worker that crashes over a request costs that request a 502, and the next goes elsewhere",
          "[failures][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    HttpdSetup setup;
    // A GET is safe to repeat, and would take one worker after the other with it.
    setup.sections = "<Location \"/crash\">\n  ZmqSpdyRetries 0\n</Location>";
    const auto httpd = Httpd::started(setup);
    Worker one{"echo", "worker-1", router_options(httpd->router(), relayed)};
    Worker two{"echo", "worker-2", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1", "worker-2"}));

    CHECK(get_once(httpd->port(), "/crash").status == 502);
    for (int i = 0; i < 10; ++i) {
        const Reply reply = get_once(httpd->port(), "/whoami");
        CAPTURE(reply.summary());
        CHECK(reply.ok());
    }
    const bool first_gone =
        eventually(seconds{5}, [&] { return !one.process().running() || !two.process().running(); });
    CHECK(first_gone);
    CHECK(one.process().running() != two.process().running());
}

TEST_CASE("A request that is safe to repeat is repeated when its worker is killed", "[failures][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started(with_probe());
    Worker dies{"echo", "dies", one_at_a_time(*httpd, relayed)};
    Worker lives{"echo", "lives", one_at_a_time(*httpd, relayed)};
    REQUIRE(joined(*httpd, {"dies", "lives"}));

    RawClient one{httpd->port()};
    RawClient two{httpd->port()};
    one.send(get_request("/delay/1500"));
    two.send(get_request("/delay/1500"));
    REQUIRE(eventually(seconds{5}, [&] { return get_once(httpd->port(), "/whoami").status == 503; }));
    dies.process().kill();
    CHECK(one.read_all().starts_with("HTTP/1.1 200 "));
    CHECK(two.read_all().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("A request body is sent again when its worker is killed, up to ZmqSpdyReplayBuffer", "[failures]") {
    const bool kept = GENERATE(true, false);
    CAPTURE(kept);
    HttpdSetup setup = with_probe();
    setup.location = kept ? "ZmqSpdyReplayBuffer 200000" : "ZmqSpdyReplayBuffer 50000";
    const auto httpd = Httpd::started(setup);
    Worker dies{"echo", "dies", one_at_a_time(*httpd, false)};
    REQUIRE(joined(*httpd, {"dies"}));

    RawClient client{httpd->port()};
    client.send(
        "PUT /delay/1500 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" +
        std::string(100000, 'x'));
    REQUIRE(eventually(seconds{5}, [&] { return get_once(httpd->port(), "/whoami").status == 503; }));
    Worker lives{"echo", "lives", one_at_a_time(*httpd, false)};
    REQUIRE(joined(*httpd, {"lives"}));
    dies.process().kill();
    const std::string status = kept ? "200" : "502";
    CHECK(client.read_all().starts_with("HTTP/1.1 " + status + " "));
}

TEST_CASE("A request that is not safe to repeat gets a 502 when its worker is killed", "[failures]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker dies{"echo", "dies", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"dies"}));
    RawClient client{httpd->port()};
    // The worker has the request once it has asked for the rest of the body: nothing more than the windows hold is taken.
    client.send(
        "POST /crash HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nbooom");
    Worker lives{"echo", "lives", router_options(httpd->router(), relayed)};
    CHECK(client.read_all().starts_with("HTTP/1.1 502 "));
    REQUIRE(joined(*httpd, {"lives"}));
    CHECK(lives.process().running());
    CHECK(get_once(httpd->port(), "/whoami").ok());
}

TEST_CASE("A response that has begun is broken off when its worker dies, never ended", "[failures][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker dies{"echo", "dies", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"dies"}));
    RawClient client{httpd->port()};
    client.send(get_request("/stream/1000?ms=100"));
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    dies.process().kill();
    const std::string rest = client.read_all();
    CAPTURE(rest);
    CHECK(rest.find("\r\n0\r\n") == std::string::npos);
}

TEST_CASE("A worker that hangs is taken out of rotation and comes back", "[failures]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    HttpdSetup setup;
    setup.global = "ZmqSpdyHeartbeat 200ms";
    const auto httpd = Httpd::started(setup);
    Worker hangs{"hello", "hangs", router_options(httpd->router(), relayed)};
    Worker lives{"hello", "lives", router_options(httpd->router(), relayed)};
    REQUIRE(in_rotation(*httpd, {"hangs", "lives"}));
    hangs.process().signal(SIGSTOP);
    const auto answers = who_answers(*httpd, 10);
    CAPTURE(to_text(answers));
    CHECK(answers == std::map<std::string, int>{{hello_from("lives"), 10}});
    hangs.process().signal(SIGCONT);
    CHECK(in_rotation(*httpd, {"hangs", "lives"}));
}

TEST_CASE("Without a worker the answer is 503 with Retry-After once the queue timeout has passed",
          "[failures][core]") {
    HttpdSetup setup;
    setup.location = "ZmqSpdyQueueTimeout 1s";
    const auto httpd = Httpd::started(setup);
    const auto start = Clock::now();
    const Reply reply = get_once(httpd->port(), "/");
    CAPTURE(reply.summary());
    CHECK(since(start) >= milliseconds{950});
    CHECK(since(start) < patience(seconds{3}));
    CHECK(reply.status == 503);
    REQUIRE(reply.header("retry-after").has_value());
    CHECK(std::stoi(*reply.header("retry-after")) > 0);
}

TEST_CASE("A full queue answers 503 at once", "[failures]") {
    HttpdSetup setup;
    setup.global = "ZmqSpdyQueueLength 0";
    setup.location = "ZmqSpdyQueueTimeout 30s";
    const auto httpd = Httpd::started(setup);
    const auto start = Clock::now();
    const Reply reply = get_once(httpd->port(), "/");
    CAPTURE(reply.summary());
    CHECK(since(start) < patience(seconds{5}));
    CHECK(reply.status == 503);
    CHECK(reply.header("retry-after").has_value());
}

TEST_CASE("More requests than the workers may have at once wait for their turn", "[failures][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker one{"echo", "worker-1", one_at_a_time(*httpd, relayed)};
    Worker two{"echo", "worker-2", one_at_a_time(*httpd, relayed)};
    REQUIRE(joined(*httpd, {"worker-1", "worker-2"}));
    LoadPlan plan;
    plan.port = httpd->port();
    plan.concurrency = 16;
    plan.make = [](std::size_t) {
        Call call;
        call.path = "/delay/20";
        return call;
    };
    const LoadResult result = load(plan, 100);
    INFO(result.summary());
    CHECK(result.wrong == 0);
}

TEST_CASE("A worker that is silent for too long costs its client a 504", "[failures][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    HttpdSetup setup;
    setup.location = "ZmqSpdyTimeout 1s";
    const auto httpd = Httpd::started(setup);
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    const auto start = Clock::now();
    CHECK(get_once(httpd->port(), "/delay/30000").status == 504);
    CHECK(since(start) < patience(seconds{5}));
    // What is slow but never silent for that long is let alone.
    const Reply steady = get_once(httpd->port(), "/stream/8?ms=300");
    CAPTURE(steady.summary());
    CHECK(steady.ok());
    CHECK(std::count(steady.body.begin(), steady.body.end(), '\n') == 8);
}
