// Worker::stop(): from any thread and any signal handler to the loop of its own process.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace zmqspdy::serving {

/// A worker may be made before fork() and run in several processes, and what a handler forks has a copy of one that runs: a
/// descriptor belongs to the process that runs the worker, and a request reaches no other.
class StopRequest {
  public:
    StopRequest() = default;
    ~StopRequest();
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;

    /// For this process: a descriptor that is readable once a stop is or was requested. It stays open as long as this
    /// object, for a request may be under way. Throws std::system_error.
    [[nodiscard]] int open();
    void request() noexcept;

  private:
    std::atomic<bool> requested_{false};
    std::atomic<int> fd_{-1};
    std::atomic<pid_t> owner_{0};
};

}  // namespace zmqspdy::serving
