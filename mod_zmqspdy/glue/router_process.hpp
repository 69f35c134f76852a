// The processes of a router: what the parent keeps over restarts, the registry it starts, and the pool of
// each child.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// Binds the worker port, makes the worker table, and starts the registry, or leaves all of them as they are
/// when an earlier configuration has done it. Runs twice at start and once at each restart.
int post_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s) noexcept;

/// Starts this child's dealer pool.
void child_init(apr_pool_t* pchild, server_rec* s) noexcept;

/// In the parent: takes back what a child that ended still counted in the table.
void child_status(server_rec* s, pid_t pid, ap_generation_t generation, int slot,
                  mpm_child_status state) noexcept;

}  // namespace zmqspdy::glue
