#include "mod_zmqspdy/core/log_relay.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace zmqspdy::router {

namespace {

// As much as the kernel gives without being asked for more is some hundred lines; a reload takes a second.
constexpr int kBuffer = 1024 * 1024;
constexpr std::size_t kLongestLine = 8000;
// What a line begins with. No text does.
constexpr char kFirstLevel = '\x01';
constexpr char kLastLevel = static_cast<char>(kFirstLevel + static_cast<int>(LogLevel::debug));

}  // namespace

std::array<int, 2> open_log_relay() {
    std::array<int, 2> sockets{-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets.data()) != 0)
        throw std::system_error(errno, std::generic_category(), "no sockets for the registry's log");
    // The larger is root's to ask for; the smaller does.
    if (setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, &kBuffer, sizeof kBuffer) != 0)
        (void)setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
    return sockets;
}

void LogSender::send(LogLevel level, const std::string& line) {
    std::string message(1, static_cast<char>(kFirstLevel + static_cast<int>(level)));
    message.append(line, 0, kLongestLine);
    flush();
    if (kept_.empty() && try_send(message))
        return;
    if (kept_.size() < kMostKept)
        kept_.push_back(std::move(message));
    else
        ++lost_;
}

void LogSender::flush() {
    while (!kept_.empty() && try_send(kept_.front()))
        kept_.pop_front();
    if (!kept_.empty() || lost_ == 0)
        return;
    std::string message(1, static_cast<char>(kFirstLevel + static_cast<int>(LogLevel::warning)));
    message +=
        std::to_string(lost_) + " lines of the registry were lost: no httpd child was there to write them";
    if (try_send(message))
        lost_ = 0;
}

bool LogSender::try_send(const std::string& message) const {
    return ::send(fd_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void drain_log(int fd, const Log& log) {
    std::array<char, kLongestLine + 1> buffer;
    while (true) {
        const auto size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size <= 0)
            return;
        std::string_view message(buffer.data(), static_cast<std::size_t>(size));
        const char first = message.front();
        if (first >= kFirstLevel && first <= kLastLevel) {
            log(static_cast<LogLevel>(first - kFirstLevel), std::string(message.substr(1)));
            continue;
        }
        while (!message.empty() && message.back() == '\n')
            message.remove_suffix(1);
        if (!message.empty())
            log(LogLevel::error, "the registry says: " + std::string(message));
    }
}

}  // namespace zmqspdy::router
