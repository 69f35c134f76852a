#include "transport/doorbell.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace zmqspdy::transport {

Doorbell::Doorbell() : event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    if (!event_)
        throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Doorbell::write() noexcept {
    (void)eventfd_write(event_.get(), 1);
}

void Doorbell::clear() noexcept {
    eventfd_t count = 0;
    (void)eventfd_read(event_.get(), &count);
}

}  // namespace zmqspdy::transport
