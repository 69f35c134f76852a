// The two ends of a flow-control window (draft3-1 section 2.6.8), of a stream or of the session.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

/// What we may still send. Negative after the peer has made INITIAL_WINDOW_SIZE smaller.
class SendWindow {
  public:
    explicit SendWindow(std::int64_t size) noexcept : room_{size} {}

    [[nodiscard]] std::size_t room() const noexcept {
        return room_ > 0 ? static_cast<std::size_t>(room_) : 0;
    }
    void take(std::size_t size) noexcept { room_ -= static_cast<std::int64_t>(size); }
    /// False, and unchanged, when that would exceed the largest legal window.
    [[nodiscard]] bool adjust(std::int64_t delta) noexcept {
        if (room_ + delta > kMaxWindow)
            return false;
        room_ += delta;
        return true;
    }

  private:
    std::int64_t room_;
};

/// What the peer may still send, and what has been dealt with but not yet given back to it.
class ReceiveWindow {
  public:
    /// `tolerance`: how far the peer may overrun it because it may not know `size` yet.
    ReceiveWindow(std::uint32_t size, std::uint32_t tolerance) noexcept
        : size_{size}, room_{size}, floor_{-static_cast<std::int32_t>(tolerance)} {}

    /// False, and unchanged, when the peer overran the window.
    [[nodiscard]] bool take(std::uint32_t size) noexcept {
        if (room_ - static_cast<std::int64_t>(size) < floor_)
            return false;
        room_ -= size;
        return true;
    }
    /// The delta of the WINDOW_UPDATE that is due now, 0 if none: they go out for half a window at a time.
    /// Never gives back more than was taken.
    [[nodiscard]] std::uint32_t give_back(std::size_t size) noexcept {
        const auto taken = static_cast<std::size_t>(size_ - room_) - owed_;
        owed_ += static_cast<std::uint32_t>(std::min(size, taken));
        if (owed_ == 0 || owed_ < size_ / 2)
            return 0;
        room_ += owed_;
        return std::exchange(owed_, 0);
    }

  private:
    std::uint32_t size_;
    std::uint32_t owed_ = 0;
    std::int64_t room_;
    std::int32_t floor_;
};

}  // namespace zmqspdy::spdy
