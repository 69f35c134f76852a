#include "mod_zmqspdy/core/dispatch.hpp"

#include <algorithm>

namespace zmqspdy::router {

bool Snapshot::refresh(const WorkerTable& table) {
    // The generation is read first: a change during the walk makes the next refresh() walk again.
    const auto generation = table.generation();
    if (generation_ == generation)
        return false;
    candidates_.clear();
    for (std::uint32_t slot = 0; slot < table.size().workers; ++slot) {
        const auto record = table.read(slot);
        if (record.id != 0)
            candidates_.push_back({slot, record});
    }
    generation_ = generation;
    return true;
}

const Candidate* Snapshot::find(WorkerId id) const noexcept {
    const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                    [id](const Candidate& candidate) { return candidate.record.id == id; });
    return found == candidates_.end() ? nullptr : &*found;
}

std::uint64_t Snapshot::weight_at(SharedTime now, const WorkerRecord& record) const noexcept {
    const auto age = std::clamp<SharedTime>(now - record.joined, 0, slow_start_);
    const auto share = slow_start_ > 0 ? std::max<SharedTime>(1, 100 * age / slow_start_) : 100;
    return record.weight * static_cast<std::uint64_t>(share);
}

const Candidate* choose_worker(const Snapshot& snapshot, const WorkerTable& table, std::string_view service,
                               const Eligible& eligible) {
    const SharedTime now = snapshot.has_slow_start() ? to_shared(std::chrono::steady_clock::now()) : 0;
    const Candidate* best = nullptr;
    std::uint64_t best_load = 0;
    std::uint64_t best_weight = 1;
    std::uint64_t best_last_used = 0;
    for (const Candidate& candidate : snapshot.candidates()) {
        const WorkerRecord& record = candidate.record;
        if (record.draining != 0 || record.service_view() != service)
            continue;
        const std::uint64_t in_flight = table.in_flight(candidate.slot);
        if (in_flight >= record.capacity || table.is_drained(candidate.slot, record.id))
            continue;
        // a/w < b/v without division or rounding: a * v < b * w.
        const std::uint64_t weight = snapshot.weight_at(now, record);
        const std::uint64_t load = in_flight * best_weight;
        const std::uint64_t rival = best_load * weight;
        const auto last_used = table.last_used(candidate.slot);
        if (best && (load > rival || (load == rival && last_used >= best_last_used)))
            continue;
        if (eligible && !eligible(candidate))
            continue;
        best = &candidate;
        best_load = in_flight;
        best_weight = weight;
        best_last_used = last_used;
    }
    return best;
}

const Candidate* reserve_worker(const Snapshot& snapshot, WorkerTable& table, std::uint32_t child,
                                std::string_view service, const Eligible& eligible) {
    // Another child may take the last slot between our look and our reservation: then look again. Each lost
    // race means that somebody else got on, so the bound is only for the sake of having one.
    for (int tries = 0; tries < 16; ++tries) {
        const Candidate* const best = choose_worker(snapshot, table, service, eligible);
        if (!best)
            return nullptr;
        if (table.try_reserve(best->slot, best->record.capacity, child)) {
            table.touch(best->slot);
            return best;
        }
    }
    return nullptr;
}

}  // namespace zmqspdy::router
