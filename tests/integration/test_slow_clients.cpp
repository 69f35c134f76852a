// Whose time it is: a worker is not to blame for what its client does slowly, nor a client for its worker.
#include <algorithm>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "harness/status.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Seen = PuppetWorker::Seen;
using Stream = PuppetWorker::Stream;

constexpr std::size_t kBody = 800'000;
constexpr std::size_t kPiece = 8192;

/// How long a worker may be silent in these tests.
milliseconds limit() {
    return patience(milliseconds{300});
}

std::string directive(const std::string& name) {
    return name + " " + std::to_string(limit().count()) + "ms\n";
}

void pass(milliseconds time) {
    (void)within(time, [] { return false; });
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

std::string post(const std::string& path, std::size_t length) {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(length) +
           "\r\nConnection: close\r\n\r\n";
}

bool is_cancelled(const Seen& seen) {
    return seen.end == "CANCEL";
}

std::size_t body_size(const std::string& response) {
    return response.size() - std::min(response.size(), response.find("\r\n\r\n") + 4);
}

}  // namespace

TEST_CASE("A client that pauses, reads slowly or is slowed down by httpd gets all of its response",
          "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd =
        Httpd::started({.modules = {"env", "ratelimit"},
                        .global = "SendBufferSize 16384\n" + directive("ZmqSpdyTimeout"),
                        .location = "ZmqSpdyResponseBuffer 0",  // or the worker would have done with it
                        .sections = "<Location \"/bytes/800000\">\nSetOutputFilter RATE_LIMIT\n"
                                    "SetEnv rate-limit 400\n</Location>\n"});
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    const std::string any = "/bytes/" + std::to_string(kBody + 1);

    RawClient pauses{httpd->port(), 4096};
    RawClient steady{httpd->port(), 4096};
    RawClient limited{httpd->port()};
    pauses.send(get(any));
    steady.send(get(any));
    limited.send(get("/bytes/" + std::to_string(kBody)));
    std::size_t taken = 0;
    // 400 kB/s: a window's worth takes longer than the worker may be silent.
    for (std::string piece = "x"; taken < kBody && !piece.empty(); pass(limit() / 15)) {
        piece = steady.read_some(kPiece);
        taken += piece.size();
    }
    CHECK(taken + steady.read_all().size() > kBody);
    CHECK(body_size(limited.read_all()) == kBody);
    CHECK(body_size(pauses.read_all()) == kBody + 1);
    CHECK(log_lines_with(*httpd, "silent") == 0);
}

TEST_CASE("A worker that falls silent is noticed once its slow client has caught up", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.global = "SendBufferSize 4096\n" + directive("ZmqSpdyTimeout")});
    PuppetWorker worker{*httpd, relayed, {.opened = [](Stream stream) {
                            stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                            stream.data(std::string(60'000, 'x') + "last");
                        }}};
    RawClient client{httpd->port(), 2048};
    client.send(get("/silent"));
    (void)client.read_until("\r\n\r\n");
    pass(3 * limit());
    CHECK_FALSE(is_cancelled(*worker.await("/silent")));
    const auto caught_up = Clock::now();
    (void)client.read_until("last");
    const auto last = Clock::now();
    CHECK_FALSE(client.read_all().ends_with("0\r\n\r\n"));
    const auto end = Clock::now();
    CHECK(end - caught_up >= limit());
    CHECK(end - last < limit() * 8 / 5);
    CHECK(worker.await("/silent", is_cancelled));
    CHECK(logs(*httpd, "was silent for longer than ZmqSpdyTimeout"));
}

TEST_CASE("A client may send its body more slowly than the worker may be silent", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.global = directive("ZmqSpdyTimeout")});
    PuppetWorker worker{*httpd, relayed, answers({}, "ok\n")};
    RawClient client{httpd->port()};
    client.send(post("/upload", 4));
    for (const char* byte : {"a", "b", "c", "d"}) {
        pass(2 * limit());
        client.send(byte);
    }
    CHECK(client.read_all().ends_with("ok\n"));
    CHECK(worker.await("/upload")->body == "abcd");
}

TEST_CASE("A worker that takes a body slowly is not silent, one that takes nothing is", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.global = directive("ZmqSpdyTimeout")});
    PuppetWorker::Script script = answers({}, "ok\n");
    script.takes_body = false;
    PuppetWorker worker{*httpd, relayed, script};
    // More than its window, and no more than the module takes in besides.
    constexpr std::size_t window = 262'144;
    const std::string body(3 * window, 'u');
    RawClient slow{httpd->port()};
    slow.send(post("/slow", body.size()) + body);
    for (std::size_t room = window / 2; window + room <= body.size(); room += window / 2) {
        CAPTURE(room);
        REQUIRE(
            worker.await("/slow", [&](const Seen& seen) { return seen.body.size() >= window / 2 + room; }));
        pass(limit() * 2 / 3);
        worker.act("/slow", [](Stream stream) { stream.take(window / 2); });
    }
    CHECK(slow.read_all().ends_with("ok\n"));

    RawClient stuck{httpd->port()};
    stuck.send(post("/stuck", body.size()) + body);
    const auto start = Clock::now();
    CHECK(stuck.read_until("\r\n").starts_with("HTTP/1.1 504 "));
    CHECK(Clock::now() - start >= limit() * 9 / 10);
    CHECK(Clock::now() - start < limit() * 8 / 5);
    CHECK(worker.await("/stuck", is_cancelled));
}

