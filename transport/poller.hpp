// epoll over ZeroMQ's descriptors and our own.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::transport {

/// Edge-triggered, as ZMQ_FD asks: after an edge, and after every send or receive on a socket, look whether
/// there is more to receive until there is not. The cost of a wake-up does not grow with the number of
/// sockets.
class Poller {
  public:
    Poller();

    /// `token` comes back from wait() each time `fd` becomes readable. `fd` stays the caller's.
    void add(int fd, std::uint64_t token);
    void remove(int fd) noexcept;

    /// Sleeps until something is readable or `timeout` has passed (negative: for ever). Returns what is
    /// readable, valid until the next call; empty after a timeout or a signal.
    [[nodiscard]] std::span<const epoll_event> wait(std::chrono::milliseconds timeout);

  private:
    FileDescriptor epoll_;
    std::array<epoll_event, 64> events_{};
};

}  // namespace zmqspdy::transport
