// Why a router cannot be used, in sentences that say what to do about it.
#pragma once

#include <cstdint>
#include <string>

#include "transport/endpoint.hpp"

namespace zmqspdy::serving {

enum class Trouble : std::uint8_t {
    refused,         ///< nothing listens there
    no_answer,       ///< packets get lost
    no_way,          ///< this host knows no way there, or may not go it
    no_descriptor,   ///< of this process
    closed,          ///< whatever listens there hangs up before it is known to be a router
    not_zeromq,      ///< it says what no ZeroMQ peer says
    says_nothing,    ///< it takes the connection and does not greet
    not_a_registry,  ///< a ZeroMQ peer that does not answer as a registry
};

/// A sentence without its subject, such as "nothing listens there: ...".
[[nodiscard]] std::string describe(Trouble trouble);

/// What a connection that libzmq gave up within moments has failed at. libzmq does not tell: this begins a connection of
/// its own, and does not wait for it.
[[nodiscard]] Trouble why_refused(const transport::Endpoint& endpoint);

}  // namespace zmqspdy::serving
