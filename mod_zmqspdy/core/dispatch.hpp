// Which worker gets the next request.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mod_zmqspdy/core/worker_table.hpp"

namespace zmqspdy::router {

/// A worker as it stood in the table when the snapshot was taken.
struct Candidate {
    std::uint32_t slot;
    WorkerRecord record;
};

/// A child's private copy of the table, so that choosing a worker reads shared memory only for counters.
class Snapshot {
  public:
    /// Reads the table again if it has changed; true when it had.
    bool refresh(const WorkerTable& table);

    [[nodiscard]] std::span<const Candidate> candidates() const noexcept { return candidates_; }
    [[nodiscard]] const Candidate* find(WorkerId id) const noexcept;

  private:
    std::optional<std::uint64_t> generation_;
    std::vector<Candidate> candidates_;
};

/// True for workers that this request may go to now.
using Eligible = std::function<bool(const Candidate&)>;

/// Picks the worker of `service` with the fewest requests in flight per weight, the least recently used one
/// among equals (so that idle workers take turns, over all children), and reserves a slot of it for `child`.
/// Nothing when every eligible worker is at its capacity, or there is none.
[[nodiscard]] const Candidate* reserve_worker(const Snapshot& snapshot, WorkerTable& table,
                                              std::uint32_t child, std::string_view service,
                                              const Eligible& eligible);

}  // namespace zmqspdy::router
