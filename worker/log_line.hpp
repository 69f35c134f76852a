// What a line of the worker's log looks like: `2026-11-27T17:43:22.123Z warning hello-1: text`.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "zmqspdy/log.hpp"

namespace zmqspdy::serving {

[[nodiscard]] std::string_view name_of(LogLevel level) noexcept;
/// Nothing for a word that names no level.
[[nodiscard]] std::optional<LogLevel> level_of(std::string_view name) noexcept;

/// One line with its end. The time is UTC with milliseconds (RFC 3339). Control characters in the texts become '?', so
/// that nobody writes a second line; a line that is longer than kMost bytes ends in "...".
class LogLine {
  public:
    static constexpr std::size_t kMost = 2048;

    LogLine(std::chrono::system_clock::time_point time, LogLevel level, std::string_view who,
            std::string_view text) noexcept;
    [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

  private:
    void append(std::string_view part) noexcept;
    void append_time(std::chrono::system_clock::time_point time) noexcept;

    std::array<char, kMost> bytes_;
    std::size_t size_ = 0;
};

}  // namespace zmqspdy::serving
