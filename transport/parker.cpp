#include "transport/parker.hpp"

#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace zmqspdy::transport {

namespace {

// std::atomic::wait has no deadline in C++20, so the futex is called by its name.
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* deadline) {
    static_assert(sizeof(word) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
    return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, deadline, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

bool Parker::sleep_until(std::chrono::steady_clock::time_point deadline) noexcept {
    // steady_clock is CLOCK_MONOTONIC, which FUTEX_WAIT_BITSET's absolute deadline counts in. It takes no time before its
    // epoch, the machine's start, and would not sleep at all.
    const auto since = std::max(deadline.time_since_epoch(), std::chrono::steady_clock::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    const timespec at{.tv_sec = static_cast<time_t>(seconds.count()),
                      .tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count())};
    return futex(state_, FUTEX_WAIT_BITSET, kOnFutex, &at) == 0 || errno != ETIMEDOUT;
}

void Parker::awake() noexcept {
    if (state_.exchange(kAwake, std::memory_order_seq_cst) != kAwake)
        return;
    pollfd written{event_fd_.load(std::memory_order_relaxed), POLLIN, 0};
    while (poll(&written, 1, -1) < 0 && errno == EINTR) {
    }
    eventfd_t count = 0;
    (void)eventfd_read(written.fd, &count);
}

void Parker::wake() noexcept {
    switch (state_.exchange(kAwake, std::memory_order_seq_cst)) {
        case kOnFutex:
            futex(state_, FUTEX_WAKE, 1, nullptr);
            break;
        case kOnDescriptor:
            (void)eventfd_write(event_fd_.load(std::memory_order_relaxed), 1);
            break;
        default:
            break;
    }
}

}  // namespace zmqspdy::transport
