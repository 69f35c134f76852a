#include "harness/worker.hpp"

#include <csignal>

#include "harness/paths.hpp"
#include "harness/report.hpp"

namespace harness {

namespace {

std::vector<std::string> command(const std::string& program, const std::string& name,
                                 const std::vector<std::string>& options) {
    std::vector<std::string> words{built(program), name};
    words.insert(words.end(), options.begin(), options.end());
    return words;
}

}  // namespace

Worker::Worker(const std::string& program, const std::string& name, const std::vector<std::string>& options)
    : name_{name}, process_{command(program, name, options), folder_.path() / "output"} {}

Worker::~Worker() {
    try {
        report("worker " + name_, process_.output());
    } catch (const std::exception& e) {
        complain(e.what());
    }
}

std::optional<ExitCode> Worker::drain(milliseconds limit) {
    process_.signal(SIGTERM);
    return process_.wait(limit);
}

std::vector<std::string> router_options(const std::string& router, bool relayed) {
    std::vector<std::string> options{"--router", router};
    if (relayed) {
        options.emplace_back("--relay");
    }
    return options;
}

}  // namespace harness
