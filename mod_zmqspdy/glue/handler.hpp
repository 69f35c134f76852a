// What httpd calls for each request.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

inline constexpr const char* kHandlerName = "zmq-spdy";

/// The content handler. May throw; hook it behind a fence.
int serve(request_rec* r);

/// map_to_storage: answers for URLs that the configuration gives to our handler, so that httpd does not look
/// for a file that nobody asked for. May throw; hook it behind a fence.
int skip_storage(request_rec* r);

}  // namespace zmqspdy::glue
