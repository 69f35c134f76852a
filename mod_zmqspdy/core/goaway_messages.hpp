// GOAWAY messages that the registry sends on behalf of a peer that cannot speak any more: to children for a relayed
// worker, to workers for a child.
#pragma once

#include <zmq.hpp>

namespace zmqspdy::router {

/// The peer is gone: its last good stream is the highest there can be, since every stream may have been processed, and the code
/// says that nothing more will come. The message may be the first that is heard of that peer, so it begins with SETTINGS.
[[nodiscard]] zmq::message_t fate_unknown();

/// The same for a worker that finished all that it took before it left, or that left before: no stream that is still open was
/// processed, and all of them may be sent to another worker, whatever the method.
[[nodiscard]] zmq::message_t nothing_processed();

}  // namespace zmqspdy::router
