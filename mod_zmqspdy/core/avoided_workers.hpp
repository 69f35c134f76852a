// Workers that the table still offers but this child had better not dial.
#pragma once

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "mod_zmqspdy/core/dispatch.hpp"

namespace zmqspdy::router {

/// Belongs to the pool's thread.
class AvoidedWorkers {
  public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool contains(WorkerId worker) const {
        if (until_.empty())
            return false;
        const auto found = until_.find(worker);
        return found != until_.end() && found->second.until > Clock::now();
    }
    /// Of one that contains() is true for: because it has said goodbye, not because it failed.
    [[nodiscard]] bool has_left(WorkerId worker) const {
        const auto found = until_.find(worker);
        return found != until_.end() && found->second.failures == 0;
    }
    struct Ejection {
        unsigned failures;  ///< in a row, this one included
        std::chrono::milliseconds pause;
    };
    /// It failed: left alone for a while that doubles with each failure in a row. `reached`: there was a connection.
    Ejection failed(WorkerId worker, bool reached = true) {
        const auto now = Clock::now();
        auto& entry = until_[worker];
        const auto pause = std::min(kFirstPause * (1U << std::min(entry.failures, 6U)), kLongestPause);
        entry.until = now + pause;
        ++entry.failures;
        entry.unreached = reached ? 0 : entry.unreached + 1;
        if (entry.unreached == 1)
            entry.unreached_since = now;
        return {entry.failures, pause};
    }
    /// Nothing but connections that did not come about, `least` of them or more, for as long as `period`.
    [[nodiscard]] bool is_out_of_reach(WorkerId worker, unsigned least, Clock::duration period) const {
        const auto found = until_.find(worker);
        return found != until_.end() && found->second.unreached >= least &&
               Clock::now() - found->second.unreached_since >= period;
    }
    /// It has said goodbye: it will leave the table. Another may take over its place there, though, even under its id if
    /// the registry was away meanwhile, so not for ever.
    void goodbye(WorkerId worker) { until_[worker] = {.until = Clock::now() + kAfterGoodbye}; }
    /// It serves. Returns how often it had failed in a row.
    unsigned succeeded(WorkerId worker) {
        if (until_.empty())
            return 0;
        const auto entry = until_.extract(worker);
        return entry ? entry.mapped().failures : 0;
    }
    void forget_all_but(const Snapshot& present) {
        std::erase_if(until_, [&present](const auto& entry) { return !present.find(entry.first); });
    }

  private:
    static constexpr std::chrono::milliseconds kFirstPause{100};
    static constexpr std::chrono::milliseconds kLongestPause{5000};
    static constexpr std::chrono::milliseconds kAfterGoodbye{1000};

    struct Entry {
        Clock::time_point until;
        unsigned failures = 0;
        unsigned unreached = 0;  // of these the last in a row that had no connection
        Clock::time_point unreached_since = {};
    };
    std::unordered_map<WorkerId, Entry> until_;
};

}  // namespace zmqspdy::router
