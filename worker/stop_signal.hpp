// SIGTERM and SIGINT, for as long as workers run.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace zmqspdy::serving {

/// While one exists, the first SIGTERM or SIGINT makes fd() readable. Another one within a second is the same stop, since
/// some programs send two; one after that does what it did before this existed, which ends the process if that was
/// the default action, also where the kernel spares a process that it would otherwise end (PID 1): the exit code is 128
/// + the signal's number then. A SIGINT that was ignored stays ignored. Any number may exist at once, each in one thread;
/// the signal reaches all of them, but never those of a process that forked this one.
class StopSignal {
  public:
    /// Throws std::system_error, or std::runtime_error when there are more than 64.
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    [[nodiscard]] int fd() const noexcept;

  private:
    const pid_t owner_;
    std::size_t slot_ = 0;
};

}  // namespace zmqspdy::serving
