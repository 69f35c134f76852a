// Bytes go on as they come, in both directions, and who does not read holds up only himself.
#include <algorithm>

#include "catch.hpp"
#include "harness/digest.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

std::string get_request(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

std::string chunk(const std::string& data) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
}

/// Small bodies there and back, over a session that others hold up or not.
LoadResult echo_load(const Httpd& httpd, std::size_t requests) {
    LoadPlan plan;
    plan.port = httpd.port();
    plan.concurrency = 4;
    plan.make = [](std::size_t number) {
        Call call;
        call.method = "POST";
        call.path = "/echo";
        call.body = PatternSource{number}.take(20000);
        return call;
    };
    plan.check = [](std::size_t number, const Reply& reply) {
        return reply.ok() && reply.body == PatternSource{number}.take(20000) ? "" : reply.summary();
    };
    return load(plan, requests);
}

}  // namespace

TEST_CASE("The first byte reaches the client while the worker sleeps before the second",
          "[streaming][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));

    struct Arrival {
        Clock::time_point when;
        std::string bytes;
    };
    std::vector<Arrival> arrivals;
    Call call;
    call.path = "/stream/2?ms=2000";
    call.sink = [&](std::string_view bytes) { arrivals.push_back({Clock::now(), std::string{bytes}}); };
    const Reply reply = Client{httpd->port()}.send(call);
    REQUIRE(reply.ok());
    REQUIRE(arrivals.size() >= 2);
    CHECK(std::count(arrivals.front().bytes.begin(), arrivals.front().bytes.end(), '\n') == 1);
    // Had it waited for the second line, both would have come together.
    CHECK(arrivals.back().when - arrivals.front().when > seconds{1});
}

TEST_CASE("A body is echoed piece by piece, each before the next is sent", "[streaming][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));

    RawClient client{httpd->port()};
    client.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
        const std::string piece = "<piece " + std::to_string(i) + ">";
        client.send(chunk(piece));
        CHECK(client.read_until(piece).find(piece) != std::string::npos);
    }
    client.send("0\r\n\r\n");
    CHECK(client.read_all().ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("A body far larger than the windows comes back byte by byte", "[streaming][core]") {
    const bool relayed = GENERATE(false, true);
    const std::string window = GENERATE("", "ZmqSpdyWindow 16384");
    CAPTURE(relayed, window);
    HttpdSetup setup;
    setup.global = window;
    const auto httpd = Httpd::started(setup);
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));

    const std::string body = PatternSource{8}.take(8 * kMiB);
    Client client{httpd->port()};
    const Reply reply = client.post("/echo", body);
    CAPTURE(reply.problem, reply.status, reply.body.size());
    CHECK(reply.ok());
    CHECK((reply.body == body));
}

TEST_CASE("Who does not read his response holds up no other stream of the session", "[streaming]") {
    if (mpm() == "prefork") {
        return;  // a prefork child has one stream at a time
    }
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    HttpdSetup setup;
    setup.single_child = true;
    const auto httpd = Httpd::started(setup);
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    REQUIRE(httpd->serving_children().size() == 1);

    constexpr std::size_t size = 32 * kMiB;
    std::vector<std::unique_ptr<RawClient>> sleepers;
    for (int i = 0; i < 4; ++i) {
        sleepers.push_back(std::make_unique<RawClient>(httpd->port(), 4096));
        sleepers.back()->send(get_request("/bytes/" + std::to_string(size)));
        static_cast<void>(sleepers.back()->read_until("\r\n\r\n"));
    }
    const LoadResult result = echo_load(*httpd, 500);
    INFO(result.summary());
    CHECK(result.wrong == 0);

    for (const auto& sleeper : sleepers) {
        CHECK(sleeper->read_all().size() == size);
    }
}

TEST_CASE("An upload that nobody reads holds up no other stream of the session", "[streaming]") {
    if (mpm() == "prefork") {
        return;
    }
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    HttpdSetup setup;
    setup.single_child = true;
    const auto httpd = Httpd::started(setup);
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1024"});  // windows of 256 KiB: a MiB does not fit
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));

    // /delay sleeps and never looks at the body; /echo stops reading when nobody takes its answer.
    RawClient delayed{httpd->port()};
    delayed.send("POST /delay/20000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n\r\n");
    delayed.send(std::string(kMiB, 'u'));
    RawClient unread{httpd->port(), 4096};
    unread.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n\r\n");
    unread.send(std::string(kMiB, 'u'));
    const LoadResult result = echo_load(*httpd, 500);
    INFO(result.summary());
    CHECK(result.wrong == 0);
}

TEST_CASE("A client that leaves gives its place free within moments", "[streaming]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));
    for (int i = 0; i < 3; ++i) {
        RawClient client{httpd->port()};
        client.send(get_request("/stream/100000?ms=20"));
        static_cast<void>(client.read_until("\r\n\r\n"));
        client.close();
        const Reply next = get_once(httpd->port(), "/whoami");
        CAPTURE(next.summary());
        CHECK(next.ok());
    }
}
