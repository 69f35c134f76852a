// The dates of HTTP: RFC 9110, 5.6.7. In UTC and in English, whatever the locale.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace zmqspdy {

/// Reads all three formats: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`. A year of two digits is the one that is at most 50 years after `now`. The day
/// of the week must be one, and need not be the right one. Nothing when malformed.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(
    std::string_view text, std::chrono::sys_seconds now = std::chrono::floor<std::chrono::seconds>(
                               std::chrono::system_clock::now())) noexcept;

/// As IMF-fixdate, the first of the formats. Throws std::invalid_argument for a year that has not four
/// digits: before 0 or after 9999.
[[nodiscard]] std::string format_http_date(std::chrono::sys_seconds time);

}  // namespace zmqspdy
