// The registry's lines, from one process to whichever reads.
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "mod_zmqspdy/core/log_relay.hpp"
#include "transport/file_descriptor.hpp"

using namespace zmqspdy::router;
using zmqspdy::transport::FileDescriptor;

namespace {

struct Relay {
    explicit Relay(std::array<int, 2> sockets = open_log_relay()) : front{sockets[0]}, back{sockets[1]} {}
    FileDescriptor front;
    FileDescriptor back;

    std::vector<std::pair<LogLevel, std::string>> read() const {
        std::vector<std::pair<LogLevel, std::string>> lines;
        drain_log(back.get(),
                  [&](LogLevel level, const std::string& line) { lines.emplace_back(level, line); });
        return lines;
    }
};

}  // namespace

TEST_CASE("log relay: lines arrive whole, in order, with their levels") {
    const Relay relay;
    LogSender sender(relay.front.get());
    CHECK(relay.read().empty());
    sender.send(LogLevel::error, "one\ntwo");
    sender.send(LogLevel::debug, "");
    const auto lines = relay.read();
    REQUIRE(lines.size() == 2);
    CHECK((lines[0] == std::pair{LogLevel::error, std::string("one\ntwo")}));
    CHECK((lines[1] == std::pair{LogLevel::debug, std::string()}));
}

TEST_CASE("log relay: without a reader the sender never waits, keeps what it may, and counts the rest") {
    const Relay relay;
    LogSender sender(relay.front.get());
    constexpr std::size_t kSent = 50000;
    for (std::size_t i = 0; i < kSent; ++i)
        sender.send(LogLevel::notice, "line " + std::to_string(i));
    std::size_t next = 0;
    std::string last;
    for (bool more = true; more;) {
        const auto lines = relay.read();
        more = !lines.empty();
        for (const auto& [level, line] : lines) {
            if (level == LogLevel::warning)
                last = line;
            else
                CHECK(line == "line " + std::to_string(next++));
        }
        sender.flush();
    }
    CHECK(next >= LogSender::kMostKept);
    REQUIRE(next < kSent);
    CHECK(last.starts_with(std::to_string(kSent - next) + " lines of the registry were lost"));
}

TEST_CASE("log relay: what libzmq writes to standard error is an error of the registry") {
    const Relay relay;
    REQUIRE(::write(relay.front.get(), "Assertion failed\n", 17) == 17);
    const auto lines = relay.read();
    REQUIRE(lines.size() == 1);
    CHECK((lines[0] == std::pair{LogLevel::error, std::string("the registry says: Assertion failed")}));
}
