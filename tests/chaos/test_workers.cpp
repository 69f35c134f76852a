// Workers that are killed, restarted, stopped, and not there.
#include <csignal>

#include "catch.hpp"
#include "scene.hpp"

using namespace chaos;
using namespace harness;

TEST_CASE("Killed workers cost what cannot be repeated and nothing else", "[chaos][kill]") {
    Scene scene{"kill -9 one worker every 2 s", GENERATE(Way::direct, Way::relayed)};
    scene.begin_load();
    std::vector<Clock::time_point> kills;
    for (std::size_t i = 0; i < rounds(8UL, 100UL); ++i) {
        kills.push_back(Clock::now());
        scene.worker(i % Scene::kWorkers).process().kill();
        scene.start_worker(i % Scene::kWorkers);
        scene.load().go_on_for(rounds(milliseconds{1000}, milliseconds{2000}));
    }
    const Recording recording = scene.end_load();
    scene.row().note(std::to_string(kills.size()) + " kills");
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        return under_way_at(failure, kills) && ((failure.kind == Kind::post && failure.status == 502) ||
                                                (failure.kind == Kind::stream && failure.status == 200));
    });
}

TEST_CASE("A rolling restart is noticed by nobody", "[chaos][rolling]") {
    Scene scene{"rolling SIGTERM restart of all workers", GENERATE(Way::direct, Way::relayed)};
    scene.begin_load();
    const auto count = rounds(3UL, 20UL);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t worker = 0; worker < Scene::kWorkers; ++worker) {
            const auto ended = scene.worker(worker).drain();
            scene.row().must(ended == 0, "the worker ended by itself");
            scene.start_worker(worker);
            const bool back =
                eventually(seconds{5}, [&] { return scene.serves(Scene::worker_name(worker)); });
            scene.row().must(back, Scene::worker_name(worker) + " is back");
        }
    }
    const Recording recording = scene.end_load();
    scene.row().note(std::to_string(count) + " rounds");
    scene.must_be_explained(recording, [](const Outcome&) { return false; });
}

TEST_CASE("A worker that stands still is left out and comes back", "[chaos][stop]") {
    Scene scene{"SIGSTOP one worker", GENERATE(Way::direct, Way::relayed)};
    scene.begin_load();
    struct Pause {
        Clock::time_point begin;
        Clock::time_point out;
    };
    std::vector<Pause> pauses;
    milliseconds slowest_out{0};
    milliseconds slowest_back{0};
    for (std::size_t i = 0; i < rounds(2UL, 10UL); ++i) {
        const auto index = i % Scene::kWorkers;
        const auto begin = Clock::now();
        scene.worker(index).process().signal(SIGSTOP);
        // Three heartbeats of a second; the last may have come just before, and half a second to ask and to be answered.
        const bool out = within(milliseconds{3500}, [&] { return !scene.serves(Scene::worker_name(index)); });
        pauses.push_back({begin, Clock::now()});
        slowest_out = std::max(slowest_out, since(begin));
        scene.row().must(out, "out within three heartbeats");
        scene.load().go_on_for(rounds(milliseconds{5000}, milliseconds{10000}) - since(begin));
        const auto runs = scene.runs_of(index);
        const auto end = Clock::now();
        scene.worker(index).process().signal(SIGCONT);
        const bool back = eventually(seconds{5}, [&] {
            return scene.serves(Scene::worker_name(index)) && scene.runs_of(index) > runs;
        });
        slowest_back = std::max(slowest_back, since(end));
        scene.row().must(back, "back after SIGCONT");
    }
    const Recording recording = scene.end_load();
    scene.row().note("out after at most " + std::to_string(slowest_out.count()) + " ms, back after " +
                     std::to_string(slowest_back.count()) + " ms");
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        const bool meanwhile = std::any_of(pauses.begin(), pauses.end(), [&](const Pause& pause) {
            return failure.sent <= pause.out && failure.ended >= pause.begin;
        });
        return meanwhile && ((failure.kind == Kind::post && failure.status == 502) ||
                             (failure.kind == Kind::stream && failure.status == 200));
    });
}

TEST_CASE("Requests wait for a worker as long as they may", "[chaos][nobody]") {
    constexpr milliseconds kTimeout{3000};
    Scene scene{"no worker for 5 s, then one", GENERATE(Way::direct, Way::relayed), "",
                "ZmqSpdyQueueTimeout 3s"};
    // Each that waits takes a thread of httpd: few enough for all of them.
    scene.begin_load({.per_second = 40, .concurrency = 400});
    for (std::size_t i = 0; i < Scene::kWorkers; ++i)
        (void)scene.worker(i).drain();
    scene.load().go_on_for(milliseconds{5000});
    scene.start_worker(0);
    const bool back = eventually(seconds{5}, [&] { return scene.serves(Scene::worker_name(0)); });
    const auto there = Clock::now();
    scene.row().must(back, "the worker is there");
    scene.load().go_on_for(milliseconds{1000});
    const Recording recording = scene.end_load();
    scene.row().must(!recording.failures.empty(), "some waited in vain");
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        const auto waited = failure.ended - failure.sent;
        return failure.status == 503 && waited >= kTimeout - milliseconds{20} &&
               waited <= kTimeout + milliseconds{500} && failure.sent + kTimeout <= there;
    });
}
