// Which path and host a worker is asked for.
#pragma once

#include <optional>
#include <string>

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// The request target in origin-form: as the client sent it where httpd reads it as r->uri and r->args, else those two,
/// encoded again; see router::origin_form(). So a worker is asked for the very path that httpd's access control has
/// judged, whatever the client sent and whichever module has changed it. Nothing when r->uri cannot be asked for.
[[nodiscard]] std::optional<std::string> request_target(const request_rec* r);

/// httpd's own idea of the host, which an absolute-form target overrides, with the port if the client named one.
[[nodiscard]] std::string request_host(request_rec* r);

/// What the client addressed: its Host field, but the target's authority where that overrides it. Empty when it named
/// none.
[[nodiscard]] std::string forwarded_host(request_rec* r);

}  // namespace zmqspdy::glue
