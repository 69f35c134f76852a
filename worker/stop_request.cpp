#include "worker/stop_request.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace zmqspdy::serving {

StopRequest::~StopRequest() {
    if (fd_.load() >= 0)
        ::close(fd_.load());
}

int StopRequest::open() {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    const int inherited = fd_.exchange(fd);
    if (inherited >= 0)
        ::close(inherited);
    owner_.store(::getpid());
    if (requested_.load())
        (void)eventfd_write(fd, 1);
    return fd;
}

void StopRequest::request() noexcept {
    requested_.store(true);
    if (owner_.load() == ::getpid())
        (void)eventfd_write(fd_.load(), 1);
}

}  // namespace zmqspdy::serving
