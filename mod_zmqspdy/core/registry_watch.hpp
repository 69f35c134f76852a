// What the parent, its registry and its children tell each other beside the worker table.
#pragma once

#include <atomic>
#include <cstdint>

namespace zmqspdy::router {

/// Lives in shared memory of its own, made before any fork and never replaced.
struct RegistryWatch {
    /// Counts configurations. Written by the parent; a child of an earlier one has the logs of that.
    std::atomic<std::uint32_t> configuration;
    /// The least urgent LogLevel that is worth telling. Written by the parent.
    std::atomic<std::uint32_t> log_level;
    /// Grows for as long as the registry gets round its loop. Written by the registry.
    std::atomic<std::uint64_t> beats;
};

}  // namespace zmqspdy::router
