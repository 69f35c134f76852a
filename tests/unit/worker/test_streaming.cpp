// Bodies in both directions, windows, and clients that leave.
#include <atomic>
#include <optional>

#include "catch.hpp"
#include "setting.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::BodyAborted;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i % 251);
    return text;
}

}  // namespace

TEST_CASE("a body is streamed back while it comes in") {
    const bool relay = GENERATE(false, true);
    Setting setting{[](Worker& w) {
                        w.post("/echo", [](Request& request) {
                            return Response::stream("text/plain", [&request](Writer& out) {
                                for (const auto chunk : request.body()) {
                                    if (!out.write(chunk))
                                        return;
                                }
                            });
                        });
                    },
                    {},
                    relay};
    Child& child = setting.child();
    const auto stream =
        child.ask({.method = "POST", .path = "/echo", .body = std::string("one "), .more = true});
    REQUIRE(setting.until([&] { return child.reply(stream).body == "one "; }));
    child.send_body(stream, "two ", false);
    REQUIRE(setting.until([&] { return child.reply(stream).body == "one two "; }));
    child.send_body(stream, "three", true);
    REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "one two three");
    CHECK(!child.reply(stream).headers.contains("content-length"));

    const std::string large = pattern(20'000'000);
    CHECK(setting.ask({.method = "POST", .path = "/echo", .body = large}).body == large);
}

