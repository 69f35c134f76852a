// What children hear in the name of a relayed worker, and workers in the name of a child, once it cannot speak any more.
#pragma once

#include <zmq.hpp>

namespace zmqspdy::router {

/// GOAWAY of a peer that is gone: it takes nothing back, since every stream may have been processed, and its code says
/// that nothing more will come. It may be the first that is heard of that peer, and a session begins with SETTINGS.
[[nodiscard]] zmq::message_t gone();

/// The same for a worker that had finished all it took before it left, or that had left before: nothing that is still open
/// was processed, and all of it may be sent to another, whatever the method.
[[nodiscard]] zmq::message_t finished();

}  // namespace zmqspdy::router
