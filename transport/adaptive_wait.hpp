// How the threads of a process wait for their answers: they spin for a moment, then sleep.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <thread>
#include <utility>

#include "transport/parker.hpp"

namespace zmqspdy::transport {

/// A thread that waits alone spins for a moment before it sleeps. An idle machine's CPUs halt, and waking one of them costs
/// more than all else in a short request; while a thread spins, one CPU does not halt, and the threads that the request passes
/// find it awake. Each turn of the spin offers the CPU to other threads first. Where a spin does not help, because several
/// threads wait, answers take longer, or others need the CPU, the next waits go without one.
///
/// Any number of threads.
class AdaptiveWait {
  public:
    /// As Parker::wait_until(). `ready` throws nothing.
    template <std::predicate Ready>
    bool wait_until(Parker& parker, std::chrono::steady_clock::time_point deadline, Ready ready) {
        if (ready())
            return true;
        const bool alone = waiting_.fetch_add(1, std::memory_order_relaxed) == 0;
        if (!alone)
            cool_down();
        else if (!cools_down())
            spin(parker, deadline, ready);
        const bool happened = parker.wait_until(deadline, ready);
        waiting_.fetch_sub(1, std::memory_order_relaxed);
        return happened;
    }

    /// How many of the waits began with a spin.
    [[nodiscard]] std::uint64_t spins() const noexcept { return spins_.load(std::memory_order_relaxed); }

  private:
    using Clock = std::chrono::steady_clock;

    /// More than a short request takes on an idle machine that is slow to wake up.
    static constexpr std::chrono::microseconds kLongest{200};
    /// Others had the CPU for so long: it is not idle.
    static constexpr std::chrono::microseconds kTaken{100};
    /// Lone waits without a spin after one that did not help, or after a wait that was not alone.
    static constexpr std::uint32_t kCooldown = 32;

    template <std::predicate Ready>
    void spin(Parker& parker, Clock::time_point deadline, Ready& ready) {
        spins_.fetch_add(1, std::memory_order_relaxed);
        parker.begin_spin();
        auto now = Clock::now();
        const auto end = std::min(deadline, now + kLongest);
        bool helped = ready();
        while (!helped && now < end && waiting_.load(std::memory_order_relaxed) == 1) {
            std::this_thread::yield();
            helped = parker.called();
            const auto before = std::exchange(now, Clock::now());
            if (now - before > kTaken) {
                helped = false;
                break;
            }
        }
        parker.end_spin();
        if (!helped)
            cool_down();
    }
    bool cools_down() noexcept {
        const auto left = cooldown_.load(std::memory_order_relaxed);
        if (left != 0)
            cooldown_.store(left - 1, std::memory_order_relaxed);  // two at once may count as one
        return left != 0;
    }
    void cool_down() noexcept { cooldown_.store(kCooldown, std::memory_order_relaxed); }

    // All request threads change these: not on a line with what else they use.
    alignas(64) std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint32_t> cooldown_{0};
    std::atomic<std::uint64_t> spins_{0};
};

}  // namespace zmqspdy::transport
