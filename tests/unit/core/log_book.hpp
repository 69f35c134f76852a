// Log lines, kept for the test to read.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

/// Lines come from any thread.
class LogBook {
  public:
    void write(std::string line);
    /// Waits until a line contains `text`; false when none does in time.
    [[nodiscard]] bool await(std::string_view text, std::size_t times = 1) const;
    /// How many lines contain `text`.
    [[nodiscard]] std::size_t count(std::string_view text) const;
    /// All lines, for messages about what went wrong.
    [[nodiscard]] std::string text() const;

  private:
    [[nodiscard]] std::size_t count_locked(std::string_view text) const;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::vector<std::string> lines_;
};
