#include "worker/log_line.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace zmqspdy::serving {

namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
constexpr std::string_view kCut = "...";

bool is_control(char c) {
    return (c >= '\0' && c < ' ') || c == '\x7f';
}

}  // namespace

std::string_view name_of(LogLevel level) noexcept {
    const auto index = static_cast<std::size_t>(level);
    return index < kNames.size() ? kNames[index] : "error";
}

std::optional<LogLevel> level_of(std::string_view name) noexcept {
    const auto* const found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end())
        return std::nullopt;
    return static_cast<LogLevel>(found - kNames.begin());
}

LogLine::LogLine(std::chrono::system_clock::time_point time, LogLevel level, std::string_view who,
                 std::string_view text) noexcept {
    append_time(time);
    for (const std::string_view part :
         {std::string_view{" "}, name_of(level), std::string_view{" "}, who, std::string_view{": "}, text})
        append(part);
    bytes_[size_++] = '\n';
}

void LogLine::append(std::string_view part) noexcept {
    const std::size_t room = bytes_.size() - 1 - size_;  // without the line's end
    const std::size_t taken = std::min(part.size(), room);
    char* const to = bytes_.data() + size_;
    std::replace_copy_if(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(taken), to, is_control,
                         '?');
    size_ += taken;
    if (taken < part.size())
        std::copy(kCut.begin(), kCut.end(), bytes_.data() + size_ - kCut.size());
}

void LogLine::append_time(std::chrono::system_clock::time_point time) noexcept {
    const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const std::time_t whole = seconds.count();
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    std::array<char, 80> text{};
    const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                                   utc.tm_sec, static_cast<int>((since_epoch - seconds).count()));
    append({text.data(), static_cast<std::size_t>(size)});
}

}  // namespace zmqspdy::serving
