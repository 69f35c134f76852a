// Bounds the frames that are lawful but make us work and bring nothing (glitches): the answer to PING, SETTINGS, RST and empty DATA
// floods.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace zmqspdy::spdy {

class GlitchLimiter {
  public:
    /// One DATA frame of a few bytes costs this; any other glitch costs kFrame.
    static constexpr double kTinyData = 1.0 / 16;
    static constexpr double kFrame = 1.0;

    explicit GlitchLimiter(std::uint32_t per_second) noexcept
        : per_second_{static_cast<double>(per_second)}, left_{2 * per_second_} {}

    /// False once the peer has spent more than it had.
    [[nodiscard]] bool spend(double cost) noexcept {
        left_ -= cost;
        return left_ >= 0;
    }
    void refill(double seconds) noexcept {
        if (seconds > 0)  // also keeps a NaN out
            left_ = std::min(2 * per_second_, left_ + seconds * per_second_);
    }

  private:
    double per_second_;
    double left_;
};

/// Tells WINDOW_UPDATEs that answer to DATA of ours, and so are no flood, from those that do not. One serves all
/// streams, as the last updates of a stream tend to come when it is closed here.
class UpdateAllowance {
  public:
    explicit UpdateAllowance(std::uint32_t least) noexcept : least_{least} {}

    void sent(std::size_t size) noexcept { unanswered_ = std::min(unanswered_ + size, kMost); }
    /// True when `delta` bytes were sent and not given back yet; an update of less than `least` is never free.
    [[nodiscard]] bool settle(std::uint32_t delta) noexcept {
        if (delta < least_ || delta > unanswered_)
            return false;
        unanswered_ -= delta;
        return true;
    }

  private:
    /// Streams that need no updates add up, but not to a licence for ever.
    static constexpr std::uint64_t kMost = std::uint64_t{64} << 20;

    std::uint64_t unanswered_ = 0;
    std::uint32_t least_;
};

}  // namespace zmqspdy::spdy
