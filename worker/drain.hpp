// How long a worker that has been told to end lets its requests go on, and what it says meanwhile.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace zmqspdy::serving {

/// One thread.
class Drain {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Drain(std::chrono::seconds limit) noexcept : limit_{limit} {}

    void begin(Clock::time_point now) noexcept;
    /// Requests may not go on any longer.
    [[nodiscard]] bool is_over(Clock::time_point now) const noexcept { return now >= end_; }
    /// When there is something to say or to do; never before begin().
    [[nodiscard]] Clock::time_point deadline() const noexcept { return next_ < end_ ? next_ : end_; }
    /// Now and then a line for the log: how many requests are left, and how long they may go on. After a second, then less
    /// and less often, down to every ten minutes.
    [[nodiscard]] std::optional<std::string> progress(Clock::time_point now, std::size_t open);
    /// The line when it is over.
    [[nodiscard]] std::string verdict(std::size_t open) const;

  private:
    const std::chrono::seconds limit_;
    Clock::time_point end_ = Clock::time_point::max();
    Clock::time_point next_ = Clock::time_point::max();
    std::chrono::seconds pause_{1};
};

}  // namespace zmqspdy::serving
