// The registry as a process: forked, supervised and stopped by httpd's parent.
#pragma once

#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/retained.hpp"

namespace zmqspdy::glue {

/// Starts the registry, replaces it when what it must know has changed, or leaves it running; then has httpd
/// tell us when it ends, for as long as `pconf` lives. Throws std::runtime_error with a sentence.
void supervise_registry(Retained& keep, const ServerConfig& config, server_rec* s, apr_pool_t* pconf);

/// Ends the registry, if there is one, and waits for that.
void stop_registry(Retained& keep);

/// Kills a registry that has not got round its loop since the look before; httpd hears of its end and starts another. For
/// httpd's monitor hook, which goes round ten times for each look: a slow machine is slow for both.
void look_after_registry(Retained& keep, server_rec* s);

}  // namespace zmqspdy::glue
