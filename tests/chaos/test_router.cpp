// httpd restarts gracefully, and its processes are killed.
#include <signal.h>

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "harness/raw_client.hpp"
#include "scene.hpp"

using namespace chaos;
using namespace harness;

namespace {

/// Lines "dials worker" of one child and one worker beyond the first.
std::size_t dialled_again(const Httpd& httpd) {
    std::set<std::string> seen;
    std::size_t again = 0;
    for (const std::string& line : httpd.module_log()) {
        const auto what = line.find("dials worker");
        const auto pid = line.find("[pid ");
        if (what == std::string::npos || pid == std::string::npos)
            continue;
        const auto number = line.substr(pid, line.find_first_of(":]", pid + 5) - pid);
        if (!seen.insert(number + line.substr(what)).second)
            ++again;
    }
    if (seen.empty())
        throw std::runtime_error{"the log does not say who dials whom"};
    return again;
}

/// The kernel need not share connections out evenly.
pid_t busiest_child(const Scene& scene) {
    const Json children = scene.status()["children"];
    return std::max_element(children.begin(), children.end(),
                            [](const Json& a, const Json& b) { return a["streams"] < b["streams"]; })
        ->at("pid");
}

}  // namespace

TEST_CASE("A graceful restart breaks no stream and dials nobody twice", "[chaos][graceful]") {
    Scene scene{"apachectl graceful, 10 s streams in flight", GENERATE(Way::direct, Way::relayed)};
    scene.begin_load();
    Recorder streams{scene.httpd().port(), {.concurrency = 8, .long_streams = 20}};
    const auto count = rounds(4UL, 50UL);
    for (std::size_t i = 0; i < count; ++i) {
        scene.httpd().control("graceful");
        scene.load().go_on_for(milliseconds{2000});
    }
    const Recording long_ones = streams.finish();
    scene.row().add(long_ones);
    const Recording recording = scene.end_load();
    const auto again = dialled_again(scene.httpd());
    scene.row().note(std::to_string(count) + " restarts, " + std::to_string(long_ones.requests) +
                     " streams of 10 s, " + std::to_string(again) + " dialled again");
    scene.row().must(again == 0, "no worker dialled again by the same child");
    scene.must_be_explained(long_ones, [](const Outcome&) { return false; });
    scene.must_be_explained(recording, [](const Outcome&) { return false; });
}

TEST_CASE("Children that are recycled all the time cost nothing", "[chaos][recycle]") {
    Scene scene{"MaxConnectionsPerChild 50", GENERATE(Way::direct, Way::relayed),
                "MaxConnectionsPerChild 50"};
    const auto children_so_far = [&] {
        std::set<std::string> seen;
        for (const std::string& line : scene.httpd().module_log()) {
            if (line.find("dials worker") != std::string::npos)
                seen.insert(line.substr(line.find("[pid "), 12));
        }
        return seen.size();
    };
    // As fast as httpd replaces them: the MPM starts few in a second.
    scene.begin_load({.per_second = 100});
    scene.load().go_on_for(rounds(milliseconds{8000}, milliseconds{120'000}));
    const Recording recording = scene.end_load();
    const auto children = children_so_far();
    scene.row().note(std::to_string(children) + " children");
    scene.row().must(children >= recording.requests / 100, "children were recycled");
    scene.must_be_explained(recording, [](const Outcome&) { return false; });
}

TEST_CASE("A killed registry is replaced, and its workers are back", "[chaos][registry]") {
    const auto way = GENERATE(Way::direct, Way::relayed);
    Scene scene{"kill -9 the registry", way};
    scene.begin_load();
    std::vector<Clock::time_point> kills;
    milliseconds slowest{0};
    for (std::size_t i = 0; i < rounds(3UL, 20UL); ++i) {
        const pid_t registry = scene.status()["registry"]["pid"];
        const auto start = Clock::now();
        kills.push_back(start);
        ::kill(registry, SIGKILL);
        const bool back = within(milliseconds{1000}, [&] {
            const Json status = scene.status();
            return status["registry"]["pid"] != registry &&
                   status["registry"]["connections"] == Scene::kWorkers &&
                   status["workers"].size() == Scene::kWorkers;
        });
        slowest = std::max(slowest, since(start));
        scene.row().must(back, "all workers back within a second");
        scene.load().go_on_for(milliseconds{1500});
    }
    const Recording recording = scene.end_load();
    scene.row().note(std::to_string(kills.size()) + " kills, workers back after at most " +
                     std::to_string(slowest.count()) + " ms");
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        return way == Way::relayed && under_way_at(failure, kills) &&
               ((failure.kind == Kind::post && failure.status == 502) ||
                (failure.kind == Kind::stream && failure.status == 200));
    });
}

TEST_CASE("A killed child takes its own requests and nothing else", "[chaos][child]") {
    Scene scene{"kill -9 an httpd child", GENERATE(Way::direct, Way::relayed)};
    scene.begin_load();
    std::vector<Clock::time_point> kills;
    std::uint64_t id = 90'000'000'000;
    std::size_t orphans = 0;
    milliseconds slowest{0};
    for (std::size_t i = 0; i < rounds(4UL, 20UL); ++i) {
        std::map<std::uint64_t, std::unique_ptr<RawClient>> hanging;
        for (int client = 0; client < 8; ++client) {
            hanging[++id] = std::make_unique<RawClient>(scene.httpd().port());
            hanging[id]->send("GET /hang HTTP/1.1\r\nHost: localhost\r\nx-request-id: " + std::to_string(id) +
                              "\r\n\r\n");
        }
        const bool all_run = eventually(seconds{5}, [&] {
            const auto runs = scene.journal("run");
            return std::all_of(hanging.begin(), hanging.end(),
                               [&](const auto& client) { return runs.contains(client.first); });
        });
        scene.row().must(all_run, "the requests that hang have begun");
        const pid_t child = busiest_child(scene);
        const auto start = Clock::now();
        kills.push_back(start);
        ::kill(child, SIGKILL);
        const auto was_cut_off = [](RawClient& client) {
            try {
                (void)client.read_all(milliseconds{20});
                return true;
            } catch (const std::runtime_error&) {
                return false;
            }
        };
        std::set<std::uint64_t> cut_off;
        const bool gone = within(milliseconds{1000}, [&] { return !alive(child); });
        for (const auto& [number, client] : hanging) {
            if (was_cut_off(*client))
                cut_off.insert(number);
        }
        const bool cancelled = within(milliseconds{1000} - since(start), [&] {
            const auto told = scene.journal("cancelled");
            return std::all_of(cut_off.begin(), cut_off.end(),
                               [&](std::uint64_t number) { return told.contains(number); });
        });
        slowest = std::max(slowest, since(start));
        scene.row().must(gone && cancelled, "its streams are cancelled at the workers within a second");
        orphans += cut_off.size();
        scene.load().go_on_for(milliseconds{1500});
    }
    const Recording recording = scene.end_load();
    scene.row().must(orphans > 0, "some streams were orphaned");
    scene.row().note(std::to_string(kills.size()) + " kills, " + std::to_string(orphans) +
                     " long requests cancelled within " + std::to_string(slowest.count()) + " ms");
    // Only what the killed child had: those end at once, without a word of httpd's.
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        return cut_off_at(failure, kills) &&
               (failure.status == 0 || (failure.kind == Kind::stream && failure.status == 200));
    });
}
