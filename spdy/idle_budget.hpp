// Bounds the frames that make us work but bring nothing: the answer to PING, SETTINGS, RST and empty DATA
// floods.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zmqspdy::spdy {

class IdleBudget {
  public:
    /// One DATA frame of a few bytes costs this; any other idle frame costs kFrame.
    static constexpr double kTinyData = 1.0 / 16;
    static constexpr double kFrame = 1.0;

    explicit IdleBudget(std::uint32_t per_second) noexcept
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

}  // namespace zmqspdy::spdy
