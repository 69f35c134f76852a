// How many requests of a service wait, as the worker table has it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace zmqspdy::router {

/// How many requests of one service wait in one child. One word, so that it can be shared without a lock: 44 bits that stand
/// for the service, 20 of the count.
class WaitingCount {
  public:
    /// None of any service.
    constexpr WaitingCount() noexcept = default;
    WaitingCount(std::string_view service, std::size_t requests) noexcept
        : word_{requests == 0 ? 0
                              : key_of(service) << kCountBits | std::min<std::uint64_t>(requests, kMost)} {}

    /// How many of it are of `service`.
    [[nodiscard]] std::uint64_t of(std::string_view service) const noexcept {
        return word_ >> kCountBits == key_of(service) ? word_ & kMost : 0;
    }
    [[nodiscard]] static WaitingCount from_word(std::uint64_t word) noexcept {
        WaitingCount count;
        count.word_ = word;
        return count;
    }
    [[nodiscard]] std::uint64_t word() const noexcept { return word_; }
    /// What is counted at most.
    static constexpr std::uint64_t kMost = (std::uint64_t{1} << 20U) - 1;

  private:
    static constexpr unsigned kCountBits = 20;
    [[nodiscard]] static std::uint64_t key_of(std::string_view service) noexcept {
        return std::uint64_t{std::hash<std::string_view>{}(service)} >> kCountBits;
    }

    std::uint64_t word_ = 0;
};

}  // namespace zmqspdy::router
