#include "mod_zmqspdy/core/worker_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>
#include <type_traits>

namespace zmqspdy::router {

namespace {

// Changes with every change of the layout below, so that a reloaded module never misreads an older table.
constexpr std::uint64_t kLayout = 0x7a6d717370647912;
constexpr std::size_t kCacheLine = 64;

constexpr std::size_t round_up(std::size_t size, std::size_t to) {
    return (size + to - 1) / to * to;
}

constexpr std::size_t kRecordWords = sizeof(WorkerRecord) / sizeof(std::uint64_t);
static_assert(std::is_trivially_copyable_v<WorkerRecord>);
static_assert(sizeof(WorkerRecord) % sizeof(std::uint64_t) == 0);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
              "only lock-free atomics work between processes");

}  // namespace

struct WorkerTable::Header {
    std::atomic<std::uint64_t> generation;
    std::atomic<std::uint32_t> waiting;
    std::atomic<pid_t> registry;
    std::atomic<std::uint32_t> connections;
    std::atomic<std::uint32_t> relayed_sessions;
    alignas(kCacheLine) std::atomic<std::uint64_t> ticket;
};

// Records and counters on lines of their own: counters change with every request, records hardly ever.
struct WorkerTable::Slot {
    alignas(kCacheLine) std::atomic<std::uint32_t> in_flight;
    std::atomic<std::uint64_t> last_used;
    std::atomic<WorkerId> drained;                            // 0: nobody
    std::atomic<WorkerId> undialable;                         // the same
    alignas(kCacheLine) std::atomic<std::uint32_t> sequence;  // odd while the record is being written
    // Word by word atomic: a reader may overlap a writer and then reads again (a sequence lock).
    std::array<std::atomic<std::uint64_t>, kRecordWords> words;
};

struct WorkerTable::Row {
    std::atomic<pid_t> pid;
    std::atomic<std::uint32_t> waiting;
    std::atomic<std::uint32_t> queued;
    std::atomic<std::uint32_t> streams;
    std::atomic<std::uint32_t> sessions;
    std::array<std::atomic<std::uint64_t>, kWaiters> waiters;
    alignas(kCacheLine) std::array<std::atomic<std::uint64_t>, kWaitingCounts> waiting_counts;
};

namespace {

constexpr std::size_t row_bytes(std::size_t head, std::uint32_t workers) {
    return round_up(head + workers * sizeof(std::atomic<std::uint32_t>), kCacheLine);
}

}  // namespace

WorkerTable::WorkerTable(void* memory, const Geometry& geometry) noexcept
    : memory_{static_cast<std::byte*>(memory)}, geometry_{geometry} {
    static_assert(sizeof(Row) % kCacheLine == 0);
}

std::size_t WorkerTable::bytes_for(Size size) noexcept {
    return sizeof(Header) + size.workers * sizeof(Slot) +
           size.children * row_bytes(sizeof(Row), size.workers);
}

WorkerTable WorkerTable::create(void* memory, Size size) noexcept {
    new (memory) Header{};
    // Two tables are never made at the same time.
    const auto identity =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    const WorkerTable table(memory, {.layout = kLayout, .identity = identity, .size = size});
    for (std::uint32_t i = 0; i < size.workers; ++i)
        new (&table.slot(i)) Slot{};
    for (std::uint32_t child = 0; child < size.children; ++child) {
        new (&table.row(child)) Row{};
        for (std::uint32_t i = 0; i < size.workers; ++i)
            new (&table.count(child, i)) std::atomic<std::uint32_t>{0};
    }
    return table;
}

std::optional<WorkerTable> WorkerTable::attach(void* memory, const Geometry& geometry) noexcept {
    if (memory == nullptr || geometry.layout != kLayout)
        return std::nullopt;
    return WorkerTable(memory, geometry);
}

WorkerTable::Header& WorkerTable::header() const noexcept {
    return *std::launder(reinterpret_cast<Header*>(memory_));
}

WorkerTable::Slot& WorkerTable::slot(std::uint32_t index) const noexcept {
    return *std::launder(reinterpret_cast<Slot*>(memory_ + sizeof(Header) + index * sizeof(Slot)));
}

WorkerTable::Row& WorkerTable::row(std::uint32_t child) const noexcept {
    const auto workers = geometry_.size.workers;
    return *std::launder(reinterpret_cast<Row*>(memory_ + sizeof(Header) + workers * sizeof(Slot) +
                                                child * row_bytes(sizeof(Row), workers)));
}

std::atomic<std::uint32_t>& WorkerTable::count(std::uint32_t child, std::uint32_t slot) const noexcept {
    auto* const counts = reinterpret_cast<std::byte*>(&row(child)) + sizeof(Row);
    return *std::launder(reinterpret_cast<std::atomic<std::uint32_t>*>(counts) + slot);
}

std::uint64_t WorkerTable::generation() const noexcept {
    return header().generation.load(std::memory_order_acquire);
}

