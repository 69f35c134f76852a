// Stopping without losing a request.
#include <csignal>

#include <atomic>

#include "catch.hpp"
#include "fake_router.hpp"

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
