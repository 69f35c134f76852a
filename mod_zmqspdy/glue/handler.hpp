// What httpd calls for each request.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// The content handler. May throw; hook it behind a fence.
int serve(request_rec* r);

}  // namespace zmqspdy::glue
