// Whose queue is next, of all children.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

#include "mod_zmqspdy/core/shared_time.hpp"

namespace zmqspdy::router {

/// The place of a waiting request among those of all children: by its priority, then by its time. One word, so that it can
/// be shared without a lock: 3 bits of priority, 45 of milliseconds, 16 that stand for the service.
class QueuePosition {
  public:
    /// Nobody waits.
    constexpr QueuePosition() noexcept = default;
    QueuePosition(std::uint8_t priority, std::chrono::steady_clock::time_point since,
                  std::string_view service) noexcept
        : word_{std::uint64_t{priority & 7U} << 61U |
                (static_cast<std::uint64_t>(to_shared(since)) & kTimeMask) << kServiceBits |
                (std::hash<std::string_view>{}(service)&kServiceMask)} {}

    /// True when this one must be served first, of two that wait for the same workers.
    [[nodiscard]] bool goes_before(QueuePosition other) const noexcept {
        return word_ != 0 && (word_ & kServiceMask) == (other.word_ & kServiceMask) &&
               word_ >> kServiceBits < other.word_ >> kServiceBits;
    }
    [[nodiscard]] bool is_for(std::string_view service) const noexcept {
        return word_ != 0 && (word_ & kServiceMask) == (std::hash<std::string_view>{}(service)&kServiceMask);
    }
    [[nodiscard]] bool operator==(const QueuePosition&) const noexcept = default;

    [[nodiscard]] static QueuePosition from_word(std::uint64_t word) noexcept {
        QueuePosition position;
        position.word_ = word;
        return position;
    }
    [[nodiscard]] std::uint64_t word() const noexcept { return word_; }

  private:
    static constexpr unsigned kServiceBits = 16;
    static constexpr std::uint64_t kServiceMask = 0xffff;
    static constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 45U) - 1;

    std::uint64_t word_ = 0;
};

}  // namespace zmqspdy::router
