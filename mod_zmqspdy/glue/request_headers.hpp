// request_rec -> the headers of a SYN_STREAM.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::glue {

/// The request as a worker gets it: SPDY's pseudo headers and the end-to-end fields. Hop-by-hop fields, those
/// that Connection names, Host (it is `:host`), Expect (httpd answers it) and Proxy (CGI's httpoxy) stay
/// here.
///
/// `:path` is the request target as the client sent it and httpd accepted it: query and percent-encoding
/// kept, scheme and authority of an absolute-form target removed. Inside subrequests and internal redirects,
/// where the client sent no such thing, it is the rewritten URI, encoded again.
[[nodiscard]] spdy::HeaderBlock make_request_headers(request_rec* r);

/// RFC 9110 section 9.2.2.
[[nodiscard]] bool is_idempotent(const request_rec* r);

}  // namespace zmqspdy::glue
