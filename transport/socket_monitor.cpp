#include "transport/socket_monitor.hpp"

#include <array>
#include <atomic>
#include <cstring>

#include "transport/message.hpp"

namespace zmqspdy::transport {

namespace {

std::string unique_name() {
    static std::atomic<std::uint64_t> count{0};
    return "inproc://zmqspdy-monitor-" + std::to_string(count.fetch_add(1));
}

}  // namespace

SocketMonitor::SocketMonitor(zmq::context_t& context, zmq::socket_ref watched, int events)
    : watched_{watched}, events_{context, zmq::socket_type::pair} {
    const std::string name = unique_name();
    if (zmq_socket_monitor(watched_.handle(), name.c_str(), events) != 0)
        throw zmq::error_t();
    events_.set(zmq::sockopt::linger, 0);
    events_.connect(name);
    // libzmq signals a reader only once it has looked and found nothing; the watched socket has no connection yet,
    // so there is nothing to find.
    (void)next();
}

SocketMonitor::~SocketMonitor() {
    zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

int SocketMonitor::fd() const {
    return events_.get(zmq::sockopt::fd);
}

std::optional<MonitorEvent> SocketMonitor::next() {
    std::array<zmq::message_t, 2> parts;
    const auto count = receive(events_, parts);
    if (!count || *count != 2 || parts[0].size() < 6)
        return std::nullopt;
    MonitorEvent event{};
    std::memcpy(&event.event, parts[0].data<char>(), sizeof event.event);
    std::memcpy(&event.value, parts[0].data<char>() + sizeof event.event, sizeof event.value);
    event.endpoint = parts[1].to_string();
    return event;
}

}  // namespace zmqspdy::transport
