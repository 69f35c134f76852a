#include "transport/log_budget.hpp"

#include <algorithm>
#include <utility>

namespace zmqspdy::transport {

namespace {

constexpr std::chrono::seconds kPrice{1};

std::string with_count(std::string line, std::uint64_t left_out) {
    if (left_out == 0)
        return line;
    return std::move(line) + " (and " + std::to_string(left_out) + " more like this one before it)";
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string safe;
    for (const char c : text.substr(0, most)) {
        if (c >= ' ' && c < 0x7f) {
            safe += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        safe += "\\x";
        safe += kDigits[byte >> 4U];
        safe += kDigits[byte & 0xfU];
    }
    if (text.size() > most)
        safe += "...";
    return safe;
}

LogBudget::LogBudget(Write write) : write_{std::move(write)} {}

bool LogBudget::has_room(Clock::time_point now) noexcept {
    const auto passed = std::max(now - last_look_, Clock::duration::zero());
    last_look_ = std::max(now, last_look_);
    saved_ = std::min<std::chrono::nanoseconds>(saved_ + passed, std::chrono::seconds{kBurst});
    if (saved_ < kPrice)
        return false;
    saved_ -= kPrice;
    return true;
}

void LogBudget::line(std::string text, Clock::time_point now) {
    if (!has_room(now)) {
        ++left_out_;
        last_left_out_ = std::move(text);
        return;
    }
    write_(with_count(std::move(text), std::exchange(left_out_, 0)));
}

void LogBudget::settle(Clock::time_point now) {
    if (left_out_ != 0 && has_room(now))
        write_(with_count(std::move(last_left_out_), std::exchange(left_out_, 0) - 1));
}

}  // namespace zmqspdy::transport
