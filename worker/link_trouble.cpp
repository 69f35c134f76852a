#include "worker/link_trouble.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <variant>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::serving {

std::string describe(Trouble trouble) {
    switch (trouble) {
        case Trouble::refused:
            return "the connection is refused, since nothing listens there or a firewall rejects it: start "
                   "httpd, or "
                   "give --router the address of its ZmqSpdyListen";
        case Trouble::no_answer:
            return "no answer within 2 s: the host is down, or a firewall drops the packets to this port";
        case Trouble::no_way:
            return "this host knows no way to it, or may not use it: see 'ip route' and the firewall";
        case Trouble::no_descriptor:
            return "no socket for it: the limit of open files (ulimit -n) is reached";
        case Trouble::closed:
            return "what listens there closed the connection before it said that it is a router: if it goes "
                   "on so, "
                   "another program, such as a web server, has this port, and --router must name that of "
                   "ZmqSpdyListen";
        case Trouble::not_zeromq:
            return "what listens there does not speak ZeroMQ as a router does: another program has this "
                   "port; give "
                   "--router the port of httpd's ZmqSpdyListen";
        case Trouble::says_nothing:
            return "what listens there takes the connection and does not greet as a router does: another "
                   "program, such "
                   "as a web server or sshd, has this port, and --router must name that of ZmqSpdyListen, or "
                   "httpd's "
                   "registry hangs";
        case Trouble::not_a_registry:
            return "what listens there speaks ZeroMQ, but does not answer: another program than httpd has "
                   "this port, or "
                   "httpd's registry hangs";
    }
    return {};
}

Trouble why_refused(const transport::Endpoint& endpoint) {
    const auto* tcp = std::get_if<transport::TcpEndpoint>(&endpoint);
    if (tcp == nullptr)
        return Trouble::refused;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (getaddrinfo(tcp->host.c_str(), std::to_string(tcp->port).c_str(), &hints, &found) != 0)
        return Trouble::refused;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned{found, &freeaddrinfo};
    const transport::FileDescriptor fd{
        ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd)
        return errno == EMFILE || errno == ENFILE ? Trouble::no_descriptor : Trouble::no_way;
    if (::connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS ||
        errno == ECONNREFUSED)
        return Trouble::refused;
    return Trouble::no_way;
}

}  // namespace zmqspdy::serving