TEST_CASE("Slow uploads of short bodies hold no place at a worker", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.location = "ZmqSpdyQueueTimeout 2s"});
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));
    const std::string body(65536, 'u');
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(std::make_unique<RawClient>(httpd->port()));
        slow.back()->send(post("/echo", body.size()) + body.substr(0, 20'000));
    }
    for (int i = 0; i < 8; ++i) {
        for (auto& client : slow)
            client->send(body.substr(0, 5'000));
        CHECK(get_once(httpd->port(), "/whoami").ok());
    }
    for (auto& client : slow)
        client->send(body.substr(0, body.size() - 60'000));
    for (auto& client : slow) {
        const std::string response = client->read_all();
        CHECK(response.starts_with("HTTP/1.1 200 "));
        CHECK(std::count(response.begin(), response.end(), 'u') >= static_cast<std::ptrdiff_t>(body.size()));
    }
}

TEST_CASE("A body is passed on as it comes when it is long, has no length, or ZmqSpdyRequestBuffer says so",
          "[timeouts]") {
    const auto httpd =
        Httpd::started({.sections = "<Location \"/off\">\nZmqSpdyRequestBuffer 0\n</Location>"});
    PuppetWorker worker{*httpd, false, {}};
    const auto flows = [&](const std::string& path, const std::string& framing) {
        CAPTURE(path);
        RawClient client{httpd->port()};
        client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + framing);
        CHECK(worker.await(path, [](const Seen& seen) { return seen.body == "abc"; }));
    };
    flows("/long", "Content-Length: 65537\r\n\r\nabc");
    flows("/chunked", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    flows("/off", "Content-Length: 4\r\n\r\nabc");
}

TEST_CASE("No worker hears of a short body that breaks off", "[timeouts]") {
    const auto httpd = Httpd::started({.global = "Timeout 1"});
    PuppetWorker worker{*httpd, false, answers({}, "ok\n")};
    RawClient breaks_off{httpd->port()};
    breaks_off.send(post("/breaks-off", 4) + "abc");
    breaks_off.finish_sending();
    CHECK(breaks_off.read_all().starts_with("HTTP/1.1 400 "));
    RawClient stalls{httpd->port()};
    stalls.send(post("/stalls", 4) + "abc");
    CHECK(stalls.read_all().starts_with("HTTP/1.1 408 "));
    CHECK(get_once(httpd->port(), "/whole").ok());
    CHECK(worker.requests().size() == 1);
}

TEST_CASE("Clients that read slowly hold no place for the end of a response that fits", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd =
        Httpd::started({.global = "SendBufferSize 16384\nZmqSpdyWindow 16384",
                        .location = "ZmqSpdyQueueTimeout 300ms\nZmqSpdyResponseBuffer 200000",
                        .sections = status_section() +
                                    "\n<Location \"/bytes/150002\">\nZmqSpdyResponseBuffer 0\n</Location>"});
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));
    const auto is_free = [&] { return read_status(*httpd)["in_flight"] == 0; };

    RawClient with_length{httpd->port(), 4096};
    with_length.send(get("/bytes/150001"));
    (void)with_length.read_until("\r\n\r\n");
    CHECK(eventually(seconds{5}, is_free));
    CHECK(get_once(httpd->port(), "/whoami").ok());
    RawClient without_length{httpd->port(), 4096};
    without_length.send(get("/stream/15000?ms=0"));
    (void)without_length.read_until("\r\n\r\n");
    CHECK(eventually(seconds{5}, is_free));
    CHECK(get_once(httpd->port(), "/whoami").ok());
    CHECK(with_length.read_all().size() == 150'001);
    CHECK(without_length.read_all().find("line 15000\n") != std::string::npos);

    for (const std::string path : {"/bytes/150002", "/bytes/600000"}) {  // switched off; too long
        CAPTURE(path);
        RawClient holds{httpd->port(), 4096};
        holds.send(get(path));
        (void)holds.read_until("\r\n\r\n");
        CHECK(get_once(httpd->port(), "/whoami").status == 503);
        holds.close();
        CHECK(eventually(seconds{5}, is_free));
    }
    // Of the longer one, the end is as good as a short one.
    RawClient reads_most{httpd->port(), 4096};
    reads_most.send(get("/bytes/600000"));
    for (std::size_t taken = 0; taken < 450'000;)
        taken += reads_most.read_some(16384).size();
    CHECK(eventually(seconds{5}, is_free));
    CHECK(reads_most.read_all().size() < 180'000);
}

TEST_CASE("What slow clients have not read takes no more than ZmqSpdyResponseMemory", "[timeouts]") {
    const auto httpd = Httpd::started({.global = "SendBufferSize 16384\nZmqSpdyResponseMemory 1400000",
                                       .sections = status_section(),
                                       .single_child = true});
    Worker worker{"echo", "worker-1", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"worker-1"}));
    const auto in_flight = [&] { return read_status(*httpd)["in_flight"].get<int>(); };
    // Each takes five halves of a window.
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(std::make_unique<RawClient>(httpd->port(), 4096));
        slow.back()->send(get("/bytes/900000"));
    }
    for (auto& client : slow)
        (void)client->read_until("\r\n\r\n");
    CHECK(eventually(seconds{5}, [&] { return in_flight() == 2; }));
    pass(milliseconds{200});
    CHECK(in_flight() == 2);
    // The others have no place in memory, but all the rest.
    std::size_t whole = 0;
    for (auto& client : slow)
        whole += client->read_all().size() == 900'000 ? 1U : 0U;
    CHECK(whole == slow.size());
    CHECK(eventually(seconds{5}, [&] { return in_flight() == 0; }));
    RawClient next{httpd->port(), 4096};
    next.send(get("/bytes/900000"));
    (void)next.read_until("\r\n\r\n");
    CHECK(eventually(seconds{5}, [&] { return in_flight() == 0; }));
}
