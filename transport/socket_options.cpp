#include "transport/socket_options.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

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

namespace {

/// While it lives, rand() goes on from a secret place; then from where it was before.
class SecretRandom {
  public:
    SecretRandom() {
        unsigned seed = 0;
        if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
            throw std::system_error(errno, std::generic_category(), "getrandom");
        before_ = ::initstate(seed, state_.data(), state_.size());
    }
    ~SecretRandom() {
        if (before_ != nullptr)
            ::setstate(before_);
    }
    SecretRandom(const SecretRandom&) = delete;
    SecretRandom& operator=(const SecretRandom&) = delete;

  private:
    std::array<char, 128> state_{};
    char* before_ = nullptr;
};

}  // namespace

zmq::socket_t make_router(zmq::context_t& context) {
    const SecretRandom secret;
    zmq::socket_t socket{context, zmq::socket_type::router};
    set_limits(socket);
    socket.set(zmq::sockopt::router_mandatory, true);
    // Nobody takes the connection of another over by claiming its id.
    socket.set(zmq::sockopt::router_handover, false);
    return socket;
}

}  // namespace zmqspdy::transport
