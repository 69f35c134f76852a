// Stopping without losing a request.
#include <csignal>

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fake_router.hpp"
#include "worker/drain.hpp"
#include "zmqspdy/event_stream.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;
using zmqspdy::Writer;

TEST_CASE("a worker that stops takes nothing new, finishes what it has, and leaves") {
    zmq::context_t context;
    Registry registry{context};
    std::atomic<bool> go{false};
    std::atomic<int> running{0};
    auto options = options_for({registry.endpoint()});
    options.relay = GENERATE(false, true);
    RunningWorker worker{options, [&](Worker& w) {
                             w.get("/slow", [&](Request& request) {
                                 ++running;
                                 while (!go && request.sleep_for(1ms)) {
                                 }
                                 return Response::text("done\n");
                             });
                             w.get("/stream", [&](Request& request) {
                                 ++running;
                                 return Response::stream("a/b", [&](Writer& out) {
                                     while (!go && request.sleep_for(1ms)) {
                                     }
                                     (void)out.write(std::string(2'000'000, 'x'));
                                 });
                             });
                             w.get("/quick", [](Request&) { return Response::text("quick\n"); });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const std::string link = registry.announced().front();
    std::string endpoint;
    if (!options.relay)
        endpoint = to_string(*registry.link(link).announcement->endpoint);
    Child child = options.relay ? Child{registry, link, "a"} : Child{context, endpoint};
    const auto slow = child.ask({.path = "/slow"});
    const auto stream = child.ask({.path = "/stream"});
    REQUIRE(until({&registry, &child}, [&] { return running == 2; }));

    const bool by_signal = GENERATE(false, true);
    if (by_signal)
        std::raise(SIGTERM);
    else
        worker.stop();
    REQUIRE(until({&registry, &child}, [&] { return child.told_to_go() && registry.link(link).went_away; }));
    CHECK(registry.announced().empty());
    // A child that comes now is sent elsewhere.
    Child late = options.relay ? Child{registry, link, "b"} : Child{context, endpoint};
    (void)late.ask({.path = "/quick"});
    REQUIRE(until({&registry, &child, &late}, [&] { return late.told_to_go(); }));
    CHECK(!worker.has_returned());
    CHECK(!registry.link(link).left);

    go = true;
    const bool all_done = until({&registry, &child, &late}, [&] {
        return child.reply(slow).ended() && child.reply(stream).ended() && worker.has_returned();
    });
    CHECK(all_done);
    CHECK(child.reply(slow).body == "done\n");
    CHECK(child.reply(stream).body.size() == 2'000'000);
    CHECK(worker.result() == 0);
    REQUIRE(until({&registry}, [&] { return registry.link(link).left; }));
}

TEST_CASE("handlers hear that the worker drains, and end what never would", "[drain]") {
    zmq::context_t context;
    Registry registry{context};
    std::atomic<int> running{0};
    std::atomic<int> heard_early{0};
    std::atomic<bool> called{false};
    RunningWorker worker{options_for({registry.endpoint()}), [&](Worker& w) {
                             w.get("/token", [&](Request& request) {
                                 const std::stop_callback callback(request.drain_token(),
                                                                   [&] { called = true; });
                                 if (request.draining())
                                     ++heard_early;
                                 ++running;
                                 while (!request.draining() && request.sleep_for(1ms)) {
                                 }
                                 return Response::text(called ? "called\n" : "not called\n");
                             });
                             w.get("/stream", [&](Request& request) {
                                 return Response::stream("a/b", [&](Writer& out) {
                                     if (out.draining())
                                         ++heard_early;
                                     ++running;
                                     while (!out.draining() && out.write("x") && request.sleep_for(1ms)) {
                                     }
                                 });
                             });
                             w.get("/events", [&](Request& request) {
                                 return zmqspdy::event_stream([&](zmqspdy::EventWriter& events) {
                                     ++running;
                                     while (!events.draining() && request.sleep_for(1ms)) {
                                     }
                                     (void)events.send({.data = "bye"});
                                 });
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto& announcement = registry.link(registry.announced().front()).announcement;
    Child child{context, to_string(*announcement->endpoint)};
    const std::vector<spdy::StreamId> streams{child.ask({.path = "/token"}), child.ask({.path = "/stream"}),
                                              child.ask({.path = "/events"})};
    REQUIRE(until({&registry, &child}, [&] { return running == 3; }));
    worker.stop();
    REQUIRE(until({&registry, &child}, [&] { return worker.has_returned(); }));
    CHECK(heard_early == 0);
    for (const auto stream : streams)
        CHECK(child.reply(stream).fin);
    CHECK(child.reply(streams[0]).body == "called\n");
    CHECK(child.reply(streams[2]).body == "data: bye\n\n");
}

TEST_CASE("at the drain limit what is left is broken off, and run() returns", "[drain]") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.relay = GENERATE(false, true);
    options.drain_timeout = 1s;
    options.threads = 3;
    std::atomic<bool> go{false};
    std::atomic<int> running{0};
    std::atomic<int> stopped{0};
    std::atomic<int> returned{0};
    std::atomic<int> reached{0};
    std::optional<zmqspdy::Responder> kept;
    std::optional<RunningWorker> worker;
    worker.emplace(options, [&](Worker& w) {
        w.get("/endless", [&](Request& request) {
            return Response::stream("a/b", [&](Writer& out) {
                const std::stop_callback callback(request.stop_token(), [&] { ++stopped; });
                ++running;
                while (out.write("x") && request.sleep_for(1ms)) {
                }
                ++returned;
            });
        });
        w.get("/waits", [&](Request& request) {
            ++running;
            (void)request.sleep_for(1h);
            ++returned;
            return Response{};
        });
        // It looks at nothing.
        w.get("/deaf", [&](Request&) {
            ++running;
            while (!go)
                std::this_thread::sleep_for(1ms);
            ++returned;
            return Response::text("too late\n");
        });
        w.get("/queued", [&](Request&) {
            ++reached;
            return Response{};
        });
        w.get("/later", [&](Request&) {
            return Response::later([&](zmqspdy::Responder responder) {
                kept = std::move(responder);
                ++running;
            });
        });
    });
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const std::string link = registry.announced().front();
    Child child = options.relay ? Child{registry, link, "a"}
                                : Child{context, to_string(*registry.link(link).announcement->endpoint)};
    const auto later = child.ask({.path = "/later"});
    REQUIRE(until({&registry, &child}, [&] { return running == 1; }));
    const auto endless = child.ask({.path = "/endless"});
    const auto waits = child.ask({.path = "/waits"});
    const auto deaf = child.ask({.path = "/deaf"});
    REQUIRE(until({&registry, &child}, [&] { return running == 4 && child.reply(endless).started; }));
    const auto queued = child.ask({.path = "/queued"});
    REQUIRE(until({&registry, &child}, [&] { return child.session().output_size() == 0; }));

    const auto begin = std::chrono::steady_clock::now();
    const auto passed = [&] { return std::chrono::steady_clock::now() - begin; };
    worker->stop();
    REQUIRE(until({&registry, &child}, [&] { return child.reply(endless).reset.has_value(); }));
    CHECK(passed() >= 1s);
    CHECK(passed() < 2s);
    REQUIRE(until({&registry, &child}, [&] { return worker->has_returned(); }));
    CHECK(passed() < 5s);
    CHECK(worker->result() == 0);
    CHECK(registry.link(link).left);
    for (const auto stream : {endless, waits, deaf, later}) {
        CAPTURE(stream);
        CHECK(child.reply(stream).reset == spdy::ResetCode::cancel);
    }
    // Another worker may have what no handler has seen.
    CHECK(child.reply(queued).reset == spdy::ResetCode::refused_stream);
    CHECK(reached == 0);
    CHECK(stopped == 1);
    CHECK(returned == 2);
    CHECK(kept->cancelled());

    // The deaf handler returns to a worker that is no more, and so does the promise.
    worker.reset();
    go = true;
    CHECK(until({&registry}, [&] { return returned == 3; }));
    kept->send(Response::text("too late\n"));
}

TEST_CASE("while a worker drains it says less and less often what is left", "[drain]") {
    using zmqspdy::serving::Drain;
    const auto begin = Drain::Clock::now();
    Drain drain{1000s};
    CHECK(drain.deadline() == Drain::Clock::time_point::max());
    CHECK(!drain.is_over(begin + 5000s));
    drain.begin(begin);
    std::vector<std::string> lines;
    auto now = begin;
    while (!drain.is_over(now)) {
        REQUIRE(drain.deadline() > now);
        now = drain.deadline();
        if (const auto line = drain.progress(now, 2))
            lines.push_back(*line);
    }
    CHECK(now == begin + 1000s);
    REQUIRE(lines.size() == 9);
    CHECK(lines[0] == "still stopping: 2 requests open, broken off in 999 s (--drain-timeout)");
    CHECK(lines[8] == "still stopping: 2 requests open, broken off in 489 s (--drain-timeout)");
    CHECK(drain.verdict(1) == "breaking off the 1 request left 1000 s after the stop (--drain-timeout)");
}

TEST_CASE("signals do what they did before once run() has returned") {
    zmq::context_t context;
    static std::atomic<int> caught;
    caught = 0;
    struct sigaction mine {};
    struct sigaction before {};
    mine.sa_handler = [](int) { ++caught; };
    sigaction(SIGTERM, &mine, &before);
    {
        Registry registry{context};
        RunningWorker worker{options_for({registry.endpoint()}), [](Worker&) {}};
        REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
        std::raise(SIGTERM);
        REQUIRE(until({&registry}, [&] { return worker.has_returned(); }));
        CHECK(caught == 0);
        std::raise(SIGTERM);
        CHECK(caught == 1);
    }
    sigaction(SIGTERM, &before, nullptr);
}
