#include "mod_zmqspdy/glue/worker_port.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "transport/endpoint.hpp"

namespace zmqspdy::glue {

namespace {

constexpr int kBacklog = 511;

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::runtime_error refusal(const std::string& why) {
    return std::runtime_error("ZmqSpdyListen: " + why);
}

/// `host` null: the wildcard of every family.
AddressList addresses_of(const char* host, const transport::TcpEndpoint& tcp) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int failure = getaddrinfo(host, std::to_string(tcp.port).c_str(), &hints, &found); failure != 0)
        throw refusal("the name " + tcp.host + " cannot be resolved: " + gai_strerror(failure) +
                      "; write an address of this host, or mend /etc/hosts or the name server");
    return {found, &freeaddrinfo};
}

/// Lists may hold an address several times, which could not be bound twice.
bool is_repeated(const addrinfo* first, const addrinfo* address) {
    for (; first != address; first = first->ai_next) {
        if (first->ai_addrlen == address->ai_addrlen &&
            std::memcmp(first->ai_addr, address->ai_addr, address->ai_addrlen) == 0)
            return true;
    }
    return false;
}

/// Nothing with errno set when it cannot be had.
transport::FileDescriptor listen_at(const addrinfo& address) {
    transport::FileDescriptor fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    // The IPv4 addresses have sockets of their own.
    const bool bound = fd && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       (address.ai_family != AF_INET6 ||
                        setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                       bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 &&
                       listen(fd.get(), kBacklog) == 0;
    if (bound)
        return fd;
    const int cause = errno;  // closing the socket may change it
    fd = {};
    errno = cause;
    return {};
}

bool means_absent(int error) {
    return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPROTONOSUPPORT;
}

std::runtime_error cannot_open(const char* endpoint, const transport::TcpEndpoint& tcp,
                               const addrinfo& address, int error) {
    const std::string which =
        "port " + std::to_string(tcp.port) + " for workers (" + endpoint + ") cannot be opened at " +
        transport::to_text(address.ai_addr, address.ai_addrlen) + ": " + std::strerror(error);
    if (means_absent(error))
        return refusal(which + "; this host has no such address, as 'ip address' shows");
    if (error == EADDRINUSE)
        return refusal(which + "; another httpd or program is using it, as 'ss -ltnp' shows");
    if (error == EACCES || error == EPERM)
        return refusal(which + "; ports below 1024 are root's: start httpd as root, or take another");
    return refusal(which);
}

/// Adds the sockets for all of `list`. Returns the first address that this host lacks, with errno set; null: it has all.
const addrinfo* open_all(const char* endpoint, const transport::TcpEndpoint& tcp, const addrinfo* list,
                         std::vector<transport::FileDescriptor>& sockets) {
    const addrinfo* absent = nullptr;
    int error = 0;
    for (const addrinfo* address = list; address != nullptr; address = address->ai_next) {
        if (is_repeated(list, address))
            continue;
        if (sockets.size() == kMaxWorkerPortSockets)
            throw refusal(tcp.host + " has more than " + std::to_string(kMaxWorkerPortSockets) +
                          " addresses: write the one that workers shall use, or '*' for all");
        if (auto fd = listen_at(*address)) {
            sockets.push_back(std::move(fd));
        } else if (!means_absent(errno)) {
            throw cannot_open(endpoint, tcp, *address, errno);
        } else if (absent == nullptr) {
            absent = address;
            error = errno;
        }
    }
    errno = error;
    return absent;
}

}  // namespace

std::vector<transport::FileDescriptor> open_worker_port(const char* endpoint) {
    const auto parsed = std::get<transport::Endpoint>(transport::parse_endpoint(endpoint));
    const auto& tcp = std::get<transport::TcpEndpoint>(parsed);
    std::vector<transport::FileDescriptor> sockets;
    std::vector<const char*> hosts{tcp.host.c_str()};
    if (tcp.host == "*")
        hosts = {nullptr};
    else if (transport::is_localhost(tcp.host))
        hosts.assign(transport::kLoopbackAddresses.begin(), transport::kLoopbackAddresses.end());
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        const auto list = addresses_of(hosts[i], tcp);
        const addrinfo* const absent = open_all(endpoint, tcp, list.get(), sockets);
        if (absent != nullptr && sockets.empty() && i + 1 == hosts.size())
            throw cannot_open(endpoint, tcp, *absent, errno);
    }
    return sockets;
}

}  // namespace zmqspdy::glue
