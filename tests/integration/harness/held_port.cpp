#include "harness/held_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <random>
#include <system_error>

#include "transport/file_descriptor.hpp"

namespace harness {

using zmqspdy::transport::FileDescriptor;

HeldPort::HeldPort() {
    // Below those that the kernel gives to outgoing connections, which may have been there first.
    static std::mt19937 random{std::random_device{}()};
    std::uniform_int_distribution<std::uint16_t> ports{12000, 31999};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (!socket) {
            break;
        }
        number_ = ports(random);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(number_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // Bound without SO_REUSEADDR the port is had by nobody else; with it, a server can share it from then on.
        const int yes = 1;
        if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
            ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0) {
            socket_ = std::make_shared<FileDescriptor>(std::move(socket));
            return;
        }
    }
    throw std::system_error{errno, std::generic_category(), "no free port on 127.0.0.1"};
}

}  // namespace harness
