#include "worker/stop_signal.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <system_error>

namespace zmqspdy::serving {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // ns
/// For how long further signals belong to the first. coreutils' timeout and foreman send two some milliseconds apart.
constexpr std::int64_t kSameStop = kSecond;

// A signal handler can only reach what is static. The eventfds are made once for each process and never closed in it: a
// handler on another thread may be about to write to one.
struct Slot {
    std::atomic<int> fd{-1};
    std::atomic<bool> used{false};
};
std::array<Slot, 64> slots;

struct Taken {
    int number;
    struct sigaction before {};
    std::atomic<bool> installed{false};
};
std::array<Taken, 2> signals{{{.number = SIGTERM}, {.number = SIGINT}}};

std::mutex mutex;  // of the count, and of giving slots out
std::size_t count = 0;
std::atomic<pid_t> owner{0};              // the process that has installed the handler
std::atomic<std::int64_t> first_came{0};  // ns of the monotonic clock; 0: none has come

static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now() noexcept {
    struct timespec time {};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * kSecond + time.tv_nsec;
}

bool belongs_to_first() noexcept {
    const std::int64_t first = first_came.load();
    return first != 0 && now() - first < kSameStop;
}

void restore(Taken& taken) noexcept {
    if (taken.installed.exchange(false))
        ::sigaction(taken.number, &taken.before, nullptr);
}

/// What the signal did before, from now on.
void pass_on(int number) noexcept {
    for (Taken& taken : signals) {
        if (taken.number != number)
            continue;
        const bool had_handler =
            taken.before.sa_handler != SIG_DFL && taken.before.sa_handler != SIG_IGN;  // NOLINT
        if (had_handler)
            ::sigaction(number, &taken.before, nullptr);
        else
            ::signal(number, SIG_DFL);
        sigset_t this_one;
        sigemptyset(&this_one);
        sigaddset(&this_one, number);
        ::raise(number);  // pending until the next line
        ::pthread_sigmask(SIG_UNBLOCK, &this_one, nullptr);
        if (!had_handler)
            ::_exit(128 + number);  // still here: the kernel takes no default action for PID 1
    }
}

void tell_workers() noexcept {
    const std::uint64_t one = 1;
    for (const Slot& slot : slots) {
        if (!slot.used.load())
            continue;
        [[maybe_unused]] const auto written = ::write(slot.fd.load(), &one, sizeof one);
    }
}

extern "C" void zmqspdy_on_stop_signal(int number) noexcept {
    const int saved = errno;
    std::int64_t none = 0;
    // A child that was forked without after_fork() has its parent's descriptors.
    const bool is_ours = ::getpid() == owner.load();
    if (is_ours && first_came.compare_exchange_strong(none, now()))
        tell_workers();
    else if (!is_ours || !belongs_to_first())
        pass_on(number);
    errno = saved;
}

void install() noexcept {
    struct sigaction action {};
    action.sa_handler = zmqspdy_on_stop_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const Taken& taken : signals)
        sigaddset(&action.sa_mask, taken.number);
    for (Taken& taken : signals) {
        if (taken.installed.load())
            continue;
        // First what was before, completely: the handler may run as soon as it is installed.
        ::sigaction(taken.number, nullptr, &taken.before);
        if (taken.number == SIGINT && taken.before.sa_handler == SIG_IGN)  // NOLINT
            continue;  // nohup, a background job of a shell
        taken.installed.store(true);
        ::sigaction(taken.number, &action, nullptr);
    }
}

/// A child that was forked has none of its parent's workers: signals to it must not reach those.
void after_fork() noexcept {
    for (Taken& taken : signals)
        restore(taken);
    for (Slot& slot : slots) {
        const int fd = slot.fd.exchange(-1);
        if (fd >= 0)
            ::close(fd);
        slot.used.store(false);
    }
    count = 0;
    first_came.store(0);
    mutex.unlock();
}

void watch_forks() {
    static const int failure =
        ::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { after_fork(); });
    if (failure != 0)
        throw std::system_error(failure, std::generic_category(), "pthread_atfork");
}

}  // namespace

StopSignal::StopSignal() : owner_{::getpid()} {
    watch_forks();
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
    slot.used.store(true);
    if (count++ > 0)
        return;
    owner.store(owner_);
    first_came.store(0);
    install();
}

StopSignal::~StopSignal() {
    if (::getpid() != owner_)
        return;
    const std::lock_guard lock{mutex};
    slots[slot_].used.store(false);
    if (--count > 0)
        return;
    // The second of two signals may be under way still, and must not end a process that has just stopped as it was told to.
    for (Taken& taken : signals) {
        if (!belongs_to_first() || taken.before.sa_handler != SIG_DFL)  // NOLINT
            restore(taken);
    }
}

int StopSignal::fd() const noexcept {
    return slots[slot_].fd.load();
}

}  // namespace zmqspdy::serving
