// The registry's log lines on their way to those that have the logs of the present configuration: the registry outlives
// restarts, so that its own become those of a configuration that has gone.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <string>

#include "mod_zmqspdy/core/log.hpp"

namespace zmqspdy::router {

/// A pair of connected sockets that keep messages apart and never block: lines go in at the front one.
/// Throws std::system_error.
[[nodiscard]] std::array<int, 2> open_log_relay();

/// Belongs to one thread. `fd` stays the caller's.
class LogSender {
  public:
    explicit LogSender(int fd) : fd_{fd} {}

    /// Never waits: what the socket has no room for is kept, up to kMostKept lines, then counted.
    void send(LogLevel level, const std::string& line);
    /// Sends what was kept, as far as there is room now.
    void flush();

    static constexpr std::size_t kMostKept = 1000;

  private:
    [[nodiscard]] bool try_send(const std::string& message) const;

    int fd_;
    std::deque<std::string> kept_;
    std::size_t lost_ = 0;
};

/// Gives `log` all lines that wait at the back one of the sockets. What was not written by a LogSender, but to the
/// registry's standard error, is an error.
void drain_log(int fd, const Log& log);

}  // namespace zmqspdy::router
