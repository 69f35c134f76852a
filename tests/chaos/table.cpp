#include "table.hpp"

#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "harness/catch_listener.hpp"

namespace chaos {

namespace {

std::vector<std::string>& lines() {
    static std::vector<std::string> all;
    return all;
}

template <class... Cell>
std::string line(const Cell&... cells) {
    std::ostringstream text;
    text << std::left;
    constexpr std::array widths{50, 9, 10, 8, 9, 9, 11, 8, 0};
    std::size_t column = 0;
    ((text << std::setw(widths.at(column++)) << cells), ...);
    return text.str();
}

using harness::ListenerBase;

class PrintTable : public ListenerBase {
  public:
    using ListenerBase::ListenerBase;
    void testRunEnded(const Catch::TestRunStats& stats) override {
        std::cout << line("event", "way", "requests", "GET", "POST", "streams", "longest", "", "") << "\n"
                  << line("", "", "", "failed", "failed", "broken", "ms", "holds", "") << "\n";
        for (const auto& row : lines())
            std::cout << row << "\n";
        std::cout << std::flush;
        ListenerBase::testRunEnded(stats);
    }
};

CATCH_REGISTER_LISTENER(PrintTable)

}  // namespace

bool long_form() {
    const char* const given = std::getenv("ZMQSPDY_CHAOS");
    return given != nullptr && std::string{given} == "long";
}

Row::Row(std::string event, std::string way) : event_{std::move(event)}, way_{std::move(way)} {}

Row::~Row() {
    holds_ = holds_ && std::uncaught_exceptions() == 0 && all_.requests > 0;
    lines().push_back(line(event_, way_, all_.requests, all_.failed(Kind::get), all_.failed(Kind::post),
                           all_.failed(Kind::stream), all_.longest.count(), holds_ ? "yes" : "NO", notes_));
    std::cout << lines().back() << std::endl;
}

void Row::must(bool holds, const std::string& what) {
    holds_ = holds_ && holds;
    INFO(event_ << ", " << way_ << ": " << what);
    CHECK(holds);
}

void Row::add(const Recording& recording) {
    all_.requests += recording.requests;
    all_.failures.insert(all_.failures.end(), recording.failures.begin(), recording.failures.end());
    all_.longest = std::max(all_.longest, recording.longest);
}

void Row::note(const std::string& text) {
    notes_ += (notes_.empty() ? "" : "; ") + text;
}

std::string to_text(const std::vector<Outcome>& outcomes) {
    constexpr std::size_t kShown = 10;
    static constexpr std::array kNames{"GET", "POST", "stream"};
    std::ostringstream text;
    text << outcomes.size() << " of them";
    for (std::size_t i = 0; i < std::min(outcomes.size(), kShown); ++i) {
        const auto& one = outcomes[i];
        text << "\n  " << kNames.at(static_cast<std::size_t>(one.kind)) << " " << one.id << " after "
             << std::chrono::duration_cast<milliseconds>(one.ended - one.sent).count() << " ms, ended at "
             << one.ended.time_since_epoch().count() / 1000000 << ": status " << one.status << ", "
             << one.problem.substr(0, 120);
    }
    return text.str();
}

}  // namespace chaos
