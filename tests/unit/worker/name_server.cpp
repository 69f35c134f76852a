#include "name_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace test {

namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kAlias = 5;
constexpr std::uint16_t kAaaa = 28;

void put(std::string& out, std::uint32_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
        out.push_back(static_cast<char>(number >> (8 * i)));
}

/// "a.b" as labels.
std::string to_labels(const std::string& name) {
    std::string labels;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find('.', at), name.size());
        labels.push_back(static_cast<char>(end - at));
        labels += name.substr(at, end - at);
        at = end + 1;
    }
    labels.push_back('\0');
    return labels;
}

std::string to_name(std::string_view labels) {
    std::string name;
    for (std::size_t at = 0; labels[at] != '\0'; at += static_cast<std::size_t>(labels[at]) + 1)
        name += (name.empty() ? "" : ".") +
                std::string(labels.substr(at + 1, static_cast<std::size_t>(labels[at])));
    return name;
}

std::string resource(const std::string& owner, std::uint16_t type, std::uint32_t ttl,
                     const std::string& data) {
    std::string out = owner;
    put(out, type, 2);
    put(out, 1, 2);
    put(out, ttl, 4);
    put(out, static_cast<std::uint32_t>(data.size()), 2);
    return out + data;
}

}  // namespace

NameServer::NameServer() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), generic, length) != 0 || ::getsockname(socket_.get(), generic, &length) != 0)
        throw std::runtime_error("no port for a name server");
    port_ = ntohs(address.sin_port);
}

void NameServer::step() {
    std::array<char, 512> query{};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    while (true) {
        const auto size = ::recvfrom(socket_.get(), query.data(), query.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &length);
        if (size < static_cast<ssize_t>(kHeader))
            return;
        const auto reply = answer({query.data(), static_cast<std::size_t>(size)});
        if (!reply.empty())
            (void)::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
                           length);
    }
}

std::string NameServer::answer(std::string_view query) {
    const auto labels_end = query.find('\0', kHeader);
    const std::string labels(query.substr(kHeader, labels_end + 1 - kHeader));
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[labels_end + 2]));
    ++queries_;
    const auto found = records.find(to_name(labels));
    const Record record = found == records.end() ? Record{.code = no_such_name} : found->second;
    if (record.silent)
        return {};
    std::vector<std::string> answers;
    std::string owner = labels;
    if (!record.alias.empty()) {
        answers.push_back(resource(owner, kAlias, record.ttl, to_labels(record.alias)));
        owner = to_labels(record.alias);
    }
    for (const auto& text : record.addresses) {
        std::array<char, 16> bytes{};
        const bool is_six = text.find(':') != std::string::npos;
        if (::inet_pton(is_six ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1)
            throw std::runtime_error(text + " is no address");
        if (type == (is_six ? kAaaa : kA))
            answers.push_back(
                resource(owner, type, record.ttl, {bytes.data(), std::size_t{is_six ? 16U : 4U}}));
    }
    std::string out(query.substr(0, 2));
    put(out, 0x8180U | record.code, 2);
    put(out, 1, 2);
    put(out, record.code == no_error ? static_cast<std::uint32_t>(answers.size()) : 0, 2);
    put(out, 0, 4);
    out += query.substr(kHeader, labels_end + 5 - kHeader);
    if (record.code == no_error) {
        for (const auto& each : answers)
            out += each;
    }
    return out;
}

AskedServers::AskedServers(const std::vector<std::uint16_t>& ports) {
    std::string list;
    for (const auto port : ports)
        list += (list.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
    ::setenv("ZMQSPDY_NAME_SERVERS", list.c_str(), 1);
}

AskedServers::~AskedServers() {
    ::unsetenv("ZMQSPDY_NAME_SERVERS");
}

}  // namespace test
