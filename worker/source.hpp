// A ZeroMQ socket that requests come through, as the I/O thread's loop sees it.
#pragma once

#include <chrono>
#include <cstdint>

#include "transport/poller.hpp"

namespace zmqspdy::serving {

/// The tokens that a source gives its descriptors in the Poller.
struct Tokens {
    std::uint64_t socket;
    std::uint64_t monitor;
};

/// I/O thread only. What is done with a source may make its socket ready again without a further edge (see
/// transport::Poller), so it is received from until it is no longer hot.
class Source {
  public:
    using Clock = std::chrono::steady_clock;

    virtual ~Source() = default;

    /// There may be something to receive.
    void wake_socket() noexcept { socket_hot_ = true; }
    void wake_monitor() noexcept { monitor_hot_ = true; }
    [[nodiscard]] bool is_hot() const noexcept { return socket_hot_ || monitor_hot_; }
    [[nodiscard]] bool is_socket_hot() const noexcept { return socket_hot_; }
    [[nodiscard]] bool is_monitor_hot() const noexcept { return monitor_hot_; }

    /// Receives a bounded batch.
    virtual void receive() = 0;
    /// Sends what that, and the commands of handlers, have brought about.
    virtual void flush() = 0;
    /// When on_time() is due.
    [[nodiscard]] virtual Clock::time_point deadline() const = 0;
    virtual void on_time(Clock::time_point now) = 0;
    /// Once for each heartbeat, for the sessions of children.
    virtual void heartbeat() = 0;
    /// GOAWAY to everybody.
    virtual void drain() = 0;
    /// RST_STREAM for every request that is left.
    virtual void break_off() = 0;
    /// The last words, and a PING after them: ZeroMQ's lingering empties its queues, but may close a connection with a
    /// message half written.
    virtual void leave() = 0;
    /// Everybody has acknowledged that, or gone.
    [[nodiscard]] virtual bool has_left() const = 0;

  protected:
    /// Messages in a row before handlers and other sources get their turn.
    static constexpr int kBatch = 128;

    bool socket_hot_ = true;
    bool monitor_hot_ = true;
};

}  // namespace zmqspdy::serving
