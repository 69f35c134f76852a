#include "transport/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace zmqspdy::transport {

Poller::Poller() : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
    if (!epoll_)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

void Poller::add(int fd, std::uint64_t token) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = token;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void Poller::remove(int fd) noexcept {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const epoll_event> Poller::wait(std::chrono::milliseconds timeout) {
    const auto limited =
        std::min<std::chrono::milliseconds::rep>(timeout.count(), std::numeric_limits<int>::max());
    const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                   limited < 0 ? -1 : static_cast<int>(limited));
    if (count < 0) {
        if (errno == EINTR)
            return {};
        throw std::system_error(errno, std::generic_category(), "epoll_wait");
    }
    return {events_.data(), static_cast<std::size_t>(count)};
}

}  // namespace zmqspdy::transport
