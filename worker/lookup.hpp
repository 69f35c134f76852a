// The addresses of a name, asked of /etc/hosts and the name servers without waiting for them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "transport/file_descriptor.hpp"

// c-ares's own, whose header is for lookup.cpp alone.
struct ares_channeldata;
struct ares_addrinfo;

namespace zmqspdy::serving {

/// What a name stands for now. Never empty.
struct Addresses {
    std::vector<std::string> list;  ///< IPv4 and IPv6, in numbers, each once; an IPv6 one may have a zone
    std::chrono::seconds ttl;       ///< of the record that expires first; 0 when nobody says
};
struct LookupFailure {
    std::string why;  ///< what happened, and what to do: for a log line
};
using LookupResult = std::variant<Addresses, LookupFailure>;

/// One look-up over a c-ares channel of its own, so that each reads resolv.conf and hosts as they are now. In the
/// environment ZMQSPDY_NAME_SERVERS, ADDRESS[:PORT] separated by commas, replaces the name servers of resolv.conf;
/// CARES_HOSTS, which is c-ares's own, names another file than /etc/hosts. One thread.
class Lookup {
  public:
    using Clock = std::chrono::steady_clock;

    /// Begins. Throws std::system_error when there are no descriptors or no memory.
    explicit Lookup(const std::string& host);
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    /// For a Poller: readable when process() has something to do.
    [[nodiscard]] int fd() const noexcept { return sockets_.get(); }
    /// When process() is due although nothing became readable.
    [[nodiscard]] Clock::time_point deadline() const noexcept { return deadline_; }
    /// Goes on with it, as far as it goes now. Nothing as long as it is under way.
    [[nodiscard]] const std::optional<LookupResult>& process();

  private:
    struct Destroy {
        void operator()(ares_channeldata* channel) const noexcept;
    };

    static void on_socket(void* self, int socket, int readable, int writable) noexcept;
    static void on_result(void* self, int status, int timeouts, ares_addrinfo* found) noexcept;

    void set_deadline();

    std::string host_;
    transport::FileDescriptor sockets_;  // an epoll of c-ares's sockets, level-triggered as it wants it
    std::optional<LookupResult> result_;
    Clock::time_point deadline_;
    std::unique_ptr<ares_channeldata, Destroy> channel_;
};

}  // namespace zmqspdy::serving
