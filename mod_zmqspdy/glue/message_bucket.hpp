// A bucket over a ZeroMQ message: large response bodies reach the client without being copied.
#pragma once

#include <apr_buckets.h>

#include <memory>
#include <zmq.hpp>

#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::glue {

/// `payload` is a view into `message`, which lives until the last bucket over it is destroyed, on whichever
/// thread that is. Without a message `payload` is copied.
[[nodiscard]] apr_bucket* make_message_bucket(std::shared_ptr<const zmq::message_t> message,
                                              spdy::Bytes payload, apr_bucket_alloc_t* allocator);

}  // namespace zmqspdy::glue
