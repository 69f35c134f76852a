// request_rec -> the headers of a SYN_STREAM, and of the HEADERS behind the body.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::glue {

/// The request as a worker gets it: SPDY's pseudo headers (see request_target() for `:path`), the client's end-to-end
/// fields, and those that httpd vouches for. What router::stays_with_httpd() names stays here, and so do the fields
/// that Connection lists. The error, a sentence for the log, is about a field that no header line can hold.
[[nodiscard]] std::variant<spdy::HeaderBlock, std::string> make_request_headers(request_rec* r,
                                                                                const DirConfig& config);

/// Whether httpd answers another request's error with this one, an ErrorDocument: a GET of its own, although it has
/// the other's fields.
[[nodiscard]] bool is_error_page(const request_rec* r);

/// The length that the client announced, as httpd validated it; nothing when it announced none.
[[nodiscard]] std::optional<apr_off_t> announced_length(request_rec* r);

/// Whether a body belongs to this request, HEAD included; to an error page it does not.
[[nodiscard]] bool has_request_body(request_rec* r);

/// The client's trailers, once its body has been read to the end; nothing when there are none to pass on. Fields that
/// must not come so late (router::may_be_trailer()) are left out.
[[nodiscard]] std::optional<spdy::HeaderBlock> make_request_trailers(request_rec* r);

/// RFC 9110 section 9.2.2.
[[nodiscard]] bool is_idempotent(const request_rec* r);

}  // namespace zmqspdy::glue
