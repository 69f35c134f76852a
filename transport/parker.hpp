// Where one thread sleeps (parks) until another has something for it and wakes (unparks) it.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>

namespace zmqspdy::transport {

/// One sleeper, any number of wakers. A waker that finds nobody asleep pays one atomic load and no system
/// call. The sleeper may sleep on a futex (cheap) or, between prepare() and awake(), in poll() on a
/// descriptor of its own, so that it can await other descriptors as well.
class Parker {
  public:
    /// Sleeps until `ready()` or until `deadline`; returns what ready() says at the end.
    template <std::predicate Ready>
    bool wait_until(std::chrono::steady_clock::time_point deadline, Ready ready) {
        while (!ready()) {
            state_.store(kOnFutex, std::memory_order_seq_cst);
            if (ready()) {
                state_.store(kAwake, std::memory_order_relaxed);
                return true;
            }
            const bool in_time = sleep_until(deadline);
            state_.store(kAwake, std::memory_order_relaxed);
            if (!in_time)
                return ready();
        }
        return true;
    }

    /// Sleeper: it spins until end_spin(), and notify() only leaves word for called(). Look once more whether there is
    /// something already.
    void begin_spin() noexcept { state_.store(kSpinning, std::memory_order_seq_cst); }
    [[nodiscard]] bool called() const noexcept { return state_.load(std::memory_order_acquire) == kAwake; }
    void end_spin() noexcept { state_.store(kAwake, std::memory_order_relaxed); }

    /// Sleeper: from here on notify() writes to `event_fd` (an eventfd). Look once more whether there is
    /// something before sleeping in poll().
    void prepare(int event_fd) noexcept {
        event_fd_.store(event_fd, std::memory_order_relaxed);
        state_.store(kOnDescriptor, std::memory_order_seq_cst);
    }
    /// Sleeper: ends prepare(), and takes what was written. A waker that found us asleep but has not written yet is
    /// waited for: once this returns nobody writes to the descriptor, which may be closed.
    void awake() noexcept;

    /// Waker: call it after making ready() true.
    void notify() noexcept {
        if (state_.load(std::memory_order_seq_cst) != kAwake)
            wake();
    }

  private:
    static constexpr std::uint32_t kAwake = 0;
    static constexpr std::uint32_t kOnFutex = 1;
    static constexpr std::uint32_t kOnDescriptor = 2;
    static constexpr std::uint32_t kSpinning = 3;

    bool sleep_until(std::chrono::steady_clock::time_point deadline) noexcept;
    void wake() noexcept;

    std::atomic<std::uint32_t> state_{kAwake};
    std::atomic<int> event_fd_{-1};
};

}  // namespace zmqspdy::transport
