// The worker's log: lines on stderr.
#pragma once

#include <string>
#include <string_view>

#include "zmqspdy/log.hpp"

namespace zmqspdy::serving {

/// Any thread.
class Log {
  public:
    /// `who` stands in each line; what matters less than `least` is left out; `fd` stays the caller's.
    explicit Log(std::string who, int fd = 2, LogLevel least = LogLevel::info);

    /// Writes one line; see LogLine for what becomes of `text`.
    void line(LogLevel level, std::string_view text) const noexcept;

  private:
    std::string who_;
    int fd_;
    LogLevel least_;
};

}  // namespace zmqspdy::serving
