#include "harness/recording_backend.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "transport/file_descriptor.hpp"

namespace harness {

namespace {

using zmqspdy::transport::FileDescriptor;

// Whoever sends nothing for so long is given up, so that one broken request does not hold the others up.
constexpr int kPatienceMilliseconds = 2000;

std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return result;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// One connection, read piece by piece.
class Input {
  public:
    Input(int fd, int stop_fd) : fd_{fd}, stop_fd_{stop_fd} {}

    /// Everything up to `end`, which is taken and left out.
    std::optional<std::string> until(std::string_view end) {
        while (true) {
            if (const auto at = buffer_.find(end); at != std::string::npos) {
                std::string text = buffer_.substr(0, at);
                buffer_.erase(0, at + end.size());
                return text;
            }
            if (!more())
                return std::nullopt;
        }
    }
    /// Appends `size` bytes to `text`, or what there is; says whether that was all.
    bool take(std::string& text, std::size_t size) {
        while (buffer_.size() < size && more()) {
        }
        const bool whole = buffer_.size() >= size;
        text.append(buffer_, 0, size);
        buffer_.erase(0, std::min(size, buffer_.size()));
        return whole;
    }

  private:
    bool more() {
        std::array<pollfd, 2> ready{{{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
        if (::poll(ready.data(), ready.size(), kPatienceMilliseconds) <= 0 || ready[1].revents != 0)
            return false;
        std::array<char, 16384> chunk;
        const auto got = ::recv(fd_, chunk.data(), chunk.size(), 0);
        if (got <= 0)
            return false;
        buffer_.append(chunk.data(), static_cast<std::size_t>(got));
        return true;
    }

    int fd_;
    int stop_fd_;
    std::string buffer_;
};

std::optional<std::string> value_of(const RecordingBackend::Seen& seen, std::string_view name) {
    for (const auto& [key, value] : seen.headers) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

bool read_chunked(Input& input, std::string& body) {
    while (true) {
        const auto line = input.until("\r\n");
        if (!line)
            return false;
        const auto size = std::stoul(*line, nullptr, 16);
        if (size == 0) {
            // Trailers, up to an empty line.
            while (const auto trailer = input.until("\r\n")) {
                if (trailer->empty())
                    return true;
            }
            return false;
        }
        if (!input.take(body, size) || input.until("\r\n") != "")
            return false;
    }
}

std::optional<RecordingBackend::Seen> read_request(Input& input, int fd) {
    RecordingBackend::Seen seen;
    const auto line = input.until("\r\n");
    if (!line)
        return std::nullopt;
    const auto first = line->find(' ');
    const auto last = line->rfind(' ');
    seen.method = line->substr(0, first);
    seen.target = first < last ? line->substr(first + 1, last - first - 1) : "";
    while (const auto field = input.until("\r\n")) {
        if (field->empty())
            break;
        const auto colon = field->find(':');
        seen.headers.emplace_back(
            lower(field->substr(0, colon)),
            colon == std::string::npos ? "" : trim(std::string_view{*field}.substr(colon + 1)));
    }
    if (value_of(seen, "expect")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        (void)::send(fd, kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
    }
    if (lower(value_of(seen, "transfer-encoding").value_or("")) == "chunked")
        seen.complete = read_chunked(input, seen.body);
    else
        seen.complete = input.take(seen.body, std::stoul(value_of(seen, "content-length").value_or("0")));
    return seen;
}

}  // namespace

class RecordingBackend::Impl {
  public:
    Impl() : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, stop_{::eventfd(0, EFD_CLOEXEC)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_.get(), 64) != 0 ||
            ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::system_error{errno, std::generic_category(), "a recording backend"};
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
    mutable std::mutex mutex;
    std::vector<Seen> seen;

  private:
    void serve() {
        while (true) {
            std::array<pollfd, 2> ready{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
            (void)::poll(ready.data(), ready.size(), -1);
            if (ready[1].revents != 0)
                return;
            const FileDescriptor connection{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            if (connection)
                answer(connection.get());
        }
    }

    void answer(int fd) {
        Input input{fd, stop_.get()};
        auto request = read_request(input, fd);
        if (!request)
            return;
        const bool is_head = request->method == "HEAD";
        {
            const std::lock_guard lock{mutex};
            seen.push_back(std::move(*request));
        }
        const std::string response =
            std::string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"} +
            (is_head ? "" : "ok");
        (void)::send(fd, response.data(), response.size(), MSG_NOSIGNAL);
    }

    FileDescriptor listener_;
    FileDescriptor stop_;
    std::thread thread_;
};

RecordingBackend::RecordingBackend() : impl_{std::make_unique<Impl>()} {}
RecordingBackend::~RecordingBackend() = default;

std::uint16_t RecordingBackend::port() const noexcept {
    return impl_->port;
}

std::vector<RecordingBackend::Seen> RecordingBackend::requests() const {
    const std::lock_guard lock{impl_->mutex};
    return impl_->seen;
}

}  // namespace harness
