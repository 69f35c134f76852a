#include "worker/stop_signal.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <system_error>

namespace zmqspdy::serving {

namespace {

// A signal handler can only reach what is static. The eventfds are made once and never closed: a handler on
// another thread may be about to write to one.
struct Slot {
    std::atomic<int> fd{-1};
    std::atomic<bool> used{false};
    std::atomic<bool> come{false};
};
std::array<Slot, 64> slots;
std::mutex mutex;  // of what follows, and of giving slots out
std::size_t count = 0;
struct sigaction old_term;
struct sigaction old_int;
std::atomic<bool> installed{false};

void restore() noexcept {
    if (!installed.exchange(false))
        return;
    sigaction(SIGTERM, &old_term, nullptr);
    sigaction(SIGINT, &old_int, nullptr);
}

extern "C" void zmqspdy_on_stop_signal(int) noexcept {
    const int saved = errno;
    restore();
    for (Slot& slot : slots) {
        if (!slot.used.load())
            continue;
        slot.come.store(true);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(slot.fd.load(), &one, sizeof one);
    }
    errno = saved;
}

}  // namespace

StopSignal::StopSignal() : slot_{0} {
    static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
    const std::lock_guard lock{mutex};
    while (slot_ < slots.size() && slots[slot_].used.load())
        ++slot_;
    if (slot_ == slots.size())
        throw std::runtime_error("more than 64 workers in one process");
    Slot& slot = slots[slot_];
    if (slot.fd.load() < 0)
        slot.fd.store(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (slot.fd.load() < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    eventfd_t old = 0;
    (void)eventfd_read(slot.fd.load(), &old);
    slot.come.store(false);
    slot.used.store(true);
    if (count++ > 0)
        return;
    struct sigaction action {};
    action.sa_handler = zmqspdy_on_stop_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGINT);
    // First the old ones, completely: the handler may run as soon as it is installed.
    sigaction(SIGTERM, nullptr, &old_term);
    sigaction(SIGINT, nullptr, &old_int);
    installed.store(true);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
}

StopSignal::~StopSignal() {
    const std::lock_guard lock{mutex};
    slots[slot_].used.store(false);
    if (--count == 0)
        restore();
}

int StopSignal::fd() const noexcept {
    return slots[slot_].fd.load();
}

bool StopSignal::has_come() const noexcept {
    return slots[slot_].come.load();
}

}  // namespace zmqspdy::serving
