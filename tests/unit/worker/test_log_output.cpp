// A log that nobody reads, or not fast enough.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "catch.hpp"
#include "child_process.hpp"
#include "transport/file_descriptor.hpp"
#include "worker/log.hpp"
#include "worker/standard_streams.hpp"

using test::in_child;
using test::kGood;
using zmqspdy::LogLevel;
using zmqspdy::serving::Log;
using zmqspdy::transport::FileDescriptor;

namespace {

struct Ends {
    FileDescriptor read;
    FileDescriptor write;
};

Ends make_ends(bool socket) {
    std::array<int, 2> ends{};
    REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data())
                    : ::pipe2(ends.data(), O_CLOEXEC)) == 0);
    return {FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

/// All that is there to read.
std::string take(int fd) {
    std::string text;
    std::array<char, 4096> piece{};
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    for (ssize_t size = 0; (size = ::read(fd, piece.data(), piece.size())) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(size));
    return text;
}

}  // namespace

TEST_CASE("a full log holds nobody up, and says later how much is missing", "[process]") {
    const bool socket = GENERATE(false, true);
    const Ends ends = make_ends(socket);
    const Log log{"test", ends.write.get()};
    constexpr int kLines = 10'000;
    const std::string filler(200, 'x');
    for (int i = 0; i < kLines; ++i)
        log.line(LogLevel::info, filler);  // a second of it would not fit
    const std::string first = take(ends.read.get());
    CHECK(first.ends_with(filler + "\n"));
    // Others write to the same pipe: whether they wait is not ours to change.
    CHECK((::fcntl(ends.write.get(), F_GETFL) & O_NONBLOCK) == 0);
    const auto written = std::count(first.begin(), first.end(), '\n');
    REQUIRE(written < kLines);
    log.line(LogLevel::info, "after it");
    const std::string second = take(ends.read.get());
    CHECK(second.find(std::to_string(kLines - written) + " lines are missing here") != std::string::npos);
    CHECK(second.ends_with("after it\n"));
    CHECK(std::count(second.begin(), second.end(), '\n') == 2);
    log.line(LogLevel::info, "and on");
    CHECK(take(ends.read.get()).find("missing") == std::string::npos);
}

TEST_CASE("a log without a reader kills nobody, and changes nothing for others", "[process]") {
    const bool socket = GENERATE(false, true);
    Ends ends = make_ends(socket);
    ends.read = FileDescriptor{};
    CHECK(in_child([&] {
              (void)std::signal(SIGPIPE, SIG_DFL);
              const Log log{"test", ends.write.get()};
              log.line(LogLevel::info, "nobody reads this");
              log.line(LogLevel::info, "nor this");
              if (std::signal(SIGPIPE, SIG_DFL) != SIG_DFL)  // NOLINT
                  return 1;
              sigset_t blocked;
              sigset_t pending;
              ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
              sigpending(&pending);
              if (sigismember(&blocked, SIGPIPE) != 0 || sigismember(&pending, SIGPIPE) != 0)
                  return 2;
              return kGood;
          }) == kGood);
}

TEST_CASE("standard streams that are closed are opened, and others are left alone", "[process]") {
    CHECK(in_child([] {
              ::close(STDIN_FILENO);
              ::close(STDERR_FILENO);
              const int out = ::fcntl(STDOUT_FILENO, F_GETFD);
              zmqspdy::serving::open_standard_streams();
              if (::fcntl(STDOUT_FILENO, F_GETFD) != out)
                  return 1;
              const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
              char byte = 0;
              return next > STDERR_FILENO && ::write(STDERR_FILENO, "x", 1) == 1 &&
                             ::read(STDIN_FILENO, &byte, 1) == 0
                         ? kGood
                         : 2;
          }) == kGood);
}
