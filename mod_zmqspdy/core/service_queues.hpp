// How many requests of each service wait for a worker, over all children of httpd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mod_zmqspdy/core/worker_table.hpp"

namespace zmqspdy::router {

/// Those of one child, which the worker table shows to the others, and the limit that all of them keep. What a child that
/// was killed had counted goes with its row of the table. The pool's thread alone.
class ServiceQueues {
  public:
    /// `limit`: requests of one service that may wait, in all children together; 1 at least.
    ServiceQueues(WorkerTable& table, std::uint32_t child, std::size_t limit)
        : table_{table}, child_{child}, limit_{limit} {}

    /// Counts one more, unless as many wait as may. Never more than the limit are let in; of two children that take the last
    /// place at the same moment both may be told that there is none.
    [[nodiscard]] bool enter(std::string_view service);
    /// The same for one that has been let in before.
    void come_back(std::string_view service);
    void leave(std::string_view service);
    [[nodiscard]] bool is_full(std::string_view service) const { return waiting(service) >= limit_; }
    /// Nobody waits any more.
    void clear();

  private:
    struct Entry {
        std::string service;
        std::size_t requests = 0;
    };
    [[nodiscard]] std::uint64_t waiting(std::string_view service) const;
    [[nodiscard]] Entry& entry(std::string_view service);
    void tell(const Entry& entry);

    WorkerTable& table_;
    std::uint32_t child_;
    std::size_t limit_;
    std::vector<Entry> entries_;  // their places are those in the table
};

}  // namespace zmqspdy::router
