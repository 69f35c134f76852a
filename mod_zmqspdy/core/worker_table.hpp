// The worker table: who is there, and how busy, in memory that the registry and all children share.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "mod_zmqspdy/core/queue_position.hpp"
#include "mod_zmqspdy/core/shared_time.hpp"
#include "mod_zmqspdy/core/waiting_count.hpp"
#include "transport/announcement.hpp"

namespace zmqspdy::router {

/// Names one announcement of one worker; never reused while the table lives, and below kWorkerIds. 0: nobody.
using WorkerId = std::uint64_t;
inline constexpr WorkerId kWorkerIds = WorkerId{1} << 62U;

/// What children need to know of a worker. Trivially copyable: it lives in shared memory.
struct WorkerRecord {
    WorkerId id;
    SharedTime joined;       ///< when it was first announced
    std::uint64_t instance;  ///< the process, under whatever id it is announced; 0: unknown
    std::uint32_t capacity;
    std::uint32_t weight;
    std::uint32_t draining;  ///< 1: gets no new requests, finishes what it has
    std::uint32_t relayed;   ///< 1: reached through the registry, `endpoint` is empty
    std::array<char, 64> name;
    std::array<char, 64> service;
    std::array<char, 136> endpoint;

    [[nodiscard]] std::string_view name_view() const noexcept { return name.data(); }
    [[nodiscard]] std::string_view service_view() const noexcept { return service.data(); }
    [[nodiscard]] std::string_view endpoint_view() const noexcept { return endpoint.data(); }
};

/// Copies text that was checked to fit; cuts it otherwise. Always ends in a NUL.
template <std::size_t Size>
void assign(std::array<char, Size>& to, std::string_view from) noexcept {
    const auto length = from.copy(to.data(), Size - 1);
    to[length] = '\0';
}

/// How much there is of what must come back to zero at rest, as its owner said last.
struct ChildActivity {
    std::uint32_t queued = 0;    ///< requests that wait for a worker
    std::uint32_t streams = 0;   ///< requests at workers
    std::uint32_t sessions = 0;  ///< workers it is connected to
    [[nodiscard]] bool operator==(const ChildActivity&) const noexcept = default;
};
struct RegistryActivity {
    pid_t pid = 0;
    std::uint32_t connections = 0;       ///< at the worker port, those that have announced nothing included
    std::uint32_t relayed_sessions = 0;  ///< between children and workers, through it
};

/// A view of the mapping; the mapping itself belongs to httpd's parent process and ends with it. One writer
/// of records (the registry), many readers; counters are changed by everyone, atomically.
///
/// Every process that has the mapping can write anything into it, and httpd's parent, which reads it, is root. So what says
/// where something lies is each process's own, and what is read is made fit to use: whatever stands there, no call reads
/// or writes outside of the mapping, or lasts longer than its bound.
class WorkerTable {
  public:
    struct Size {
        std::uint32_t workers;   ///< workers at once
        std::uint32_t children;  ///< httpd children at once
        [[nodiscard]] bool operator==(const Size&) const noexcept = default;
    };

    /// Bytes of shared memory a table of that size takes.
    [[nodiscard]] static std::size_t bytes_for(Size size) noexcept;
    /// Makes a new table in zeroed shared memory of bytes_for(size) bytes, aligned to a page.
    [[nodiscard]] static WorkerTable create(void* memory, Size size) noexcept;
    /// What a process must know of a table to look at it. Plain data, kept outside of the shared memory.
    struct Geometry {
        std::uint64_t layout;  ///< of the version that made it
        /// Tells this table from any other that this host has had since it was started, also at the same address.
        std::uint64_t identity;
        Size size;
    };
    /// Looks at one made before, maybe by an earlier load of this module. Nothing when it was laid out by
    /// another version, or never made.
    [[nodiscard]] static std::optional<WorkerTable> attach(void* memory, const Geometry& geometry) noexcept;

    [[nodiscard]] const Geometry& geometry() const noexcept { return geometry_; }
    [[nodiscard]] Size size() const noexcept { return geometry_.size; }

    // Records. Written by the registry alone.

    /// Grows with every change of any record.
    [[nodiscard]] std::uint64_t generation() const noexcept;
    /// How long a reader waits for a writer that was interrupted.
    static constexpr std::chrono::milliseconds kPatience{200};
    /// A consistent copy; id 0 when the slot is free, or when its writer is not done at `until`. For several slots give the
    /// same time.
    [[nodiscard]] WorkerRecord read(std::uint32_t slot,
                                    std::chrono::steady_clock::time_point until) const noexcept;
    [[nodiscard]] WorkerRecord read(std::uint32_t slot) const noexcept;
    void write(std::uint32_t slot, const WorkerRecord& record) noexcept;
    void clear(std::uint32_t slot) noexcept;