TEST_CASE("a large body, whole or streamed, arrives as it was") {
    const std::string large = pattern(9'000'001);
    Setting setting{[&](Worker& w) {
        w.get("/whole", [&](Request&) { return Response::bytes("a/b", large); });
        w.get(
            "/at-once", [&](Request&) { return Response::bytes("a/b", large); }, Run::on_io_thread);
        w.get("/stream", [&](Request&) {
            return Response::stream("a/b", [&](Writer& out) { (void)out.write(large); });
        });
        w.get("/bits", [&](Request&) {
            return Response::stream("a/b", [&](Writer& out) {
                for (std::size_t i = 0; i < 10'000; ++i)
                    (void)out.write(std::string_view{large}.substr(i * 100, 100));
            });
        });
        w.get("/nothing", [&](Request&) { return Response::stream("a/b", [&](Writer&) {}); });
    }};
    CHECK(setting.ask({.path = "/whole"}).body == large);
    CHECK(setting.ask({.path = "/at-once"}).body == large);
    CHECK(setting.ask({.path = "/stream"}).body == large);
    CHECK(setting.ask({.path = "/bits"}).body == large.substr(0, 1'000'000));
    CHECK(setting.ask({.path = "/nothing"}).body.empty());
}

TEST_CASE("what is written arrives before the next is") {
    std::atomic<int> seen{0};
    Setting setting{[&](Worker& w) {
        w.get("/", [&](Request& request) {
            return Response::stream("text/event-stream", [&](Writer& out) {
                for (int i = 1; i <= 3; ++i) {
                    if (!out.write("event\n"))
                        return;
                    while (seen < i && request.sleep_for(1ms)) {
                    }
                }
            });
        });
    }};
    Child& child = setting.child();
    const auto stream = child.ask({});
    for (std::size_t i = 1; i <= 3; ++i) {
        REQUIRE(setting.until([&] { return child.reply(stream).body.size() == 6 * i; }));
        ++seen;
    }
    REQUIRE(setting.until([&] { return child.reply(stream).fin; }));
}

TEST_CASE("a writer waits for a reader that does not read, and goes on when it does") {
    constexpr std::size_t kChunk = 10'000;
    std::atomic<std::size_t> written{0};
    std::atomic<bool> ended{false};
    spdy::SessionOptions options;
    options.stream_window = 100'000;
    Setting setting{[&](Worker& w) {
                        w.get("/", [&](Request&) {
                            return Response::stream("a/b", [&](Writer& out) {
                                const std::string chunk(kChunk, 'x');
                                for (int i = 0; i < 500 && out.write(chunk); ++i)
                                    written += kChunk;
                                ended = true;
                            });
                        });
                        w.get("/neighbour", [](Request&) { return Response::text("fine\n"); });
                    },
                    options};
    Child& child = setting.child();
    child.reads = false;
    const auto stream = child.ask({});
    REQUIRE(setting.until([&] { return child.reply(stream).body.size() == 100'000 && written > 100'000; }));
    const auto settled = std::chrono::steady_clock::now() + 100ms;
    REQUIRE(setting.until([&] { return std::chrono::steady_clock::now() > settled; }));
    CHECK(!ended);
    CHECK(written <= 100'000 + 256 * 1024 + 2 * 64 * 1024);
    CHECK(setting.ask({.path = "/neighbour"}).body == "fine\n");
    SECTION("it reads at last") {
        child.reads = true;
        child.session().consume(stream, 100'000);
        REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
        CHECK(child.reply(stream).body.size() == 500 * kChunk);
    }
    SECTION("it gives up") {
        child.session().reset(stream, spdy::ResetCode::cancel);
        REQUIRE(setting.until([&] { return ended.load(); }));
        CHECK(written < 500 * kChunk);
    }
    SECTION("it goes away") {
        setting.drop_child();
        REQUIRE(setting.until([&] { return ended.load(); }));
    }
}

TEST_CASE("no more of an upload is taken than the window, until the handler reads") {
    // The more requests a worker takes at once, the less each of them may hold.
    const auto [capacity, window] = GENERATE(table<std::uint32_t, std::size_t>(
        {{1, 1024 * 1024}, {256, 1024 * 1024}, {300, 256 * 1024 * 1024 / 300}, {65535, 256 * 1024}}));
    CAPTURE(capacity);
    std::atomic<bool> read{false};
    std::atomic<std::size_t> got{0};
    Setting setting{[&](Worker& w) {
                        w.post("/", [&](Request& request) {
                            while (!read && request.sleep_for(1ms)) {
                            }
                            for (const auto chunk : request.body())
                                got += chunk.size();
                            return Response::text(std::to_string(got));
                        });
                    },
                    {},
                    false,
                    1,
                    capacity};
    Child& child = setting.child();
    const auto stream = child.ask({.method = "POST", .body = std::string(3'000'000, 'x')});
    REQUIRE(setting.until([&, most = 3'000'000 - window] { return child.unsent(stream) <= most; }));
    const auto settled = std::chrono::steady_clock::now() + 100ms;
    REQUIRE(setting.until([&] { return std::chrono::steady_clock::now() > settled; }));
    CHECK(child.unsent(stream) == 3'000'000 - window);
    read = true;
    REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "3000000");
}

TEST_CASE("an early answer goes out and the upload completes") {
    Setting setting{[](Worker& w) {
        w.post("/", [](Request& request) {
            (void)request.body().begin();
            return Response::text("enough\n").status(403);
        });
    }};
    Child& child = setting.child();
    const auto stream = child.ask({.method = "POST", .body = std::string(300'000, 'x'), .more = true});
    REQUIRE(setting.until([&] { return child.reply(stream).fin; }));
    CHECK(child.reply(stream).body == "enough\n");
    child.send_body(stream, std::string(3'000'000, 'x'), true);
    REQUIRE(setting.until([&] { return child.unsent(stream) == 0 && child.session().open_streams() == 0; }));
    CHECK(!child.reply(stream).reset);
}

TEST_CASE("a client that leaves cancels what is done for it") {
    std::atomic<int> started{0};
    std::atomic<int> aborted{0};
    std::atomic<int> cancelled{0};
    Setting setting{[&](Worker& w) {
        w.post("/reading", [&](Request& request) {
            ++started;
            try {
                for ([[maybe_unused]] const auto chunk : request.body()) {
                }
            } catch (const BodyAborted&) {
                ++aborted;
                throw;
            }
            return Response{};
        });
        w.get("/waiting", [&](Request& request) {
            ++started;
            if (!request.sleep_for(1min) && request.cancelled())
                ++cancelled;
            return Response{};
        });
        w.get("/writing", [&](Request&) {
            ++started;
            return Response::stream("a/b", [&](Writer& out) {
                while (out.write("x"))
                    std::this_thread::yield();
                if (out.cancelled())
                    ++cancelled;
            });
        });
    }};
    Child& child = setting.child();
    const auto reading =
        child.ask({.method = "POST", .path = "/reading", .body = std::string("x"), .more = true});
    const auto waiting = child.ask({.path = "/waiting"});
    const auto writing = child.ask({.path = "/writing"});
    REQUIRE(setting.until([&] { return started == 3 && child.reply(writing).started; }));
    SECTION("one by one") {
        for (const auto stream : {reading, waiting, writing})
            child.session().reset(stream, spdy::ResetCode::cancel);
    }
    SECTION("with the whole connection") {
        setting.drop_child();
    }
    REQUIRE(setting.until([&] { return aborted == 1 && cancelled == 2; }));
}

TEST_CASE("a request that was cancelled in the queue is not handled") {
    std::atomic<bool> go{false};
    std::atomic<int> handled{0};
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.capacity = 2;
    RunningWorker worker{options, [&](Worker& w) {
                             w.get("/slow", [&](Request& request) {
                                 while (!go && request.sleep_for(1ms)) {
                                 }
                                 return Response{};
                             });
                             w.get("/quick", [&](Request&) {
                                 ++handled;
                                 return Response{};
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child child{context, to_string(*registry.link(registry.announced().front()).announcement->endpoint)};
    for (int i = 0; i < 50; ++i) {
        const auto stream = child.ask({.path = "/slow"});
        child.step();
        child.session().reset(stream, spdy::ResetCode::cancel);
        child.step();
    }
    go = true;
    const auto after = [&] {
        const auto stream = child.ask({.path = "/quick"});
        REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
        return child.reply(stream).status() == "200";
    };
    // Capacity comes back, whatever became of the fifty.
    REQUIRE(until({&registry, &child}, after));
    CHECK(handled == 1);
}

TEST_CASE("a stream that breaks off is reset, not ended") {
    Setting setting{[](Worker& w) {
        w.get("/", [](Request&) {
            return Response::stream("a/b", [](Writer& out) {
                (void)out.write("half");
                throw std::runtime_error("on purpose");
            });
        });
    }};
    const auto& reply = setting.ask({});
    CHECK(reply.reset == spdy::ResetCode::internal_error);
    CHECK(!reply.fin);
}

TEST_CASE("answers without a body") {
    std::atomic<int> produced{0};
    Setting setting{[&](Worker& w) {
        w.get("/stream", [&](Request&) {
            return Response::stream("a/b", [&](Writer& out) {
                ++produced;
                (void)out.write("body");
            });
        });
        w.get("/status/:code", [](Request& request) {
            return Response::text("body").status(std::stoi(request.param("code")));
        });
    }};
    const auto& head = setting.ask({.method = "HEAD", .path = "/stream"});
    CHECK(head.status() == "200");
    CHECK(head.body.empty());
    CHECK(produced == 0);
    const auto& none = setting.ask({.path = "/status/204"});
    CHECK(none.body.empty());
    CHECK(!none.headers.contains("content-length"));
    const auto& same = setting.ask({.path = "/status/304"});
    CHECK(same.body.empty());
    CHECK(setting.ask({.path = "/status/404"}).body == "body");
}

TEST_CASE("headers that are too large become a 500") {
    Setting setting{[](Worker& w) {
        w.get("/", [](Request&) { return Response::text("x").header("large", std::string(70'000, 'x')); });
    }};
    CHECK(setting.ask({}).status() == "500");
}

TEST_CASE("trailers end a body") {
    Setting setting{
        [](Worker& w) { w.post("/", [](Request& request) { return Response::text(request.text()); }); }};
    Child& child = setting.child();
    const auto stream = child.ask({.method = "POST", .body = std::string("body"), .more = true});
    spdy::HeaderBlock trailers;
    trailers.add("checksum", "1");
    child.session().headers(stream, trailers, true);
    REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "body");
}
