#include "transport/socket_options.hpp"

namespace zmqspdy::transport {

void set_limits(zmq::socket_t& socket) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::sndhwm, kHighWaterMark);
    socket.set(zmq::sockopt::rcvhwm, kHighWaterMark);
    socket.set(zmq::sockopt::maxmsgsize, kMaxMessageSize);
    socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(kHandshakeInterval.count()));
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::connect_timeout, static_cast<int>(kConnectTimeout.count()));
    socket.set(zmq::sockopt::ipv6, true);
}

}  // namespace zmqspdy::transport
