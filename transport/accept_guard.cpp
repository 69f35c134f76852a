#include "transport/accept_guard.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <utility>

#include "transport/call_redirect.hpp"
#include "transport/file_descriptor.hpp"

namespace zmqspdy::transport {

namespace {

/// More than one: another thread may be quicker to take the descriptor that was given up.
constexpr std::size_t kReserve = 4;
/// When even that failed: the listener is readable still, and must not keep its thread busy.
constexpr int kPauseMs = 5;

class Reserve {
  public:
    /// Takes one connection of `listener` and closes it. False when that did not succeed.
    bool refuse(int listener) noexcept {
        const std::lock_guard lock{mutex_};
        bool refused = false;
        for (auto& spare : spares_) {
            if (!spare)
                continue;
            spare = {};
            const FileDescriptor connection{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
            refused = static_cast<bool>(connection) || errno == EAGAIN || errno == ECONNABORTED;
            if (refused)
                break;
        }
        fill();
        return refused;
    }

    /// True when there is a descriptor for each, and one more.
    bool replenish() noexcept {
        const std::lock_guard lock{mutex_};
        return fill() && FileDescriptor{open_spare()};
    }

  private:
    static int open_spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

    bool fill() noexcept {
        for (auto& spare : spares_) {
            if (!spare)
                spare = FileDescriptor{open_spare()};
            if (!spare)
                return false;
        }
        return true;
    }

    std::mutex mutex_;
    std::array<FileDescriptor, kReserve> spares_;
};

std::atomic<std::uint64_t> refused_count{0};

/// Never destroyed: libzmq's thread may outlive what is static.
Reserve& reserve() {
    static auto* const one = new Reserve;
    return *one;
}

bool is_shortage(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// What libzmq gets in place of accept4().
int accept_or_refuse(int listener, sockaddr* address, socklen_t* length, int flags) noexcept {
    const int accepted = ::accept4(listener, address, length, flags);
    if (accepted >= 0 || !is_shortage(errno))
        return accepted;
    if (reserve().refuse(listener))
        refused_count.fetch_add(1);
    else
        (void)::poll(nullptr, 0, kPauseMs);
    errno = ENFILE;
    return -1;
}

int accept_or_refuse_plain(int listener, sockaddr* address, socklen_t* length) noexcept {
    return accept_or_refuse(listener, address, length, 0);
}

/// libzmq calls us for as long as it is there: what this code is part of must not be unloaded before.
void stay_loaded() noexcept {
    Dl_info own{};
    if (::dladdr(reinterpret_cast<void*>(&accept_or_refuse), &own) != 0 && own.dli_fname != nullptr)
        (void)::dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

std::string limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
        return "";
    return " of " + std::to_string(files.rlim_cur);
}

}  // namespace

bool guard_accepts() {
    static const bool done = [] {
        stay_loaded();
        (void)reserve().replenish();
        return redirect_calls("libzmq", "accept4", reinterpret_cast<void*>(&accept_or_refuse)) +
                   redirect_calls("libzmq", "accept", reinterpret_cast<void*>(&accept_or_refuse_plain)) >
               0;
    }();
    return done;
}

std::uint64_t refused_connections() noexcept {
    return refused_count.load();
}

DescriptorNews::DescriptorNews(std::string whose, LogBudget::Write write)
    : whose_{std::move(whose)}, log_{std::move(write)} {}

void DescriptorNews::look() {
    const auto refused = refused_connections();
    if (refused != told_) {
        log_.line("none" + limit() + " descriptors is left: refused " + std::to_string(refused - told_) +
                  " of " + whose_ +
                  "; raise the limit (ulimit -n, LimitNOFILE=), or close files that are no longer needed");
        told_ = refused;
        short_ = true;
    } else if (short_ && reserve().replenish()) {
        short_ = false;
        log_.line("there are descriptors again: accepting " + whose_);
    }
    log_.settle();
}

}  // namespace zmqspdy::transport
