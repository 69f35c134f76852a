// A process that has no descriptor left, and somebody who connects to it.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "transport/file_descriptor.hpp"

/// Takes all descriptors of this process but `left`, and gives them back at its end.
class NoDescriptors {
  public:
    explicit NoDescriptors(std::size_t left = 0) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 16;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
            few.rlim_cur = std::max<rlim_t>(few.rlim_cur, std::stoul(entry.path().filename().string()) + 16);
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
            taken_.emplace_back(fd);
        taken_.resize(taken_.size() - left);
    }
    ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

  private:
    rlimit before_{};
    std::vector<zmqspdy::transport::FileDescriptor> taken_;
};

/// A connection to an endpoint of ours, `ipc://@NAME` or `tcp://127.0.0.1:PORT`, made without a descriptor more.
class PlainConnection {
  public:
    explicit PlainConnection(const std::string& endpoint) : endpoint_{endpoint} {
        socket_ = zmqspdy::transport::FileDescriptor(
            ::socket(is_tcp() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }

    void connect() {
        int result = 0;
        if (is_tcp()) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            address.sin_port =
                htons(static_cast<std::uint16_t>(std::stoi(endpoint_.substr(endpoint_.rfind(':') + 1))));
            result = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
        } else {
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            const auto name = endpoint_.substr(endpoint_.find('@') + 1);
            name.copy(&address.sun_path[1], sizeof address.sun_path - 1);
            result = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address),
                               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size()));
        }
        if (result != 0 && errno != EINPROGRESS)
            throw std::runtime_error("cannot connect to " + endpoint_);
    }
    /// The other side has closed it, and sent nothing.
    [[nodiscard]] bool is_refused() const {
        char byte = 0;
        return ::recv(socket_.get(), &byte, 1, 0) == 0;
    }

  private:
    [[nodiscard]] bool is_tcp() const { return endpoint_.starts_with("tcp:"); }

    std::string endpoint_;
    zmqspdy::transport::FileDescriptor socket_;
};
