#include "scene.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "harness/status.hpp"

namespace chaos {

using namespace harness;

namespace {

// Odd workers are the relayed ones when there are both.
bool relayed(Way way, std::size_t index) {
    return way == Way::relayed || (way == Way::both && index % 2 == 1);
}

}  // namespace

std::string name_of(Way way) {
    static constexpr std::array names{"direct", "relayed", "both"};
    return names.at(static_cast<std::size_t>(way));
}

Scene::Scene(const std::string& event, Way way, const std::string& global, const std::string& location)
    : row_{event, name_of(way)}, way_{way}, workers_(kWorkers) {
    ::setenv("ZMQSPDY_CHAOS_LOG", journal_.path().c_str(), 1);
    HttpdSetup setup;
    setup.global = "LogLevel notice zmqspdy:info\nServerLimit 16\n" + global;
    setup.location = location;
    setup.sections = status_section();
    httpd_ = Httpd::started(setup);
    for (std::size_t i = 0; i < kWorkers; ++i)
        start_worker(i);
    if (!eventually(seconds{10}, [this] { return serving_workers() == kWorkers; }))
        throw std::runtime_error{"the workers did not come up"};
}

std::string Scene::worker_name(std::size_t index) {
    return "worker-" + std::to_string(index + 1);
}

void Scene::start_worker(std::size_t index) {
    workers_.at(index).reset();
    workers_.at(index) = std::make_unique<Worker>("chaos_worker", worker_name(index),
                                                  router_options(httpd_->router(), relayed(way_, index)));
}

double Scene::four_fifths() {
    static std::array<double, 3> known{};
    double& rate = known.at(static_cast<std::size_t>(way_));
    if (rate == 0) {
        Recorder all_out{httpd_->port(), {}};
        const auto start = Clock::now();
        all_out.go_on_for(seconds{2});
        const std::chrono::duration<double> time = Clock::now() - start;
        rate = 0.8 * static_cast<double>(all_out.finish().requests) / time.count();
    }
    return rate;
}

void Scene::begin_load(Shape shape) {
    if (shape.per_second == 0)
        shape.per_second = four_fifths();
    load_ = std::make_unique<Recorder>(httpd_->port(), shape);
    load_->go_on_for(milliseconds{500});
}

Recording Scene::end_load() {
    Recording recording = load_->finish();
    load_.reset();
    row_.add(recording);
    check_rest();
    return recording;
}

void Scene::check_rest() {
    Json last;
    const bool quiet = eventually(seconds{5}, [&] { return at_rest(last = status()); });
    row_.must(quiet, "everything back to zero at rest: " + last.dump());
    const auto posts = journal("post");
    const auto twice =
        std::count_if(posts.begin(), posts.end(), [](const auto& post) { return post.second > 1; });
    row_.must(twice == 0, std::to_string(twice) + " POSTs ran twice");
}

Json Scene::status() const {
    return read_status(*httpd_);
}

std::size_t Scene::serving_workers() const {
    const Json all = status()["workers"];
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const Json& one) { return one["state"] == "serving"; }));
}

bool Scene::serves(const std::string& name) const {
    const Json all = status()["workers"];
    return std::any_of(all.begin(), all.end(),
                       [&](const Json& one) { return one["name"] == name && one["state"] == "serving"; });
}

std::map<std::uint64_t, int> Scene::journal(const std::string& what) const {
    std::map<std::uint64_t, int> counts;
    for (std::size_t i = 0; i < kWorkers; ++i) {
        std::istringstream lines{read_file(journal_.path() / worker_name(i))};
        std::string word;
        std::uint64_t id = 0;
        while (lines >> word >> id) {
            if (word == what)
                ++counts[id];
        }
    }
    return counts;
}

std::size_t Scene::runs_of(std::size_t worker) const {
    return read_file(journal_.path() / worker_name(worker)).size();
}

void Scene::must_be_explained(const Recording& recording,
                              const std::function<bool(const Outcome&)>& explained) {
    std::vector<Outcome> unexplained;
    std::copy_if(recording.failures.begin(), recording.failures.end(), std::back_inserter(unexplained),
                 [&](const Outcome& outcome) { return !explained(outcome); });
    row_.must(unexplained.empty(), "failures that nothing explains: " + to_text(unexplained));
}

}  // namespace chaos
