// When a child that is to end has waited long enough for what it has.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace zmqspdy::router {

/// Measured from when the end began, as far as somebody looked: nobody has to wake this process to tell it. One thread at
/// a time.
class EndingTime {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds kNoLimit = std::chrono::milliseconds::max();

    /// `is_ending`: whether the end has begun; null: it never does.
    EndingTime(std::function<bool()> is_ending, std::chrono::milliseconds limit)
        : is_ending_{limit == kNoLimit ? nullptr : std::move(is_ending)},
          limit_{limit},
          between_looks_{
              std::clamp(limit / 8, std::chrono::milliseconds{10}, std::chrono::milliseconds{1000})} {}

    /// Looks whether the end has begun, unless it has a moment ago. True once that is `limit` ago.
    [[nodiscard]] bool is_over(Clock::time_point now) {
        if (!is_ending_ || now < next_look_)
            return false;
        if (end_ == Clock::time_point::max() && is_ending_())
            end_ = now + limit_;
        next_look_ = std::min(end_, now + between_looks_);
        return now >= end_;
    }
    /// When to ask again.
    [[nodiscard]] Clock::time_point next_look() const noexcept {
        return is_ending_ ? next_look_ : Clock::time_point::max();
    }

  private:
    std::function<bool()> is_ending_;
    std::chrono::milliseconds limit_;
    std::chrono::milliseconds between_looks_;
    Clock::time_point end_ = Clock::time_point::max();
    Clock::time_point next_look_;
};

}  // namespace zmqspdy::router
