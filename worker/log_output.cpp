#include "worker/log_output.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace zmqspdy::serving {

namespace {

/// While it exists this thread's writes to what nobody reads raise no SIGPIPE; what the process does about others stays.
class NoSigpipe {
  public:
    NoSigpipe() noexcept {
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;  // then it is blocked, too
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        if (!was_pending_)
            ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;
    ~NoSigpipe() {
        if (was_pending_)
            return;
        const int saved = errno;
        const timespec at_once{};
        while (::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = saved;
    }

  private:
    sigset_t sigpipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

ssize_t write_if_ready(int fd, std::string_view line) noexcept {
    pollfd wanted{fd, POLLOUT, 0};
    if (::poll(&wanted, 1, 0) != 1 || (wanted.revents & POLLOUT) == 0)
        return -1;
    return ::write(fd, line.data(), line.size());
}

ssize_t write_to_pipe(int fd, std::string_view line) noexcept {
    iovec piece{const_cast<char*>(line.data()), line.size()};  // NOLINT: it is only read
    const ssize_t written = ::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return written;
    // Of old kernels: another writer may fill the pipe between the two calls, which is rare, and waits as it always did.
    return write_if_ready(fd, line);
}

}  // namespace

bool LogOutput::write(std::string_view line) const noexcept {
    struct stat status {};
    if (::fstat(fd_, &status) != 0)
        return false;
    ssize_t written = -1;
    if (S_ISSOCK(status.st_mode)) {
        written = ::send(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (S_ISREG(status.st_mode)) {
        written = ::write(fd_, line.data(), line.size());
    } else {
        const NoSigpipe none;
        written = S_ISFIFO(status.st_mode) ? write_to_pipe(fd_, line) : write_if_ready(fd_, line);
    }
    return written == static_cast<ssize_t>(line.size());
}

}  // namespace zmqspdy::serving
