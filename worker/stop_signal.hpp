// SIGTERM and SIGINT, for as long as workers run.
#pragma once

#include <cstddef>

namespace zmqspdy::serving {

/// While one exists, the first SIGTERM or SIGINT makes fd() readable and restores what these signals did
/// before: the second one ends the process at once, if that is what they did. Any number may exist at once,
/// each in one thread; the signal reaches all of them.
class StopSignal {
  public:
    /// Throws std::system_error, or std::runtime_error when there are more than 64.
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    [[nodiscard]] int fd() const noexcept;
    /// True once the signal has come.
    [[nodiscard]] bool has_come() const noexcept;

  private:
    std::size_t slot_;
};

}  // namespace zmqspdy::serving
