// Core log lines -> httpd's error log.
#pragma once

#include "mod_zmqspdy/core/log.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// `s` must outlive every copy of the result.
[[nodiscard]] router::Log make_log(server_rec* s);

/// The least urgent level that `s` has written (LogLevel).
[[nodiscard]] router::LogLevel most_wanted_level(const server_rec* s);

}  // namespace zmqspdy::glue
