// Trailers on HTTP/1.1: httpd's chunk filter knows none.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

void register_trailers_filter();

/// From now on the last chunk of the response is followed by r->trailers_out. Does nothing to a response that is not
/// chunked.
void add_trailers_filter(request_rec* r);

}  // namespace zmqspdy::glue