namespace {

/// A copy that is fit to use, whatever stood there.
WorkerRecord to_record(const std::array<std::uint64_t, kRecordWords>& words) noexcept {
    WorkerRecord record;
    std::memcpy(&record, words.data(), sizeof record);
    record.name.back() = '\0';
    record.service.back() = '\0';
    record.endpoint.back() = '\0';
    return record.id < kWorkerIds ? record : WorkerRecord{};
}

}  // namespace

WorkerRecord WorkerTable::read(std::uint32_t index) const noexcept {
    return read(index, std::chrono::steady_clock::now() + kPatience);
}

WorkerRecord WorkerTable::read(std::uint32_t index,
                               std::chrono::steady_clock::time_point until) const noexcept {
    const Slot& from = slot(index);
    // A writer is done within moments, or as soon as it gets a processor again, unless it was killed in the
    // middle. Then the slot counts as free until the next registry clears it.
    constexpr int kSpins = 100;
    for (int tries = 0;; ++tries) {
        const auto before = from.sequence.load(std::memory_order_acquire);
        std::array<std::uint64_t, kRecordWords> words;
        for (std::size_t i = 0; i < kRecordWords; ++i)
            words[i] = from.words[i].load(std::memory_order_acquire);
        const auto after = from.sequence.load(std::memory_order_relaxed);
        if (before == after && before % 2 == 0)
            return to_record(words);
        if (tries < kSpins)
            continue;
        if (std::chrono::steady_clock::now() >= until)
            return WorkerRecord{};
        std::this_thread::yield();
    }
}

void WorkerTable::write(std::uint32_t index, const WorkerRecord& record) noexcept {
    Slot& to = slot(index);
    std::array<std::uint64_t, kRecordWords> words;
    std::memcpy(words.data(), &record, sizeof record);
    // A registry that was killed in the middle left an odd number behind; the next one starts from there.
    const auto start = to.sequence.load(std::memory_order_relaxed) | 1U;
    to.sequence.store(start, std::memory_order_seq_cst);
    for (std::size_t i = 0; i < kRecordWords; ++i)
        to.words[i].store(words[i], std::memory_order_release);
    to.sequence.store(start + 1, std::memory_order_release);
    header().generation.fetch_add(1, std::memory_order_acq_rel);
}

void WorkerTable::clear(std::uint32_t index) noexcept {
    write(index, WorkerRecord{});
}

std::uint32_t WorkerTable::in_flight(std::uint32_t index) const noexcept {
    return slot(index).in_flight.load(std::memory_order_relaxed);
}

