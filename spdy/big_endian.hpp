// Network byte order, as every integer of SPDY/3 has it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zmqspdy::spdy {

[[nodiscard]] inline std::uint32_t read_u24(const std::byte* at) noexcept {
    return std::to_integer<std::uint32_t>(at[0]) << 16 | std::to_integer<std::uint32_t>(at[1]) << 8 |
           std::to_integer<std::uint32_t>(at[2]);
}

[[nodiscard]] inline std::uint32_t read_u32(const std::byte* at) noexcept {
    return std::to_integer<std::uint32_t>(at[0]) << 24 | read_u24(at + 1);
}

inline void write_u24(std::byte* at, std::uint32_t value) noexcept {
    at[0] = static_cast<std::byte>(value >> 16);
    at[1] = static_cast<std::byte>(value >> 8);
    at[2] = static_cast<std::byte>(value);
}

inline void write_u32(std::byte* at, std::uint32_t value) noexcept {
    at[0] = static_cast<std::byte>(value >> 24);
    write_u24(at + 1, value);
}

}  // namespace zmqspdy::spdy
