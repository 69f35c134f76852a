// What libzmq says of a socket's connections, as it happens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>

namespace zmqspdy::transport {

struct MonitorEvent {
    std::uint16_t event;  ///< ZMQ_EVENT_*
    std::uint32_t value;  ///< a descriptor or an errno, by event
    std::string endpoint;
};

/// Used by the thread that owns the watched socket, and destroyed before it.
class SocketMonitor {
  public:
    /// `events`: a sum of ZMQ_EVENT_*. Before `watched` is bound or connected.
    SocketMonitor(zmq::context_t& context, zmq::socket_ref watched, int events);
    ~SocketMonitor();
    SocketMonitor(const SocketMonitor&) = delete;
    SocketMonitor& operator=(const SocketMonitor&) = delete;

    /// For a Poller: edge-triggered, see ZMQ_FD.
    [[nodiscard]] int fd() const;
    /// The next event that waits; call it until it gives nothing.
    [[nodiscard]] std::optional<MonitorEvent> next();

  private:
    zmq::socket_ref watched_;
    zmq::socket_t events_;
};

}  // namespace zmqspdy::transport
