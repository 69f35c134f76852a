#include "scene.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

#include "harness/status.hpp"

namespace chaos {

using namespace harness;

namespace {

// Odd workers are the relayed ones when there are both.
bool relayed(Way way, std::size_t index) {
    return way == Way::relayed || (way == Way::both && index % 2 == 1);
}

using Runs = std::map<std::uint64_t, std::vector<pid_t>>;

/// Once, and again for each of ZmqSpdyRetries, which is 2 unless a row sets it.
constexpr std::size_t kMostRuns = 1 + 2;

struct Entry {
    std::string_view what;
    std::uint64_t id = 0;
    pid_t process = 0;
};

/// "run 17 4711". Throws when it is anything else: what cannot be read cannot be counted.
Entry parse(std::string_view line) {
    const auto number = [](std::string_view text, auto& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && end == text.data() + text.size();
    };
    const auto first = line.find(' ');
    const auto second = first == line.npos ? line.npos : line.find(' ', first + 1);
    Entry entry;
    entry.what = line.substr(0, first);
    const bool known = entry.what == "run" || entry.what == "post" || entry.what == "cancelled";
    if (!known || second == line.npos || !number(line.substr(first + 1, second - first - 1), entry.id) ||
        !number(line.substr(second + 1), entry.process))
        throw std::runtime_error{"a worker wrote \"" + std::string(line) + "\""};
    return entry;
}

template <class Predicate>
Runs requests_where(const Runs& runs, Predicate predicate) {
    Runs found;
    std::copy_if(runs.begin(), runs.end(), std::inserter(found, found.end()),
                 [&predicate](const auto& request) { return predicate(request.second); });
    return found;
}

std::string to_text(const Runs& runs) {
    constexpr int kShown = 10;
    std::string text = std::to_string(runs.size()) + " of them";
    int left = kShown;
    for (const auto& [id, processes] : runs) {
        if (left-- == 0)
            break;
        text += "\n  " + std::to_string(id) + " in";
        for (const pid_t process : processes)
            text += " " + std::to_string(process);
    }
    return text;
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
    const auto posts = requests_where(journal("post"), [](const auto& runs) { return runs.size() > 1; });
    row_.must(posts.empty(), "POSTs that ran twice: " + to_text(posts));
    const auto runs = journal("run");
    const auto same = requests_where(runs, [](std::vector<pid_t> processes) {
        std::sort(processes.begin(), processes.end());
        return std::adjacent_find(processes.begin(), processes.end()) != processes.end();
    });
    row_.must(same.empty(), "requests that ran twice in one worker process: " + to_text(same));
    const auto often =
        requests_where(runs, [](const auto& processes) { return processes.size() > kMostRuns; });
    row_.must(often.empty(),
              "requests that ran more than " + std::to_string(kMostRuns) + " times: " + to_text(often));
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

Runs Scene::journal(std::string_view what) const {
    Runs runs;
    for (std::size_t i = 0; i < kWorkers; ++i) {
        const std::string text = read_file(journal_.path() / worker_name(i));
        std::string_view rest{text};
        // A line without an end is still being written, or its writer was killed over it, before it ran anything.
        for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
            const auto entry = parse(rest.substr(0, end));
            rest.remove_prefix(end + 1);
            if (entry.what == what)
                runs[entry.id].push_back(entry.process);
        }
    }
    return runs;
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
