#include "mod_zmqspdy/core/dispatch.hpp"

#include <algorithm>

namespace zmqspdy::router {

bool Snapshot::refresh(const WorkerTable& table) {
    // The generation is read first: a change during the walk makes the next refresh() walk again.
    const auto generation = table.generation();
    if (generation_ == generation)
        return false;
    candidates_.clear();
    by_id_.clear();
    by_service_.clear();
    const auto until = std::chrono::steady_clock::now() + WorkerTable::kPatience;
    for (std::uint32_t slot = 0; slot < table.size().workers; ++slot) {
        const auto record = table.read(slot, until);
        if (record.id != 0)
            candidates_.push_back({slot, record});
    }
    for (const Candidate& candidate : candidates_) {
        by_id_.emplace(candidate.record.id, &candidate);
        Members& members = by_service_[candidate.record.service_view()];
        if (candidate.record.draining == 0)
            members.serving.push_back(&candidate);
        else
            ++members.leaving;
    }
    generation_ = generation;
    return true;
}

const Candidate* Snapshot::find(WorkerId id) const noexcept {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

std::span<const Candidate* const> Snapshot::serving(std::string_view service) const noexcept {
    const auto found = by_service_.find(service);
    if (found == by_service_.end())
        return {};
    return found->second.serving;
}

std::uint32_t Snapshot::leaving(std::string_view service) const noexcept {
    const auto found = by_service_.find(service);
    return found == by_service_.end() ? 0 : found->second.leaving;
}

std::uint64_t Snapshot::weight_at(SharedTime now, const WorkerRecord& record) const noexcept {
    const auto age = std::clamp<SharedTime>(now - record.joined, 0, slow_start_);
    const auto share = slow_start_ > 0 ? std::max<SharedTime>(1, 100 * age / slow_start_) : 100;
    return record.weight * static_cast<std::uint64_t>(share);
}

namespace {

/// The best of those it was shown.
class Choice {
  public:
    Choice(const Snapshot& snapshot, const WorkerTable& table, const Eligible& eligible, Shortage& shortage)
        : snapshot_{snapshot},
          table_{table},
          eligible_{eligible},
          shortage_{shortage},
          now_{snapshot.has_slow_start() ? to_shared(std::chrono::steady_clock::now()) : 0} {}

    void consider(const Candidate& candidate) {
        const WorkerRecord& record = candidate.record;
        const std::uint64_t in_flight = table_.in_flight(candidate.slot);
        if (table_.is_drained(candidate.slot, record.id)) {
            ++shortage_.drained;
            return;
        }
        if (in_flight >= record.capacity) {
            ++shortage_.full;
            return;
        }
        // a/w < b/v without division or rounding: a * v < b * w.
        const std::uint64_t weight = snapshot_.weight_at(now_, record);
        const std::uint64_t load = in_flight * weight_;
        const std::uint64_t rival = load_ * weight;
        const auto last_used = table_.last_used(candidate.slot);
        if (best_ && (load > rival || (load == rival && last_used >= last_used_)))
            return;
        if (eligible_ && !eligible_(candidate))
            return;
        best_ = &candidate;
        load_ = in_flight;
        weight_ = weight;
        last_used_ = last_used;
    }
    [[nodiscard]] const Candidate* best() const noexcept { return best_; }

  private:
    const Snapshot& snapshot_;
    const WorkerTable& table_;
    const Eligible& eligible_;
    Shortage& shortage_;
    const SharedTime now_;
    const Candidate* best_ = nullptr;
    std::uint64_t load_ = 0;
    std::uint64_t weight_ = 1;
    std::uint64_t last_used_ = 0;
};

}  // namespace

const Candidate* choose_worker(const Snapshot& snapshot, const WorkerTable& table, std::string_view service,
                               const Eligible& eligible, Shortage* shortage) {
    const auto workers = snapshot.serving(service);
    Shortage unasked;
    Shortage& found = shortage != nullptr ? *shortage : unasked;
    const std::uint32_t leaving = snapshot.leaving(service);
    found = {};
    found.looked = 1;
    found.leaving = leaving;
    found.elsewhere = snapshot.candidates().size() > workers.size() + leaving ? 1 : 0;
    if (workers.empty())
        return nullptr;
    Choice choice{snapshot, table, eligible, found};
    const std::size_t start = workers.size() > kCompared ? table.last_ticket() % workers.size() : 0;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        choice.consider(*workers[(start + i) % workers.size()]);
        // Where all of these are busy the next ones are asked, and so on: nobody waits while any has a place.
        if ((i + 1) % kCompared == 0 && choice.best())
            break;
    }
    return choice.best();
}

const Candidate* reserve_worker(const Snapshot& snapshot, WorkerTable& table, std::uint32_t child,
                                std::string_view service, const Eligible& eligible, Shortage* shortage) {
    // Another child may take the last slot between our look and our reservation: then look again. Each lost
    // race means that somebody else got on, so the bound is only for the sake of having one.
    for (int tries = 0; tries < 16; ++tries) {
        const Candidate* const best = choose_worker(snapshot, table, service, eligible, shortage);
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
