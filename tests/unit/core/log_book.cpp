#include "log_book.hpp"

#include <algorithm>

#include "eventually.hpp"

void LogBook::write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
}

bool LogBook::await(std::string_view text, std::size_t times) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return count_locked(text) >= times; });
}

std::size_t LogBook::count(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    return count_locked(text);
}

std::string LogBook::text() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& line : lines_)
        all += line + "\n";
    return all;
}

std::size_t LogBook::count_locked(std::string_view text) const {
    return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
        return line.find(text) != std::string::npos;
    }));
}
