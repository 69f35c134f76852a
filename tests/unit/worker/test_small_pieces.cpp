// Bodies in very small pieces, both ways: what waits costs about its bytes.
#include <malloc.h>

#include <atomic>

#include "catch.hpp"
#include "setting.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

/// Memory that is in use, in all of the process.
std::size_t in_use() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

constexpr std::size_t kAllowed = 1'500'000;

// Sanitizers take a hundred times as long, and have a memory of their own: there it is about the bytes alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kShare = 10;
#else
constexpr std::size_t kShare = 1;
#endif

}  // namespace

TEST_CASE("single bytes written to clients that do not read are held as bytes") {
    constexpr std::size_t kWrites = 50'000 / kShare;
    constexpr int kClients = 4;
    std::atomic<int> written{0};
    spdy::SessionOptions options;
    options.stream_window = 100;
    Setting setting{[&](Worker& w) {
                        w.get("/", [&](Request& request) {
                            return Response::stream("text/plain", [&](Writer& out) {
                                for (std::size_t i = 0; i < kWrites; ++i) {
                                    if (!out.write(std::string(1, static_cast<char>('a' + i % 26))))
                                        return;
                                }
                                ++written;
                                while (request.sleep_for(10ms) && written < 100) {
                                }
                            });
                        });
                    },
                    options};
    Child& child = setting.child();
    child.reads = false;
    const std::size_t before = in_use();
    std::vector<spdy::StreamId> streams;
    for (int i = 0; i < kClients; ++i)
        streams.push_back(child.ask({}));
    REQUIRE(setting.until([&] { return written == kClients; }));
    const std::size_t after = in_use();
    CHECK(after < before + kAllowed);
    // Nothing of it is lost, and the order is kept.
    child.reads = true;
    for (const auto stream : streams)
        child.session().consume(stream, child.reply(stream).body.size());
    const auto is_whole = [&](spdy::StreamId stream) { return child.reply(stream).body.size() == kWrites; };
    REQUIRE(setting.until([&] { return std::all_of(streams.begin(), streams.end(), is_whole); }));
    std::string expected(kWrites, '\0');
    for (std::size_t i = 0; i < kWrites; ++i)
        expected[i] = static_cast<char>('a' + i % 26);
    CHECK(child.reply(streams.front()).body == expected);
    written = 100;
}

TEST_CASE("an upload in single bytes that its handler does not read yet is held as bytes") {
    constexpr std::size_t kBytes = 20'000 / kShare;
    std::atomic<bool> go{false};
    Setting setting{[&](Worker& w) {
        w.post("/", [&](Request& request) {
            while (!go && request.sleep_for(1ms)) {
            }
            return Response::bytes("a/b", request.text(kBytes));
        });
    }};
    Child& child = setting.child();
    std::string sent;
    const auto stream = child.ask({.method = "POST", .body = std::string{}, .more = true});
    const std::size_t before = in_use();
    while (sent.size() < kBytes) {
        sent += static_cast<char>('a' + sent.size() % 26);
        child.send_body(stream, std::string_view{sent}.substr(sent.size() - 1), sent.size() == kBytes);
        child.step();  // a message for each of them
    }
    const auto ping = child.session().ping();
    REQUIRE(setting.until([&] { return child.answered_ping() == ping; }));
    CHECK(in_use() < before + kAllowed);
    go = true;
    REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == sent);
}
