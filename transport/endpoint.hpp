// ZeroMQ endpoints, judged before libzmq sees them.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zmqspdy::transport {

struct TcpEndpoint {
    std::string host;    ///< without brackets; "*" for every interface
    std::uint16_t port;  ///< 0: any free one (to bind)
};
struct AbstractEndpoint {
    std::string name;  ///< of an abstract Unix socket, without the '@'
};
using Endpoint = std::variant<TcpEndpoint, AbstractEndpoint>;

struct EndpointError {
    std::string why;  ///< a whole sentence that quotes the text
};

/// Reads `tcp://HOST:PORT` (HOST an address, a name, `*`, or an IPv6 address in brackets) and `ipc://@NAME`.
/// Other transports, and ipc to a path, are refused.
[[nodiscard]] std::variant<Endpoint, EndpointError> parse_endpoint(std::string_view text);

/// The form that libzmq takes.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// What `localhost` means, whatever /etc/hosts or a name server say (RFC 6761 6.3): both, since a peer that means the
/// same may write either.
inline constexpr std::array<const char*, 2> kLoopbackAddresses{"127.0.0.1", "::1"};
[[nodiscard]] bool is_localhost(std::string_view host) noexcept;
/// True for an IP address in numbers; false for names and `*`.
[[nodiscard]] bool is_address(std::string_view host);

/// An IP address in numbers, an IPv6 one with its zone; empty when it is none.
[[nodiscard]] std::string to_text(const sockaddr* address, socklen_t length);
/// The addresses of a name, each once; none when it has none. Waits for name servers.
[[nodiscard]] std::vector<std::string> resolve(const std::string& host);

/// True when only processes of this host can connect to it: abstract sockets, 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_local(const Endpoint& endpoint);
/// The same for the address of a peer as libzmq's `Peer-Address` gives it.
[[nodiscard]] bool is_local_address(std::string_view address);
/// True when whoever dials either reaches the same listener. Names are not resolved.
[[nodiscard]] bool same_place(const Endpoint& a, const Endpoint& b);
/// True when both write the same IP address (an IPv4 one mapped into IPv6 counts as itself).
[[nodiscard]] bool same_address(std::string_view a, std::string_view b);

}  // namespace zmqspdy::transport
