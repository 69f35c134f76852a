// Workers come and go by thousands, and connections that say nothing.
#include <sys/resource.h>

#include <filesystem>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "scene.hpp"

using namespace chaos;
using namespace harness;

namespace {

std::size_t descriptors_of(pid_t process) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/fd"})
        ++count;
    return count;
}

void allow_descriptors(rlim_t count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min(std::max(limit.rlim_cur, count), limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

TEST_CASE("Workers that come and go and connections that say nothing leave no trace", "[chaos][churn]") {
    allow_descriptors(4096);
    const auto starts = rounds(300, 10'000);
    const auto silent = rounds(300UL, 1'000UL);
    Scene scene{std::to_string(starts) + " worker starts, " + std::to_string(silent) + " silent connections",
                Way::both};
    scene.begin_load();
    const pid_t registry = scene.httpd().registry().value();
    const auto memory = resident_memory(registry);
    const auto descriptors = descriptors_of(registry);
    for (int i = 0; i < starts; ++i) {
        // Of a service that nobody asks for, so that the load goes to those that write down what they run.
        const PuppetWorker worker{scene.httpd(), i % 2 == 1, {}, "churn"};
    }
    {
        std::vector<std::unique_ptr<RawClient>> connections;
        while (connections.size() < silent)
            connections.push_back(std::make_unique<RawClient>(scene.httpd().worker_port()));
        const bool taken =
            eventually(seconds{10}, [&] { return descriptors_of(registry) >= descriptors + silent; });
        scene.row().must(taken, "the connections that say nothing are there");
        scene.load().go_on_for(milliseconds{2000});
    }
    const bool back = eventually(seconds{10}, [&] { return descriptors_of(registry) <= descriptors; });
    scene.row().must(back, "descriptors: " + std::to_string(descriptors_of(registry)) + " instead of " +
                               std::to_string(descriptors));
    const auto growth = [&] { return resident_memory(registry) - memory; };
    const bool small = eventually(seconds{10}, [&] { return growth() < 2048; });
    const Recording recording = scene.end_load();
    scene.row().note("registry grew by " + std::to_string(growth()) + " KiB");
    scene.row().must(small, "the registry grew by less than 2 MiB");
    scene.must_be_explained(recording, [](const Outcome&) { return false; });
}
