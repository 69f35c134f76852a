// Which worker gets the next request.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mod_zmqspdy/core/shared_time.hpp"
#include "mod_zmqspdy/core/shortage.hpp"
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
    /// For so long after it joined, a worker's weight grows from a hundredth to all of it; 0: it has all at once.
    explicit Snapshot(std::chrono::milliseconds slow_start = {}) : slow_start_{slow_start.count()} {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    /// Reads the table again if it has changed; true when it had.
    bool refresh(const WorkerTable& table);

    [[nodiscard]] std::span<const Candidate> candidates() const noexcept { return candidates_; }
    [[nodiscard]] const Candidate* find(WorkerId id) const noexcept;
    /// Those of `service` that have not said that they leave. Valid until the next refresh().
    [[nodiscard]] std::span<const Candidate* const> serving(std::string_view service) const noexcept;
    /// How many of `service` have said that they leave.
    [[nodiscard]] std::uint32_t leaving(std::string_view service) const noexcept;

    [[nodiscard]] bool has_slow_start() const noexcept { return slow_start_ > 0; }
    /// What the worker's weight counts for at `now`, in hundredths of itself.
    [[nodiscard]] std::uint64_t weight_at(SharedTime now, const WorkerRecord& record) const noexcept;

  private:
    SharedTime slow_start_;
    std::optional<std::uint64_t> generation_;
    std::vector<Candidate> candidates_;
    // Both point into candidates_.
    std::unordered_map<WorkerId, const Candidate*> by_id_;
    struct Members {
        std::vector<const Candidate*> serving;
        std::uint32_t leaving = 0;
    };
    std::unordered_map<std::string_view, Members> by_service_;
};

/// True for workers that this request may go to now.
using Eligible = std::function<bool(const Candidate&)>;

/// With more workers of a service than this, so many of them are compared, others with each request.
inline constexpr std::size_t kCompared = 16;

/// The worker of `service` with the fewest requests in flight per weight that it has by now, the least recently used one
/// among equals (so that idle workers take turns, over all children). Of more than kCompared it is the best of so many in
/// a row, from a place that moves on with each request of any child: what a choice costs does not grow with the number of
/// workers, and the load is spread nearly as evenly. Nothing when every eligible worker is at its capacity, or there is
/// none. Then `shortage`, if given, says what the table has against each of them; what `eligible` has is its to add.
[[nodiscard]] const Candidate* choose_worker(const Snapshot& snapshot, const WorkerTable& table,
                                             std::string_view service, const Eligible& eligible,
                                             Shortage* shortage = nullptr);

/// Chooses one and reserves a slot of it for `child`.
[[nodiscard]] const Candidate* reserve_worker(const Snapshot& snapshot, WorkerTable& table,
                                              std::uint32_t child, std::string_view service,
                                              const Eligible& eligible, Shortage* shortage = nullptr);

}  // namespace zmqspdy::router
