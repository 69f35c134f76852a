// Children that fall silent, and many requests of all kinds at once.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>

#include "catch.hpp"
#include "fake_router.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Responder;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

std::string direct_endpoint(Registry& registry) {
    return to_string(*registry.link(registry.announced().front()).announcement->endpoint);
}

}  // namespace

TEST_CASE("a child that has streams and falls silent is given up") {
    zmq::context_t context;
    transport::AnnouncementReply reply;
    reply.heartbeat = 30ms;
    Registry registry{context, unique_endpoint(), reply};
    std::atomic<int> running{0};
    std::atomic<int> cancelled{0};
    RunningWorker worker{options_for({registry.endpoint()}), [&](Worker& w) {
                             w.get("/", [&](Request& request) {
                                 ++running;
                                 if (!request.sleep_for(1min))
                                     ++cancelled;
                                 return Response{};
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child lively{context, direct_endpoint(registry)};
    Child silent{context, direct_endpoint(registry)};
    (void)lively.ask({});
    (void)silent.ask({});
    REQUIRE(until({&registry, &lively, &silent}, [&] { return running == 2; }));
    REQUIRE(until({&registry, &lively}, [&] { return cancelled == 1; }));
    // As long again, and more: who answers PINGs may take all the time in the world.
    const auto later = std::chrono::steady_clock::now() + 200ms;
    REQUIRE(until({&registry, &lively}, [&] { return std::chrono::steady_clock::now() > later; }));
    CHECK(cancelled == 1);
}

TEST_CASE("a promise learns that its client has left") {
    zmq::context_t context;
    Registry registry{context};
    std::mutex mutex;
    std::vector<Responder> kept;
    RunningWorker worker{options_for({registry.endpoint()}), [&](Worker& w) {
                             w.get("/", [&](Request&) {
                                 return Response::later([&](Responder responder) {
                                     const std::lock_guard lock{mutex};
                                     kept.push_back(std::move(responder));
                                 });
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child child{context, direct_endpoint(registry)};
    const auto stream = child.ask({});
    const auto is_kept = [&] {
        const std::lock_guard lock{mutex};
        return kept.size() == 1;
    };
    REQUIRE(until({&registry, &child}, is_kept));
    CHECK(!kept.front().cancelled());
    child.session().reset(stream, spdy::ResetCode::cancel);
    REQUIRE(until({&registry, &child}, [&] { return kept.front().cancelled(); }));
    kept.front().send(Response::text("to nobody\n"));
    kept.clear();
}

TEST_CASE("many requests of all kinds, some of them cancelled, over several connections") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.capacity = 32;
    RunningWorker worker{
        options, [](Worker& w) {
            w.get(
                "/inline", [](Request&) { return Response::text("inline"); }, Run::on_io_thread);
            w.get("/pool", [](Request&) { return Response::text("pool"); });
            w.get("/large", [](Request&) { return Response::text(std::string(700'000, 'x')); });
            w.get("/stream", [](Request& request) {
                return Response::stream("a/b", [&request](Writer& out) {
                    for (int i = 0; i < 20 && out.write(std::string(30'000, 'x')); ++i) {
                        if (!request.sleep_for(0ms))
                            return;
                    }
                });
            });
            w.post("/echo", [](Request& request) {
                return Response::stream("a/b", [&request](Writer& out) {
                    for (const auto chunk : request.body()) {
                        if (!out.write(chunk))
                            return;
                    }
                });
            });
            w.post("/ignore", [](Request&) { return Response::text("ignored"); });
        }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const std::string endpoint = direct_endpoint(registry);

    struct Call {
        Child* child;
        spdy::StreamId stream;
        std::size_t size;  ///< of the body that is due; 0: it was cancelled
    };
    std::minstd_rand random{42};
    for (int round = 0; round < 12; ++round) {
        Child one{context, endpoint};
        Child two{context, endpoint};
        std::vector<Call> calls;
        for (int i = 0; i < 30; ++i) {
            Child& child = random() % 2 == 0 ? one : two;
            const std::string body(1 + random() % 400'000, 'b');
            Call call{&child, 0, 0};
            switch (random() % 6) {
                case 0:
                    call = {&child, child.ask({.path = "/inline"}), 6};
                    break;
                case 1:
                    call = {&child, child.ask({.path = "/pool"}), 4};
                    break;
                case 2:
                    call = {&child, child.ask({.path = "/large"}), 700'000};
                    break;
                case 3:
                    call = {&child, child.ask({.path = "/stream"}), 600'000};
                    break;
                case 4:
                    call = {&child, child.ask({.method = "POST", .path = "/echo", .body = body}),
                            body.size()};
                    break;
                default:
                    call = {&child, child.ask({.method = "POST", .path = "/ignore", .body = body}), 7};
                    break;
            }
            if (random() % 4 == 0) {
                child.step();
                child.session().reset(call.stream, spdy::ResetCode::cancel);
                child.send_body(call.stream, "", false);
                call.size = 0;
            }
            calls.push_back(call);
        }
        const auto is_done = [](const Call& call) {
            return call.size == 0 || call.child->reply(call.stream).ended();
        };
        REQUIRE(
            until({&registry, &one, &two}, [&] { return std::all_of(calls.begin(), calls.end(), is_done); }));
        for (const Call& call : calls) {
            if (call.size == 0)
                continue;
            const Reply& reply = call.child->reply(call.stream);
            // Cancelled requests count until their handler has noticed.
            if (reply.reset != spdy::ResetCode::refused_stream)
                CHECK(reply.body.size() == call.size);
        }
    }
}