    // Counters.

    [[nodiscard]] std::uint32_t in_flight(std::uint32_t slot) const noexcept;
    /// Counts one more request of `child` in `slot` unless there are `capacity` already, over all children.
    [[nodiscard]] bool try_reserve(std::uint32_t slot, std::uint32_t capacity, std::uint32_t child) noexcept;
    void release(std::uint32_t slot, std::uint32_t child) noexcept;
    /// When `slot` last got a request, in tickets that grow over all children: ties go to the smallest.
    [[nodiscard]] std::uint64_t last_used(std::uint32_t slot) const noexcept;
    void touch(std::uint32_t slot) noexcept;
    /// The highest ticket given out so far.
    [[nodiscard]] std::uint64_t last_ticket() const noexcept;

    // An operator's drain: of this announcement of the worker, so it ends with it.

    /// Written by any process.
    void set_drained(std::uint32_t slot, WorkerId worker, bool drained) noexcept;
    [[nodiscard]] bool is_drained(std::uint32_t slot, WorkerId worker) const noexcept;

    // A worker that is announced, but that no child reaches: of this announcement as well.

    /// Written by children.
    void set_undialable(std::uint32_t slot, WorkerId worker) noexcept;
    [[nodiscard]] bool is_undialable(std::uint32_t slot, WorkerId worker) const noexcept;

    // Children.

    /// Takes a row for the calling process. Nothing when all are taken.
    [[nodiscard]] std::optional<std::uint32_t> join(pid_t pid) noexcept;
    /// Gives back a row and every request still counted in it; returns how many there were.
    std::uint32_t leave(std::uint32_t child) noexcept;
    /// The row of `pid`, if it has one.
    [[nodiscard]] std::optional<std::uint32_t> find_child(pid_t pid) const noexcept;
    /// Says whether requests wait in the child's queue, so that a freed slot is worth a wake-up.
    void set_waiting(std::uint32_t child, bool waiting) noexcept;
    [[nodiscard]] bool anyone_waiting() const noexcept;
    [[nodiscard]] bool anyone_waiting_beside(std::uint32_t child) const noexcept;
    /// The first of each service that waits in the child's queue; of more services than kWaiters the rest is not told.
    static constexpr std::size_t kWaiters = 4;
    void publish_waiters(std::uint32_t child, std::span<const QueuePosition> waiters) noexcept;
    /// The position of another child's request that must be served before `position`, but for those in `passed_over`.
    [[nodiscard]] std::optional<QueuePosition> first_before(
        std::uint32_t child, QueuePosition position,
        std::span<const QueuePosition> passed_over) const noexcept;
    /// How many requests of each service wait in the child's queue, each count in a place of its own below kWaitingCounts; of
    /// more services at once the rest counts in this child alone.
    static constexpr std::size_t kWaitingCounts = 32;
    void set_waiting_count(std::uint32_t child, std::size_t place, WaitingCount count) noexcept;
    /// How many requests of the service wait in all other children.
    [[nodiscard]] std::uint64_t waiting_beside(std::uint32_t child, std::string_view service) const noexcept;

    // What is shown of all this.

    struct Child {
        pid_t pid;
        std::uint32_t slots;  ///< requests counted at workers in its name
        ChildActivity activity;
    };
    /// Nothing when the row is free.
    [[nodiscard]] std::optional<Child> child(std::uint32_t child) const noexcept;
    void report(std::uint32_t child, const ChildActivity& activity) noexcept;
    [[nodiscard]] RegistryActivity registry() const noexcept;
    void report(const RegistryActivity& activity) noexcept;

  private:
    struct Header;
    struct Slot;
    struct Row;
    WorkerTable(void* memory, const Geometry& geometry) noexcept;

    [[nodiscard]] Header& header() const noexcept;
    [[nodiscard]] Slot& slot(std::uint32_t index) const noexcept;
    [[nodiscard]] Row& row(std::uint32_t child) const noexcept;
    [[nodiscard]] std::atomic<std::uint32_t>& count(std::uint32_t child, std::uint32_t slot) const noexcept;

    std::byte* memory_;
    Geometry geometry_;
};

}  // namespace zmqspdy::router
