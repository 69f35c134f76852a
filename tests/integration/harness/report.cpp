#include "harness/report.hpp"

#include <iostream>
#include <utility>
#include <vector>

#include "harness/catch_listener.hpp"

namespace harness {

namespace {

std::vector<std::pair<std::string, std::string>>& kept() {
    static std::vector<std::pair<std::string, std::string>> reports;
    return reports;
}

class PrintWhenFailed : public ListenerBase {
  public:
    using ListenerBase::ListenerBase;
    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        if (!stats.totals.testCases.allOk()) {
            for (const auto& [title, text] : kept()) {
                std::cerr << "--- " << title << " ---\n" << text << "\n";
            }
        }
        kept().clear();
        ListenerBase::testCaseEnded(stats);
    }
};

CATCH_REGISTER_LISTENER(PrintWhenFailed)

}  // namespace

void report(const std::string& title, const std::string& text) {
    if (!text.empty()) {
        kept().emplace_back(title, text);
    }
}

void complain(const std::string& what) noexcept {
    try {
        FAIL_CHECK(what);
    } catch (...) {
        std::cerr << what << "\n";
    }
}

}  // namespace harness
