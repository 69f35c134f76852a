#include "worker/direct_listener.hpp"

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "transport/message.hpp"
#include "transport/socket_options.hpp"

namespace zmqspdy::serving {

namespace {

/// libzmq reports a disconnect a moment before the socket itself knows of it.
constexpr std::chrono::milliseconds kSecondLook{50};

/// What libzmq may take for `text`, the likeliest first: it binds to addresses, `*` and interfaces, not to names of hosts.
/// Looked up here and now, since nothing is served yet.
std::vector<std::string> places(const std::string& text) {
    const auto parsed = transport::parse_endpoint(text);
    const auto* endpoint = std::get_if<transport::Endpoint>(&parsed);
    const auto* tcp = endpoint != nullptr ? std::get_if<transport::TcpEndpoint>(endpoint) : nullptr;
    const auto at = [tcp](const std::string& host) {
        return to_string(transport::TcpEndpoint{host, tcp->port});
    };
    std::vector<std::string> places;
    if (tcp != nullptr && transport::is_localhost(tcp->host)) {
        for (const char* const address : transport::kLoopbackAddresses)
            places.push_back(at(address));
        return places;
    }
    places.push_back(text);
    if (tcp == nullptr || tcp->host == "*" || transport::is_address(tcp->host))
        return places;
    for (const auto& address : transport::resolve(tcp->host))
        places.push_back(at(address));
    return places;
}

void bind_somewhere(zmq::socket_t& socket, const std::string& text) {
    const auto all = places(text);
    for (std::size_t i = 0; i < all.size(); ++i) {
        try {
            return socket.bind(all[i]);
        } catch (const zmq::error_t&) {
            if (i + 1 == all.size())
                throw;
        }
    }
}

transport::Endpoint bind(zmq::socket_t& socket, const std::string& text) {
    (void)transport::guard_accepts();
    bind_somewhere(socket, text);
    const auto wanted = transport::parse_endpoint(text);
    auto bound = transport::parse_endpoint(socket.get(zmq::sockopt::last_endpoint));
    if (std::holds_alternative<transport::EndpointError>(wanted) ||
        std::holds_alternative<transport::EndpointError>(bound))
        throw std::runtime_error("cannot tell where '" + text + "' is bound");
    auto announced = std::get<transport::Endpoint>(std::move(bound));
    if (auto* tcp = std::get_if<transport::TcpEndpoint>(&announced)) {
        const auto* asked = std::get_if<transport::TcpEndpoint>(&std::get<transport::Endpoint>(wanted));
        if (asked != nullptr && (asked->host == "*" || asked->host == "0.0.0.0" || asked->host == "::"))
            tcp->host.assign(1, '*');
    }
    return announced;
}

}  // namespace

DirectListener::DirectListener(zmq::context_t& context, transport::Poller& poller, Tokens tokens,
                               const std::string& endpoint, Dispatcher& dispatcher, const Log& log)
    : poller_{poller},
      socket_{transport::make_router(context)},
      monitor_{context, socket_, ZMQ_EVENT_DISCONNECTED},
      log_dropped_{[&log](const std::string& line) { log.line(LogLevel::warning, line); }},
      descriptors_{"the connections of httpd's children",
                   [&log](const std::string& line) { log.line(LogLevel::error, line); }},
      children_{socket_, dispatcher, log_dropped_, ChildSessions::Path::direct},
      announced_{bind(socket_, endpoint)} {
    poller_.add(socket_.get(zmq::sockopt::fd), tokens.socket);
    poller_.add(monitor_.fd(), tokens.monitor);
}

DirectListener::~DirectListener() {
    poller_.remove(monitor_.fd());
    poller_.remove(socket_.get(zmq::sockopt::fd));
}

void DirectListener::receive() {
    if (std::exchange(monitor_hot_, false)) {
        bool disconnected = false;
        while (monitor_.next())
            disconnected = true;
        if (disconnected) {
            children_.probe();
            probe_again_ = Clock::now() + kSecondLook;
            socket_hot_ = true;
        }
    }
    if (!socket_hot_)
        return;
    std::array<zmq::message_t, 2> parts;
    for (int i = 0; i < kBatch; ++i) {
        const auto count = transport::receive(socket_, parts);
        if (!count) {
            socket_hot_ = false;
            return;
        }
        children_.receive(parts[0], parts[1], *count);
    }
}

void DirectListener::heartbeat() {
    children_.heartbeat();
    log_dropped_.settle();
    descriptors_.look();
}

void DirectListener::flush() {
    if (children_.flush())
        socket_hot_ = true;
}

void DirectListener::on_time(Clock::time_point) {
    probe_again_ = Clock::time_point::max();
    children_.probe();
    socket_hot_ = true;
}

}  // namespace zmqspdy::serving
