#include "worker/lookup.hpp"

#include <ares.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <span>
#include <stdexcept>
#include <system_error>

#include "transport/endpoint.hpp"

namespace zmqspdy::serving {

namespace {

/// A name server that has not answered by then is passed over for the next; the second and the third round wait longer.
constexpr std::chrono::milliseconds kServerPatience{1000};
constexpr int kRounds = 3;
/// An answer may hold thousands.
constexpr std::size_t kMostAddresses = 64;

void succeed(int status) {
    if (status != ARES_SUCCESS)
        throw std::runtime_error(std::string("c-ares: ") + ares_strerror(status));
}

/// Once for the process; c-ares wants it before any channel.
void begin_library() {
    static const int status = ares_library_init(ARES_LIB_INIT_ALL);
    succeed(status);
}

Addresses addresses_of(const ares_addrinfo& found) {
    Addresses addresses{};
    std::optional<int> least;
    for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
        auto text = transport::to_text(node->ai_addr, node->ai_addrlen);
        const bool known =
            std::find(addresses.list.begin(), addresses.list.end(), text) != addresses.list.end();
        if (text.empty() || known || addresses.list.size() == kMostAddresses)
            continue;
        addresses.list.push_back(std::move(text));
        least = std::min(least.value_or(node->ai_ttl), node->ai_ttl);
    }
    for (const auto* alias = found.cnames; alias != nullptr; alias = alias->next)
        least = std::min(least.value_or(alias->ttl), alias->ttl);
    addresses.ttl = std::chrono::seconds{std::max(least.value_or(0), 0)};
    return addresses;
}

LookupFailure failure_of(const std::string& host, int status) {
    switch (status) {
        case ARES_ENOTFOUND:
            return {"the name " + host +
                    " does not exist; correct it, or add it to the name server or /etc/hosts"};
        case ARES_ENODATA:
            return {"the name " + host + " has no address; add one to the name server or /etc/hosts"};
        case ARES_ETIMEOUT:
            return {"no name server answers for " + host +
                    "; see /etc/resolv.conf, and whether a firewall drops port 53"};
        default:  // also what servers say that fail
            return {"the name servers cannot be reached for " + host + ", or fail (" + ares_strerror(status) +
                    "); see /etc/resolv.conf and their logs"};
    }
}

}  // namespace

Lookup::Lookup(const std::string& host) : host_{host}, sockets_{::epoll_create1(EPOLL_CLOEXEC)} {
    if (!sockets_)
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    begin_library();
    ares_options options{};
    options.timeout = static_cast<int>(kServerPatience.count());
    options.tries = kRounds;
    options.sock_state_cb = on_socket;
    options.sock_state_cb_data = this;
    ares_channel made = nullptr;
    succeed(ares_init_options(&made, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB));
    channel_.reset(made);
    if (const char* const servers = std::getenv("ZMQSPDY_NAME_SERVERS");
        servers != nullptr && *servers != '\0')
        succeed(ares_set_servers_ports_csv(channel_.get(), servers));
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    // Not sorted: all of them are used.
    hints.ai_flags = ARES_AI_NOSORT | ARES_AI_ENVHOSTS;
    ares_getaddrinfo(channel_.get(), host_.c_str(), nullptr, &hints, on_result, this);
    set_deadline();
}

// A look-up under way is told of the end of its channel, and closes its sockets, while the rest is still there.
Lookup::~Lookup() = default;

void Lookup::Destroy::operator()(ares_channeldata* channel) const noexcept {
    ares_destroy(channel);
}

void Lookup::on_socket(void* self, int socket, int readable, int writable) noexcept {
    const int epoll = static_cast<Lookup*>(self)->sockets_.get();
    if (readable == 0 && writable == 0) {
        ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
        return;
    }
    epoll_event event{};
    event.events =
        (readable != 0 ? std::uint32_t{EPOLLIN} : 0U) | (writable != 0 ? std::uint32_t{EPOLLOUT} : 0U);
    event.data.fd = socket;
    // Should neither succeed, c-ares gives this server up when its time is over.
    if (::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0)
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
}

void Lookup::on_result(void* self, int status, int, ares_addrinfo* found) noexcept {
    struct Free {
        void operator()(ares_addrinfo* info) const noexcept { ares_freeaddrinfo(info); }
    };
    const std::unique_ptr<ares_addrinfo, Free> owned{found};
    if (status == ARES_EDESTRUCTION)
        return;
    auto& lookup = *static_cast<Lookup*>(self);
    try {
        if (status == ARES_SUCCESS && owned) {
            auto addresses = addresses_of(*owned);
            if (!addresses.list.empty()) {
                lookup.result_ = std::move(addresses);
                return;
            }
        }
        lookup.result_ = failure_of(lookup.host_, status == ARES_SUCCESS ? int{ARES_ENODATA} : status);
    } catch (...) {  // c-ares knows no exceptions
        lookup.result_.emplace(LookupFailure{});
    }
}

void Lookup::set_deadline() {
    timeval left{};
    deadline_ = Clock::time_point::max();
    if (result_)
        deadline_ = Clock::now();
    else if (ares_timeout(channel_.get(), nullptr, &left) != nullptr)
        deadline_ =
            Clock::now() + std::chrono::seconds{left.tv_sec} + std::chrono::microseconds{left.tv_usec};
}

const std::optional<LookupResult>& Lookup::process() {
    std::array<epoll_event, 16> events{};
    ares_process_fd(channel_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what has waited for too long
    // Until nothing is left, since the Poller is edge-triggered.
    while (!result_) {
        const int count = ::epoll_wait(sockets_.get(), events.data(), static_cast<int>(events.size()), 0);
        if (count <= 0)
            break;
        for (const epoll_event& event : std::span{events}.first(static_cast<std::size_t>(count))) {
            const bool readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
            const bool writable = (event.events & EPOLLOUT) != 0;
            ares_process_fd(channel_.get(), readable ? event.data.fd : ARES_SOCKET_BAD,
                            writable ? event.data.fd : ARES_SOCKET_BAD);
        }
    }
    set_deadline();
    return result_;
}

}  // namespace zmqspdy::serving
