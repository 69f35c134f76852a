// The processes of a router: what the parent keeps over restarts, the registry it starts, and the pool of
// each child.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// open_logs, before httpd's own, so that what is wrong reaches the terminal of whoever starts httpd: binds the
/// worker port and makes the worker table, or leaves them as they are. Runs twice at start, once at each restart.
int open_port(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s) noexcept;

/// Starts the registry, or leaves it running when an earlier configuration has started it.
int post_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s) noexcept;

/// Starts this child's dealer pool.
void child_init(apr_pool_t* pchild, server_rec* s) noexcept;

/// In a child that is told to end, before httpd joins its threads: unless it ends gracefully, lets go of the requests that
/// wait in it. Under prefork this runs in a signal handler.
void child_stopping(apr_pool_t* pchild, int graceful) noexcept;

/// In the parent, every ten seconds: looks after the registry.
int monitor(apr_pool_t* pconf, server_rec* s) noexcept;

/// In the parent: takes back what a child that ended still counted in the table.
void child_status(server_rec* s, pid_t pid, ap_generation_t generation, int slot,
                  mpm_child_status state) noexcept;

}  // namespace zmqspdy::glue
