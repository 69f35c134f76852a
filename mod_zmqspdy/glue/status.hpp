// What is going on, for programs; and an operator's drain of a worker by its name.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// Handler of `SetHandler zmq-spdy-status`. GET: JSON. PUT and DELETE of `.../drained/NAME` take every worker of
/// that name out of rotation and back. Who may do which is `Require`'s to say.
int serve_status(request_rec* r);

}  // namespace zmqspdy::glue
