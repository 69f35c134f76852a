// Where the lines of a log go.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace zmqspdy::serving {

/// A descriptor that others may share, whoever reads from it: a write never waits, and never raises SIGPIPE. Its flags stay
/// as they are, since O_NONBLOCK would hold for the other processes as well. Any thread.
class LogOutput {
  public:
    /// `fd` stays the caller's.
    explicit LogOutput(int fd) noexcept : fd_{fd} {}

    /// Writes all of `line`, at most PIPE_BUF bytes, or nothing of it. False: nobody reads, or not fast enough.
    [[nodiscard]] bool write(std::string_view line) const noexcept;

    /// How many lines were lost since the last call.
    [[nodiscard]] std::uint64_t take_lost() noexcept { return lost_.exchange(0); }
    void lose(std::uint64_t lines) noexcept { lost_ += lines; }

  private:
    const int fd_;
    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace zmqspdy::serving
