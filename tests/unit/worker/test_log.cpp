// Lines of the worker's log.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "catch.hpp"
#include "transport/file_descriptor.hpp"
#include "worker/log.hpp"
#include "worker/log_line.hpp"

using zmqspdy::LogLevel;
using zmqspdy::serving::Log;
using zmqspdy::serving::LogLine;

namespace {

constexpr std::chrono::system_clock::time_point kTime{std::chrono::milliseconds{1'795'801'402'007}};

std::string line(std::string_view text, LogLevel level = LogLevel::info) {
    return std::string(LogLine{kTime, level, "shop-1", text}.bytes());
}

}  // namespace

TEST_CASE("a line of the log has the time in UTC, the level and the worker's name") {
    CHECK(line("open") == "2026-11-27T17:43:22.007Z info shop-1: open\n");
    CHECK(line("", LogLevel::debug) == "2026-11-27T17:43:22.007Z debug shop-1: \n");
    CHECK(line("x", LogLevel::warning) == "2026-11-27T17:43:22.007Z warning shop-1: x\n");
    CHECK(line("x", LogLevel::error) == "2026-11-27T17:43:22.007Z error shop-1: x\n");
}

TEST_CASE("no text makes a second line of the log, or one without end") {
    using namespace std::string_view_literals;
    CHECK(line("a\nb\r\0c\x1b[1m\x7f"sv) == "2026-11-27T17:43:22.007Z info shop-1: a?b??c?[1m?\n");
    CHECK(line("gr\xc3\xbc\xc3\x9f") == "2026-11-27T17:43:22.007Z info shop-1: gr\xc3\xbc\xc3\x9f\n");
    const std::size_t head = line("").size();
    CHECK(line(std::string(LogLine::kMost - head, 'x')).ends_with("xx\n"));
    const std::string cut = line(std::string(LogLine::kMost - head + 1, 'x'));
    CHECK(cut.size() == LogLine::kMost);
    CHECK(cut.ends_with("x...\n"));
    CHECK(line(std::string(100'000, '\n')).size() == LogLine::kMost);
}

TEST_CASE("what matters less than the log's level stays out of it") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    const zmqspdy::transport::FileDescriptor read{ends[0]};
    const zmqspdy::transport::FileDescriptor write{ends[1]};
    const Log log{"shop-1", write.get(), LogLevel::warning};
    log.line(LogLevel::debug, "one");
    log.line(LogLevel::info, "two");
    log.line(LogLevel::warning, "three");
    log.line(LogLevel::error, "four");
    std::array<char, 4096> text{};
    const auto size = ::read(read.get(), text.data(), text.size());
    REQUIRE(size > 0);
    const std::string_view written{text.data(), static_cast<std::size_t>(size)};
    CHECK(std::count(written.begin(), written.end(), '\n') == 2);
    CHECK(written.find("warning shop-1: three\n") != std::string_view::npos);
    CHECK(written.find("error shop-1: four\n") != std::string_view::npos);
}
