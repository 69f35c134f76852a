// Numbers in what clients send.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace zmqspdy {

/// What parse_number() can make: char and bool are no numbers.
template <typename T>
concept Number = std::floating_point<T> ||
    (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t>);

/// All of `text` as a decimal number: '-' if it is negative, digits, and for floating-point types a fraction and an exponent. Nothing
/// when it is anything else, or does not fit: no '+', no spaces, no infinity.
template <Number T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) noexcept {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(value))
            return std::nullopt;
    }
    return value;
}

}  // namespace zmqspdy
