#include "transport/endpoint.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "transport/log_budget.hpp"

namespace zmqspdy::transport {

namespace {

// Every address as 16 bytes, IPv4 mapped into IPv6, so that the two families compare.
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(std::string_view text) {
    const std::string copy(text.substr(0, text.find('%')));
    Address bytes{};
    if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1)
        return bytes;
    bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (inet_pton(AF_INET, copy.c_str(), bytes.data() + 12) == 1)
        return bytes;
    return std::nullopt;
}

bool is_mapped_ipv4(const Address& address) {
    static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

EndpointError refuse(std::string_view text, std::string_view rule) {
    return {"'" + printable(text) + "' is not an endpoint: " + std::string(rule)};
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/// The interface behind the '%' of a link-local address: it goes into logs and to libzmq as it is.
bool is_zone(std::string_view zone) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ with its NUL
    return !zone.empty() && zone.size() <= longest &&
           std::all_of(zone.begin(), zone.end(), is_host_character);
}

}  // namespace

std::variant<Endpoint, EndpointError> parse_endpoint(std::string_view text) {
    if (text.starts_with("ipc://")) {
        const auto name = text.substr(6);
        // sun_path has 108 bytes, one of them the leading NUL of an abstract name.
        const bool visible =
            std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
        if (name.size() < 2 || name.front() != '@' || name.size() > 107 || !visible)
            return refuse(text,
                          "ipc takes an abstract name of up to 106 visible characters, such as ipc://@name");
        return Endpoint{AbstractEndpoint{std::string(name.substr(1))}};
    }
    if (!text.starts_with("tcp://"))
        return refuse(text, "it must begin with tcp:// or ipc://@, for example tcp://127.0.0.1:8000");
    const auto rest = text.substr(6);
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return refuse(text, "tcp takes a host and a port, for example tcp://127.0.0.1:8000");
    auto host = rest.substr(0, colon);
    const auto digits = rest.substr(colon + 1);
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        const auto percent = host.find('%');
        if (host.find(':') == std::string_view::npos || !parse_address(host) ||
            (percent != std::string_view::npos && !is_zone(host.substr(percent + 1))))
            return refuse(text, "the brackets must hold an IPv6 address");
    } else if (host != "*" && !std::all_of(host.begin(), host.end(), is_host_character)) {
        return refuse(text,
                      "the host must be an address, a name or '*' (an IPv6 address goes into brackets)");
    }
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        return refuse(text, "the port must be a number from 0 to 65535");
    return Endpoint{TcpEndpoint{std::string(host), port}};
}

std::string to_string(const Endpoint& endpoint) {
    if (const auto* ipc = std::get_if<AbstractEndpoint>(&endpoint))
        return "ipc://@" + ipc->name;
    const auto& tcp = std::get<TcpEndpoint>(endpoint);
    const bool bracket = tcp.host.find(':') != std::string::npos;
    return "tcp://" + (bracket ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

bool is_localhost(std::string_view host) noexcept {
    constexpr std::string_view name = "localhost";
    return std::equal(host.begin(), host.end(), name.begin(), name.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

bool is_address(std::string_view host) {
    return parse_address(host).has_value();
}

std::vector<std::string> resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    std::vector<std::string> addresses;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
        return addresses;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned{found, &freeaddrinfo};
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        auto text = to_text(each->ai_addr, each->ai_addrlen);
        if (!text.empty() && std::find(addresses.begin(), addresses.end(), text) == addresses.end())
            addresses.push_back(std::move(text));
    }
    return addresses;
}

std::string to_text(const sockaddr* address, socklen_t length) {
    std::array<char, NI_MAXHOST> host{};
    if (getnameinfo(address, length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
        return {};
    return host.data();
}

bool is_local_address(std::string_view address) {
    const auto parsed = parse_address(address);
    if (!parsed)
        return false;
    if (is_mapped_ipv4(*parsed))
        return (*parsed)[12] == 127;
    static constexpr Address kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return *parsed == kLoopback;
}

bool is_local(const Endpoint& endpoint) {
    if (std::holds_alternative<AbstractEndpoint>(endpoint))
        return true;
    const auto& host = std::get<TcpEndpoint>(endpoint).host;
    return is_localhost(host) || is_local_address(host);
}

bool same_place(const Endpoint& a, const Endpoint& b) {
    const auto* const first = std::get_if<TcpEndpoint>(&a);
    const auto* const second = std::get_if<TcpEndpoint>(&b);
    if (first == nullptr || second == nullptr)
        return to_string(a) == to_string(b);
    if (first->port != second->port)
        return false;
    return first->host == second->host || same_address(first->host, second->host);
}

bool same_address(std::string_view a, std::string_view b) {
    const auto first = parse_address(a);
    return first && first == parse_address(b);
}

}  // namespace zmqspdy::transport
