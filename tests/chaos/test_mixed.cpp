// All of it, in an order that nobody chose.
#include <signal.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "catch.hpp"
#include "scene.hpp"

using namespace chaos;
using namespace harness;

namespace {

constexpr milliseconds kQueueTimeout{5000};
constexpr milliseconds kHeartbeat{1000};
/// A request waits for a worker no longer than the queue timeout. The worst that it can meet then is a worker that has just
/// been stopped: that is found out after three heartbeats and half a second to ask, and others, of which there are always
/// some, take the request at once. The rest is for running it (200 ms at most) on a busy machine. A response that got lost
/// would hang for ZmqSpdyTimeout, a minute.
constexpr milliseconds kLongest = kQueueTimeout + 3 * kHeartbeat + milliseconds{500} + milliseconds{1500};

std::string in_ms(milliseconds time) {
    return std::to_string(time.count()) + "ms";
}

/// Of the largest process, since there are more or fewer children at each moment.
long memory_of(const Httpd& httpd) {
    const auto processes = httpd.processes();
    return std::accumulate(processes.begin(), processes.end(), 0L,
                           [](long most, pid_t process) { return std::max(most, resident_memory(process)); });
}

}  // namespace

TEST_CASE("All events mixed leave no failure that none of them explains", "[chaos][mixed]") {
    Scene scene{"all of it mixed", Way::both, "ZmqSpdyHeartbeat " + in_ms(kHeartbeat) + "\n",
                "ZmqSpdyQueueTimeout " + in_ms(kQueueTimeout)};
    const auto seed = std::random_device{}();
    std::mt19937 random{seed};
    INFO("seed " << seed);
    scene.begin_load();
    std::vector<Clock::time_point> deaths;        // of what may cost a POST or a stream
    std::vector<Clock::time_point> child_deaths;  // of what may cost anything
    std::map<std::string, int> events;
    const auto length = rounds(milliseconds{30'000}, milliseconds{30 * 60'000});
    const auto start = Clock::now();
    long memory = 0;
    while (since(start) < length) {
        const auto index = random() % Scene::kWorkers;
        switch (random() % 6) {
            case 0:
                ++events["kill"];
                deaths.push_back(Clock::now());
                scene.worker(index).process().kill();
                scene.start_worker(index);
                break;
            case 1:
                ++events["SIGTERM"];
                (void)scene.worker(index).drain();
                scene.start_worker(index);
                break;
            case 2: {
                ++events["SIGSTOP"];
                const auto begin = Clock::now();
                scene.worker(index).process().signal(SIGSTOP);
                (void)eventually(seconds{5}, [&] { return !scene.serves(Scene::worker_name(index)); });
                scene.worker(index).process().signal(SIGCONT);
                // Whatever was sent to it while it was still taken for alive.
                for (auto moment = begin; moment < Clock::now(); moment += milliseconds{50})
                    deaths.push_back(moment);
                break;
            }
            case 3:
                ++events["graceful"];
                scene.httpd().control("graceful");
                break;
            case 4:
                ++events["registry"];
                deaths.push_back(Clock::now());
                ::kill(scene.status()["registry"]["pid"].get<pid_t>(), SIGKILL);
                break;
            default: {
                ++events["child"];
                const auto children = scene.httpd().serving_children();
                if (children.empty())
                    break;
                child_deaths.push_back(Clock::now());
                ::kill(children.at(random() % children.size()), SIGKILL);
            }
        }
        scene.load().go_on_for(milliseconds{1000});
        const bool whole =
            eventually(seconds{10}, [&] { return scene.serving_workers() == Scene::kWorkers; });
        scene.row().must(whole, "all workers are back");
        if (memory == 0 && since(start) > length / 5)
            memory = memory_of(scene.httpd());
    }
    const Recording recording = scene.end_load();
    const auto growth = memory_of(scene.httpd()) - memory;
    std::string counts;
    for (const auto& [event, count] : events)
        counts += std::to_string(count) + " " + event + " ";
    scene.row().note(counts + "(seed " + std::to_string(seed) + "); the largest process grew by " +
                     std::to_string(growth) + " KiB");
    scene.row().must(growth < 10'240, "memory stays flat");
    scene.row().must(recording.longest <= kLongest, "no request took longer than " + in_ms(kLongest));
    scene.must_be_explained(recording, [&](const Outcome& failure) {
        const bool unrepeatable = (failure.kind == Kind::post && failure.status == 502) ||
                                  (failure.kind == Kind::stream && failure.status == 200);
        const bool cut_off = failure.status == 0 || (failure.kind == Kind::stream && failure.status == 200);
        return (unrepeatable && under_way_at(failure, deaths)) ||
               (cut_off && cut_off_at(failure, child_deaths));
    });
}
