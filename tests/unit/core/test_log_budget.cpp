// What peers can make us log.
#include <string>
#include <vector>

#include "catch.hpp"
#include "transport/endpoint.hpp"
#include "transport/log_budget.hpp"

using namespace zmqspdy::transport;
using namespace std::chrono_literals;

TEST_CASE("a peer's text is cut and made visible") {
    CHECK(printable("plain text") == "plain text");
    CHECK(printable(std::string_view("a\nb\0\xff\x7f", 6)) == "a\\x0ab\\x00\\xff\\x7f");
    CHECK(printable(std::string(100, 'x')) == std::string(100, 'x'));
    CHECK(printable(std::string(16000, 'x')) == std::string(100, 'x') + "...");
    CHECK(printable("abcdef", 3) == "abc...");
    const auto parsed = parse_endpoint("nonsense\n" + std::string(16000, 'x'));
    CHECK(std::get<EndpointError>(parsed).why.size() < 250);
    CHECK(std::get<EndpointError>(parsed).why.find('\n') == std::string::npos);
}

TEST_CASE("lines that a peer causes are some at once, then one a second, and all are counted") {
    std::vector<std::string> lines;
    LogBudget budget([&lines](const std::string& line) { lines.push_back(line); });
    auto now = LogBudget::Clock::now() + 1s;
    for (int i = 0; i < 100'000; ++i)
        budget.line("no", now);
    CHECK(lines == std::vector<std::string>(LogBudget::kBurst, "no"));
    budget.settle(now);
    CHECK(lines.size() == LogBudget::kBurst);
    now += 1s;
    budget.line("still no", now);
    CHECK(lines.back() == "still no (and 99980 more like this one before it)");
    SECTION("the end of a flood is told as well") {
        budget.line("one", now);
        budget.line("two", now);
        budget.line("three", now);
        budget.settle(now + 500ms);
        CHECK(lines.size() == LogBudget::kBurst + 1);
        budget.settle(now + 1s);
        CHECK(lines.back() == "three (and 2 more like this one before it)");
        budget.settle(now + 10s);
        CHECK(lines.size() == LogBudget::kBurst + 2);
    }
    SECTION("an hour of it is a line a second") {
        for (int i = 0; i < 36'000; ++i)
            budget.line("no", now += 100ms);
        CHECK(lines.size() == LogBudget::kBurst + 1 + 3600);
    }
    SECTION("peace gives all of it back, and no more") {
        now += 1h;
        for (int i = 0; i < 100; ++i)
            budget.line("no", now);
        CHECK(lines.size() == 2 * LogBudget::kBurst + 1);
    }
}
