#include "harness/forwarder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "transport/file_descriptor.hpp"

namespace harness {

namespace {

using zmqspdy::transport::FileDescriptor;

FileDescriptor make_socket() {
    return FileDescriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

}  // namespace

class Forwarder::Impl {
  public:
    Impl(std::uint16_t to_port, std::string from, std::string to)
        : from_{std::move(from)},
          to_{std::move(to)},
          to_port_{to_port},
          listener_{make_socket()},
          stop_{::eventfd(0, EFD_CLOEXEC)} {
        auto address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_.get(), 16) != 0 ||
            ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::system_error{errno, std::generic_category(), "a forwarder"};
        port = ntohs(address.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~Impl() {
        (void)eventfd_write(stop_.get(), 1);
        thread_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::uint16_t port = 0;

  private:
    void serve() {
        while (true) {
            std::array<pollfd, 2> ready{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
            (void)::poll(ready.data(), ready.size(), -1);
            if (ready[1].revents != 0)
                return;
            const FileDescriptor client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            const FileDescriptor server{make_socket()};
            const auto address = loopback(to_port_);
            if (client &&
                ::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
                forward(client.get(), server.get());
        }
    }

    /// Until one of the two ends, or this does.
    void forward(int client, int server) const {
        std::array<char, 65536> bytes;
        while (true) {
            std::array<pollfd, 3> ready{{{client, POLLIN, 0}, {server, POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
            (void)::poll(ready.data(), ready.size(), -1);
            if (ready[2].revents != 0)
                return;
            const bool upwards = ready[0].revents != 0;
            const auto got = ::recv(upwards ? client : server, bytes.data(), bytes.size(), 0);
            if (got <= 0)
                return;
            std::string text{bytes.data(), static_cast<std::size_t>(got)};
            if (const auto at = text.find(from_); upwards && at != std::string::npos)
                text.replace(at, from_.size(), to_);
            if (!send_all(upwards ? server : client, text))
                return;
        }
    }

    const std::string from_;
    const std::string to_;
    const std::uint16_t to_port_;
    FileDescriptor listener_;
    FileDescriptor stop_;
    std::thread thread_;
};

Forwarder::Forwarder(std::uint16_t port, std::string from, std::string to)
    : impl_{std::make_unique<Impl>(port, std::move(from), std::move(to))} {}
Forwarder::~Forwarder() = default;

std::uint16_t Forwarder::port() const noexcept {
    return impl_->port;
}

}  // namespace harness
