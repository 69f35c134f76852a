// The worker's log: lines on stderr.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "worker/log_output.hpp"
#include "zmqspdy/log.hpp"

namespace zmqspdy::serving {

/// Any thread.
class Log {
  public:
    /// `who` stands in each line; what matters less than `least` is left out; `fd` stays the caller's.
    explicit Log(std::string who, int fd = 2, LogLevel least = LogLevel::info);

    /// Writes one line, or counts it as lost, and never waits; see LogLine for what becomes of `text`.
    void line(LogLevel level, std::string_view text) const noexcept;
    /// Says how many lines were lost, if any. Called now and then, and by each line.
    void settle() const noexcept;

  private:
    [[nodiscard]] bool write(LogLevel level, std::string_view text) const noexcept;

    std::string who_;
    std::shared_ptr<LogOutput> output_;  // of all copies
    LogLevel least_;
};

}  // namespace zmqspdy::serving
