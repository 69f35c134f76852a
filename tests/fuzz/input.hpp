// Reads a fuzzer's input as a program: small numbers and runs of bytes, zeros when it has ended.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) noexcept
        : rest_{std::as_bytes(std::span{data, size})} {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::uint8_t u8() noexcept {
        if (rest_.empty())
            return 0;
        const auto value = std::to_integer<std::uint8_t>(rest_[0]);
        rest_ = rest_.subspan(1);
        return value;
    }
    [[nodiscard]] std::uint32_t u16() noexcept {
        const std::uint32_t high = u8();
        return high << 8 | u8();
    }
    [[nodiscard]] std::span<const std::byte> bytes(std::size_t size) noexcept {
        const auto taken = rest_.first(std::min(size, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    std::span<const std::byte> rest_;
};

/// A broken promise of the codec.
inline void require(bool holds) noexcept {
    if (!holds)
        __builtin_trap();
}
