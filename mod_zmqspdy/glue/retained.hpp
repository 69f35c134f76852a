// What the parent keeps from one configuration to the next, while this module is unloaded and loaded in
// between.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>

#include "mod_zmqspdy/core/worker_table.hpp"
#include "mod_zmqspdy/glue/config.hpp"

namespace zmqspdy::glue {

/// Plain data: no pointer into this module's code may be in it. httpd keeps it in the process pool. The
/// parent writes it; children and the registry have copies from their fork.
struct Retained {
    int passes;  ///< of post_config
    pid_t parent;
    std::array<char, 128> listen;  ///< endpoint of listen_fd
    int listen_fd;                 ///< the worker port; -1: none
    int wakeup_fd;                 ///< eventfd that children wait on for news of workers; -1: none
    void* table;                   ///< shared memory
    std::size_t table_bytes;
    apr_proc_t registry;  ///< pid 0: none
    apr_time_t registry_started;
    int registry_failures;           ///< in a row
    std::array<char, 64> relay;      ///< endpoint where the registry takes children's sessions
    std::array<char, 256> settings;  ///< what the running registry was started with
};

/// The one Retained of this server; made at the first call.
[[nodiscard]] Retained& retained();

/// A socket that listens at the endpoint. Throws std::runtime_error with a sentence that names it.
[[nodiscard]] int open_worker_port(const char* endpoint);

/// Makes everything in `keep` fit `config`: closes and opens the port, makes a new table when its size has
/// changed. Throws std::runtime_error with a sentence.
void prepare(Retained& keep, const ServerConfig& config);

}  // namespace zmqspdy::glue
