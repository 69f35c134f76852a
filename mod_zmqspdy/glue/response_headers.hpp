// The headers of a SYN_REPLY -> request_rec.
#pragma once

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::glue {

/// What httpd itself takes of a client (LimitRequestFields, LimitRequestFieldSize) it takes of a worker.
[[nodiscard]] router::FieldLimits field_limits(const request_rec* r);

/// Sets status and headers of the response. `headers` must have passed router::check_response(), which gave
/// `head`.
void set_response_head(request_rec* r, const spdy::HeaderBlock& headers, const router::ResponseHead& head);

/// Sends a 1xx response to the client at once, as far as its protocol knows such.
void send_interim_response(request_rec* r, const spdy::HeaderBlock& headers,
                           const router::ResponseHead& head);

/// Tells a client that expects it to send its body. httpd does so by itself only before a blocking read.
void send_continue(request_rec* r);

/// Adds trailers, where the client can take them: on HTTP/2, and on HTTP/1.1 behind a chunked body when its TE field
/// says so (RFC 9110 section 6.5.1); otherwise they are dropped. They must have passed router::check_trailers().
/// Several blocks add up; `first` says that this is the first.
/// True when they need a chunked response: httpd gives one that it has seen the end of a length instead.
[[nodiscard]] bool set_trailers(request_rec* r, const spdy::HeaderBlock& trailers, bool first);

/// Takes back what set_response_head() did, so that httpd can answer with an error of its own instead.
void clear_response_head(request_rec* r);

}  // namespace zmqspdy::glue
