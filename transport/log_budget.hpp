// What peers can make us log: short pieces of their text, and few lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace zmqspdy::transport {

/// A peer's text as it may stand in a log line: cut after `most` bytes, and whatever is not visible ASCII written as \xNN.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 100);

/// The log for lines of one kind that a peer can cause as often as it likes: some at once, then one a second, which tells how
/// many were left out before it. One thread.
class LogBudget {
  public:
    using Clock = std::chrono::steady_clock;
    using Write = std::function<void(const std::string& line)>;
    /// Lines that may come at once; a line more for each second without one.
    static constexpr std::uint32_t kBurst = 20;

    explicit LogBudget(Write write);

    void line(std::string text, Clock::time_point now = Clock::now());
    /// Writes the last line that was left out, with how many there were, once there is room for it. Called now and then, so
    /// that the end of a flood is told as well.
    void settle(Clock::time_point now = Clock::now());

  private:
    [[nodiscard]] bool has_room(Clock::time_point now) noexcept;

    Write write_;
    std::chrono::nanoseconds saved_ = std::chrono::seconds{kBurst};  // each line costs a second
    Clock::time_point last_look_ = Clock::now();
    std::uint64_t left_out_ = 0;
    std::string last_left_out_;
};

}  // namespace zmqspdy::transport
