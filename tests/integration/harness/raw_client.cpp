#include "harness/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace harness {

namespace {

int connect_to(std::uint16_t port, int receive_buffer) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {  // before connecting, or the window is already agreed on
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        const int failure = errno;
        ::close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

}  // namespace

RawClient::RawClient(std::uint16_t port, int receive_buffer) : fd_{connect_to(port, receive_buffer)} {
    if (fd_ < 0) {
        throw std::system_error{errno, std::generic_category(), "connect"};
    }
}

RawClient::~RawClient() {
    close();
}

void RawClient::close() noexcept {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

void RawClient::finish_sending() noexcept {
    ::shutdown(fd_, SHUT_WR);
}

void RawClient::send_last(std::string_view bytes) {
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_MORE) !=
        static_cast<ssize_t>(bytes.size())) {
        throw std::system_error{errno, std::generic_category(), "send"};
    }
    finish_sending();
}

bool RawClient::can_connect(std::uint16_t port) {
    const int fd = connect_to(port, 0);
    if (fd >= 0) {
        ::close(fd);
    }
    return fd >= 0;
}

void RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            throw std::system_error{errno, std::generic_category(), "send"};
        }
        bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
}

RawClient::Got RawClient::receive(milliseconds wait, std::size_t size) {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) <= 0) {
        return Got::nothing;
    }
    std::array<char, 65536> chunk;
    const ssize_t got = ::recv(fd_, chunk.data(), std::min(size, chunk.size()), 0);
    if (got <= 0) {
        reset_ = got < 0 && errno == ECONNRESET;
        return Got::end;
    }
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    return Got::bytes;
}

std::string RawClient::read_until(std::string_view text, milliseconds limit) {
    const auto end = Clock::now() + patience(limit);
    while (true) {
        if (const auto at = buffer_.find(text); at != std::string::npos) {
            std::string result = buffer_.substr(0, at + text.size());
            buffer_.erase(0, result.size());
            return result;
        }
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        if (left.count() <= 0) {
            throw std::runtime_error{"\"" + std::string{text} + "\" did not arrive in time, but: " + buffer_};
        }
        if (receive(left) == Got::end) {
            throw std::runtime_error{"the connection ended before \"" + std::string{text} +
                                     "\", after: " + buffer_};
        }
    }
}

std::string RawClient::read_some(std::size_t size, milliseconds limit) {
    if (buffer_.empty() && receive(patience(limit), size) == Got::nothing) {
        throw std::runtime_error{"nothing more arrived in time"};
    }
    std::string result = buffer_.substr(0, size);
    buffer_.erase(0, result.size());
    return result;
}

std::string RawClient::read_all(milliseconds limit) {
    const auto end = Clock::now() + patience(limit);
    while (true) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        if (left.count() <= 0) {
            throw std::runtime_error{"the connection did not end in time"};
        }
        if (receive(left) == Got::end) {
            return std::exchange(buffer_, {});
        }
    }
}

const std::string& RawClient::pending() {
    while (receive(milliseconds{0}) == Got::bytes) {
    }
    return buffer_;
}

std::string raw_exchange(std::uint16_t port, std::string_view request) {
    RawClient client{port};
    client.send(request);
    return client.read_all();
}

}  // namespace harness
