// The worker's log: lines on stderr.
#pragma once

#include <string>
#include <string_view>

namespace zmqspdy::serving {

/// Any thread.
class Log {
  public:
    /// `who` stands before each line; `fd` stays the caller's.
    explicit Log(std::string who, int fd = 2);

    /// One line: control characters in `text` become '?', an excessive length is cut.
    void line(std::string_view text) const noexcept;

  private:
    std::string who_;
    int fd_;
};

}  // namespace zmqspdy::serving
