// The headers of a SYN_REPLY -> request_rec.
#pragma once

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::glue {

/// Sets status and headers of the response. `headers` must have passed router::check_response(), which gave
/// `head`.
void set_response_head(request_rec* r, const spdy::HeaderBlock& headers, const router::ResponseHead& head);

/// Sends a 1xx response to the client at once, as far as its protocol knows such.
void send_interim_response(request_rec* r, const spdy::HeaderBlock& headers,
                           const router::ResponseHead& head);

/// Tells a client that expects it to send its body. httpd does so by itself only before a blocking read.
void send_continue(request_rec* r);

/// Adds trailers, where the client's protocol can carry them. They must have passed router::check_trailers().
void set_trailers(request_rec* r, const spdy::HeaderBlock& trailers);

/// Takes back what set_response_head() did, so that httpd can answer with an error of its own instead.
void clear_response_head(request_rec* r);

}  // namespace zmqspdy::glue
