// What the parent keeps from one configuration to the next, while this module is unloaded and loaded in
// between.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "mod_zmqspdy/core/registry_watch.hpp"
#include "mod_zmqspdy/core/worker_table.hpp"
#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/worker_port.hpp"

namespace zmqspdy::glue {

/// Plain data: no pointer into this module's code may be in it. httpd keeps it in the process pool. The
/// parent writes it; children and the registry have copies from their fork.
struct Retained {
    int passes;  ///< of post_config
    pid_t parent;
    std::array<char, 128> listen;  ///< the endpoint that listen_fds belong to, as the directive writes it
    /// The worker port: a socket for each of its addresses, in front; -1: none.
    std::array<int, kMaxWorkerPortSockets> listen_fds;
    std::uint64_t identity;  ///< tells workers this httpd from any other; 0: not chosen yet
    int wakeup_fd;           ///< eventfd that children wait on for news of workers; -1: none
    void* table;             ///< shared memory
    router::WorkerTable::Geometry table_geometry;  ///< how it is laid out; zeros: there is none
    std::size_t table_bytes;
    apr_proc_t registry;  ///< pid 0: none
    apr_time_t registry_started;
    int registry_failures;  ///< in a row
    /// How the parent's looks at the registry went: see look_after_registry().
    struct Looks {
        std::uint64_t beats;  ///< seen last
        int silent;           ///< looks in a row without a beat; -1: it has just begun
        int alive;            ///< looks in a row with one
        int hangs;            ///< how often it was killed for that lately
    } looks;
    router::RegistryWatch* watch;    ///< shared memory
    std::array<int, 2> log_relay;    ///< the registry's log lines: in at the front, out at the back; -1: none
    std::array<char, 64> relay;      ///< endpoint where the registry takes children's sessions
    std::array<char, 256> settings;  ///< what the running registry was started with
};

/// The one Retained of this server; made at the first call.
[[nodiscard]] Retained& retained();

/// Closes this process's descriptors of the worker port.
void close_worker_port(Retained& keep) noexcept;

/// Makes everything in `keep` fit `config`: closes and opens the port, makes a new table when its size has
/// changed. Throws std::runtime_error with a sentence.
void prepare(Retained& keep, const ServerConfig& config);

}  // namespace zmqspdy::glue