bool WorkerTable::try_reserve(std::uint32_t index, std::uint32_t capacity, std::uint32_t child) noexcept {
    auto& total = slot(index).in_flight;
    auto now = total.load(std::memory_order_relaxed);
    do {
        if (now >= capacity)
            return false;
    } while (
        !total.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    count(child, index).fetch_add(1, std::memory_order_relaxed);
    return true;
}

void WorkerTable::release(std::uint32_t index, std::uint32_t child) noexcept {
    count(child, index).fetch_sub(1, std::memory_order_relaxed);
    slot(index).in_flight.fetch_sub(1, std::memory_order_acq_rel);
}

std::uint64_t WorkerTable::last_used(std::uint32_t index) const noexcept {
    return slot(index).last_used.load(std::memory_order_relaxed);
}

void WorkerTable::touch(std::uint32_t index) noexcept {
    const auto ticket = header().ticket.fetch_add(1, std::memory_order_relaxed) + 1;
    slot(index).last_used.store(ticket, std::memory_order_relaxed);
}

std::uint64_t WorkerTable::last_ticket() const noexcept {
    return header().ticket.load(std::memory_order_relaxed);
}

void WorkerTable::set_drained(std::uint32_t index, WorkerId worker, bool drained) noexcept {
    slot(index).drained.store(drained ? worker : 0, std::memory_order_release);
}

bool WorkerTable::is_drained(std::uint32_t index, WorkerId worker) const noexcept {
    return slot(index).drained.load(std::memory_order_acquire) == worker;
}

void WorkerTable::set_undialable(std::uint32_t index, WorkerId worker) noexcept {
    slot(index).undialable.store(worker, std::memory_order_release);
}

bool WorkerTable::is_undialable(std::uint32_t index, WorkerId worker) const noexcept {
    return slot(index).undialable.load(std::memory_order_acquire) == worker;
}

std::optional<std::uint32_t> WorkerTable::join(pid_t pid) noexcept {
    for (std::uint32_t child = 0; child < geometry_.size.children; ++child) {
        pid_t nobody = 0;
        if (row(child).pid.compare_exchange_strong(nobody, pid, std::memory_order_acq_rel))
            return child;
    }
    return std::nullopt;
}

std::uint32_t WorkerTable::leave(std::uint32_t child) noexcept {
    set_waiting(child, false);
    publish_waiters(child, {});
    for (std::size_t place = 0; place < kWaitingCounts; ++place)
        set_waiting_count(child, place, {});
    report(child, {});
    std::uint32_t reclaimed = 0;
    for (std::uint32_t i = 0; i < geometry_.size.workers; ++i) {
        const auto left = count(child, i).exchange(0, std::memory_order_acq_rel);
        if (left != 0)
            slot(i).in_flight.fetch_sub(left, std::memory_order_acq_rel);
        reclaimed += left;
    }
    row(child).pid.store(0, std::memory_order_release);
    return reclaimed;
}

std::optional<std::uint32_t> WorkerTable::find_child(pid_t pid) const noexcept {
    for (std::uint32_t child = 0; child < geometry_.size.children; ++child)
        if (row(child).pid.load(std::memory_order_acquire) == pid)
            return child;
    return std::nullopt;
}

void WorkerTable::set_waiting(std::uint32_t child, bool waiting) noexcept {
    const std::uint32_t now = waiting ? 1 : 0;
    if (row(child).waiting.exchange(now, std::memory_order_acq_rel) == now)
        return;
    if (waiting)
        header().waiting.fetch_add(1, std::memory_order_seq_cst);
    else
        header().waiting.fetch_sub(1, std::memory_order_seq_cst);
}

bool WorkerTable::anyone_waiting() const noexcept {
    return header().waiting.load(std::memory_order_seq_cst) != 0;
}

bool WorkerTable::anyone_waiting_beside(std::uint32_t child) const noexcept {
    return header().waiting.load(std::memory_order_seq_cst) >
           row(child).waiting.load(std::memory_order_relaxed);
}

void WorkerTable::publish_waiters(std::uint32_t child, std::span<const QueuePosition> waiters) noexcept {
    auto& to = row(child).waiters;
    for (std::size_t i = 0; i < kWaiters; ++i)
        to[i].store(i < waiters.size() ? waiters[i].word() : 0, std::memory_order_release);
}

std::optional<QueuePosition> WorkerTable::first_before(
    std::uint32_t child, QueuePosition position, std::span<const QueuePosition> passed_over) const noexcept {
    std::optional<QueuePosition> first;
    if (!anyone_waiting_beside(child))
        return first;
    for (std::uint32_t other = 0; other < geometry_.size.children; ++other) {
        if (other == child)
            continue;
        for (const auto& word : row(other).waiters) {
            const auto found = QueuePosition::from_word(word.load(std::memory_order_acquire));
            if (found.goes_before(first.value_or(position)) &&
                std::find(passed_over.begin(), passed_over.end(), found) == passed_over.end())
                first = found;
        }
    }
    return first;
}

void WorkerTable::set_waiting_count(std::uint32_t child, std::size_t place, WaitingCount count) noexcept {
    row(child).waiting_counts[place].store(count.word(), std::memory_order_seq_cst);
}

std::uint64_t WorkerTable::waiting_beside(std::uint32_t child, std::string_view service) const noexcept {
    std::uint64_t all = 0;
    for (std::uint32_t other = 0; other < geometry_.size.children; ++other) {
        if (other == child)
            continue;
        for (const auto& word : row(other).waiting_counts)
            all += WaitingCount::from_word(word.load(std::memory_order_seq_cst)).of(service);
    }
    return all;
}

std::optional<WorkerTable::Child> WorkerTable::child(std::uint32_t index) const noexcept {
    const Row& from = row(index);
    const pid_t pid = from.pid.load(std::memory_order_acquire);
    if (pid == 0)
        return std::nullopt;
    std::uint32_t slots = 0;
    for (std::uint32_t i = 0; i < geometry_.size.workers; ++i)
        slots += count(index, i).load(std::memory_order_relaxed);
    return Child{pid,
                 slots,
                 {.queued = from.queued.load(std::memory_order_relaxed),
                  .streams = from.streams.load(std::memory_order_relaxed),
                  .sessions = from.sessions.load(std::memory_order_relaxed)}};
}

void WorkerTable::report(std::uint32_t child, const ChildActivity& activity) noexcept {
    Row& to = row(child);
    to.queued.store(activity.queued, std::memory_order_relaxed);
    to.streams.store(activity.streams, std::memory_order_relaxed);
    to.sessions.store(activity.sessions, std::memory_order_relaxed);
}

RegistryActivity WorkerTable::registry() const noexcept {
    return {.pid = header().registry.load(std::memory_order_relaxed),
            .connections = header().connections.load(std::memory_order_relaxed),
            .relayed_sessions = header().relayed_sessions.load(std::memory_order_relaxed)};
}

void WorkerTable::report(const RegistryActivity& activity) noexcept {
    header().registry.store(activity.pid, std::memory_order_relaxed);
    header().connections.store(activity.connections, std::memory_order_relaxed);
    header().relayed_sessions.store(activity.relayed_sessions, std::memory_order_relaxed);
}

}  // namespace zmqspdy::router
