// Which path and host a worker is asked for.
#pragma once

#include <string>

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// A hook before all others that translate URLs: remembers what httpd made of the client's path, so that it can be
/// seen later whether a module (mod_rewrite, mod_alias) has put another in its place.
int remember_uri(request_rec* r);

/// The request target in origin-form (RFC 9112 section 3.2.1): as the client sent it, with its query and
/// percent-encoding, without scheme and authority. Where httpd's modules have changed path or query, inside
/// subrequests and internal redirects, and where it has dot segments, it is what httpd made of it, encoded again:
/// what httpd allowed is what the worker is asked for.
[[nodiscard]] std::string request_target(request_rec* r);

/// httpd's own idea of the host, which an absolute-form target overrides, with the port if the client named one.
[[nodiscard]] std::string request_host(request_rec* r);

/// What the client addressed: its Host field, but the target's authority where that overrides it. Empty when it named
/// none.
[[nodiscard]] std::string forwarded_host(request_rec* r);

}  // namespace zmqspdy::glue
