// Workers that the table still offers but this child does not dial for a while, since they failed or said GOAWAY.
#pragma once

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "mod_zmqspdy/core/dispatch.hpp"

namespace zmqspdy::router {

/// Belongs to the pool's thread.
class OutlierEjection {
  public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool is_ejected(WorkerId worker) const {
        if (ejected_.empty())
            return false;
        const auto found = ejected_.find(worker);
        return found != ejected_.end() && found->second.until > Clock::now();
    }
    /// Of one that is_ejected() is true for: because it said GOAWAY, not because it failed.
    [[nodiscard]] bool has_left(WorkerId worker) const {
        const auto found = ejected_.find(worker);
        return found != ejected_.end() && found->second.failures == 0;
    }
    struct Ejection {
        unsigned failures;  ///< in a row, this one included
        std::chrono::milliseconds pause;
    };
    /// It failed: ejected for a while that doubles with each failure in a row. `reached`: there was a connection.
    Ejection failed(WorkerId worker, bool reached = true) {
        const auto now = Clock::now();
        auto& entry = ejected_[worker];
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
        const auto found = ejected_.find(worker);
        return found != ejected_.end() && found->second.unreached >= least &&
               Clock::now() - found->second.unreached_since >= period;
    }
    /// It has said GOAWAY: it will leave the table. Another may take over its place there, though, even under its id if
    /// the registry was away meanwhile, so not for ever.
    void went_away(WorkerId worker) { ejected_[worker] = {.until = Clock::now() + kAfterGoAway}; }
    /// It serves. Returns how often it had failed in a row.
    unsigned succeeded(WorkerId worker) {
        if (ejected_.empty())
            return 0;
        const auto entry = ejected_.extract(worker);
        return entry ? entry.mapped().failures : 0;
    }
    void forget_all_but(const Snapshot& present) {
        std::erase_if(ejected_, [&present](const auto& entry) { return !present.find(entry.first); });
    }

  private:
    static constexpr std::chrono::milliseconds kFirstPause{100};
    static constexpr std::chrono::milliseconds kLongestPause{5000};
    static constexpr std::chrono::milliseconds kAfterGoAway{1000};

    struct Entry {
        Clock::time_point until;
        unsigned failures = 0;
        unsigned unreached = 0;  // of these the last in a row that had no connection
        Clock::time_point unreached_since = {};
    };
    std::unordered_map<WorkerId, Entry> ejected_;
};

}  // namespace zmqspdy::router
