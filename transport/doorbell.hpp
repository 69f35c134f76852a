// Wakes a thread that sleeps in epoll, and only then.
#pragma once

#include <atomic>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::transport {

/// ring() from any thread; the rest from the owner's.
class Doorbell {
  public:
    Doorbell();

    /// Becomes readable when somebody rings while the owner sleeps.
    [[nodiscard]] int fd() const noexcept { return event_.get(); }

    void ring() noexcept {
        if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst))
            write();
    }

    /// Owner, before it sleeps: rings go to fd() from here on. Look once more for work after this.
    void about_to_sleep() noexcept { asleep_.store(true, std::memory_order_seq_cst); }
    void awake() noexcept { asleep_.store(false, std::memory_order_relaxed); }
    /// Makes fd() unreadable again.
    void clear() noexcept;

  private:
    void write() noexcept;

    FileDescriptor event_;
    std::atomic<bool> asleep_{false};
};

}  // namespace zmqspdy::transport
