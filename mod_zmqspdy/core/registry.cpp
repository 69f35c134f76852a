#include "mod_zmqspdy/core/registry.hpp"

#include <malloc.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "transport/socket_options.hpp"

namespace zmqspdy::router {

namespace {

enum Token : std::uint64_t { kStop, kWorkers, kChildren, kWorkersMonitor, kChildrenMonitor };

// How long a connection may speak without announcing a worker, and how long it has to ask again after a refusal. Workers
// of ours ask every five seconds: a limit of as many would meet them on their way.
constexpr std::chrono::seconds kAnnounceWithin{5};
constexpr std::chrono::seconds kAskAgainWithin{15};

// A connection's end is reported before the socket itself knows of it: so everybody is asked a moment later,
// and once more for good measure. No more often than this, because each question costs its answer.
constexpr std::chrono::milliseconds kProbeDelay{2};
constexpr std::chrono::milliseconds kProbeInterval{50};
constexpr int kProbes = 2;

// However little there is to do, it is seen to be alive.
constexpr std::chrono::milliseconds kLongestSleep{2000};

/// Above every id that an earlier registry gave to anybody: none gives one for each nanosecond.
WorkerId first_id() {
    return static_cast<WorkerId>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

}  // namespace

Registry::Registry(WorkerTable table, RegistryOptions options, Log log)
    : table_{table},
      options_{std::move(options)},
      log_{std::move(log)},
      log_joined_{at(LogLevel::notice)},
      log_back_{at(LogLevel::info)},
      log_left_{at(LogLevel::notice)},
      log_refused_{at(LogLevel::warning)},
      log_wrong_update_{at(LogLevel::warning)},
      log_dropped_{at(LogLevel::info)},
      log_mixed_{at(LogLevel::warning)},
      log_undialable_{at(LogLevel::warning)},
      descriptors_{"the connections of workers and of httpd's children", at(LogLevel::error)},
      context_{1},
      workers_{transport::make_router(context_)},
      children_{transport::make_router(context_)},
      last_id_{first_id()} {
    (void)transport::guard_accepts();
    workers_monitor_.emplace(context_, workers_, ZMQ_EVENT_DISCONNECTED);
    // The parent made these sockets, so that a busy port stops httpd's start, and a registry that follows a
    // dead one finds the workers that dialled meanwhile in the backlog. libzmq does not look at the endpoint then.
    for (const int fd : options_.listen_fds) {
        workers_.set(zmq::sockopt::use_fd, fd);
        workers_.bind(options_.listen);
    }

    children_monitor_.emplace(context_, children_, ZMQ_EVENT_DISCONNECTED);
    children_.bind(options_.relay_endpoint);

    poller_.add(workers_.get(zmq::sockopt::fd), kWorkers);
    poller_.add(children_.get(zmq::sockopt::fd), kChildren);
    poller_.add(workers_monitor_->fd(), kWorkersMonitor);
    poller_.add(children_monitor_->fd(), kChildrenMonitor);
    adopt_table();
}

Registry::~Registry() {
    workers_monitor_.reset();
    children_monitor_.reset();
}

void Registry::adopt_table() {
    const auto until = Clock::now() + options_.heartbeat * transport::kMissedHeartbeats;
    const auto read_until = Clock::now() + WorkerTable::kPatience;
    for (std::uint32_t slot = 0; slot < table_.size().workers; ++slot) {
        const auto record = table_.read(slot, read_until);
        // Workers that children dial never noticed: they keep their place and have some heartbeats to
        // announce themselves again. Relayed ones lost their sessions with the registry that relayed them. A
        // record whose writer died over it reads as 0.
        if (record.id != 0 && record.relayed == 0)
            orphans_[slot] = {record, until};
        else
            table_.clear(slot);
    }
    table_changed();
}

void Registry::run(int stop_fd) {
    poller_.add(stop_fd, kStop);
    next_tick_ = Clock::now();
    while (true) {
        // The descriptors are edge-triggered: look at everything until nothing is left.
        bool more = true;
        while (more) {
            more = watch();
            if (options_.on_turn)
                options_.on_turn();
            for (int i = 0; i < 256 && receive_from_worker(); ++i)
                more = true;
            for (int i = 0; i < 256 && receive_from_child(); ++i)
                more = true;
        }
        const auto now = Clock::now();
        if (now >= next_tick_) {
            tick(now);
            continue;  // it has sent, which may have swallowed an edge
        }
        if (probes_left_ > 0 && now >= next_probe_) {
            --probes_left_;
            next_probe_ = now + kProbeInterval;
            probe();
            continue;
        }
        table_.report({.pid = getpid(),
                       .connections = static_cast<std::uint32_t>(connections_.size()),
                       .relayed_sessions = static_cast<std::uint32_t>(links_.size())});
        const bool alone = connections_.empty() && orphans_.empty() && probes_left_ == 0 && !trim_memory_;
        const auto next = probes_left_ > 0 ? std::min(next_probe_, next_tick_) : next_tick_;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
        for (const auto& event : poller_.wait(alone ? kLongestSleep : std::min(left, kLongestSleep)))
            if (event.data.u64 == kStop)
                return;
    }
}

bool Registry::watch() {
    bool left = false;
    while (workers_monitor_->next())
        left = true;
    while (children_monitor_->next())
        left = true;
    if (left) {
        probes_left_ = kProbes;
        next_probe_ = std::max(next_probe_, Clock::now() + kProbeDelay);
        trim_memory_ = true;
    }
    return left;
}

void Registry::probe() {
    // The monitor does not say who left: a ROUTER refuses to send to a peer that is gone, so everybody is
    // asked. Sending alone looks for news of its connections only now and then; this looks at once.
    (void)workers_.get(zmq::sockopt::events);
    (void)children_.get(zmq::sockopt::events);
    probe_workers();
    probe_children();
}

void Registry::probe_workers() {
    std::vector<ConnectionPtr> all;
    all.reserve(connections_.size());
    for (const auto& [id, connection] : connections_)
        all.push_back(connection);
    for (const auto& connection : all) {
        connection->session.ping();
        (void)flush(*connection);
    }
}

void Registry::tick(Clock::time_point now) {
    // Who is silent is asked after a heartbeat, and has what is left of three to answer.
    next_tick_ = now + options_.heartbeat / 4;
    const auto patience = options_.heartbeat * transport::kMissedHeartbeats;
    std::vector<ConnectionPtr> all;
    all.reserve(connections_.size());
    for (const auto& [id, connection] : connections_)
        all.push_back(connection);
    for (const auto& connection : all) {
        if (now - connection->last_heard >= patience) {
            drop(connection->routing_id,
                 "is gone: silent for " + std::to_string(transport::kMissedHeartbeats) + " heartbeats");
            continue;
        }
        next_tick_ = std::min(next_tick_, connection->last_heard + patience);
        if (!connection->slot && now > std::max(connection->first_heard + kAnnounceWithin,
                                                connection->last_refused + kAskAgainWithin)) {
            connection->session.go_away(spdy::GoAwayCode::ok);
            if (flush(*connection))
                drop(connection->routing_id, "announced no worker");
            continue;
        }
        // Who speaks by itself need not be asked: with a thousand workers the answers alone would be felt.
        if (now - std::max(connection->last_heard, connection->last_asked) >= options_.heartbeat) {
            connection->last_asked = now;
            connection->session.ping();
        }
        tell_if_undialable(*connection);
        (void)flush(*connection);
    }
    for (auto orphan = orphans_.begin(); orphan != orphans_.end();) {
        if (now < orphan->second.until) {
            ++orphan;
            continue;
        }
        log_left_.line("worker '" + std::string(orphan->second.record.name_view()) +
                       "' did not come back after a restart of the registry");
        table_.clear(orphan->first);
        table_changed();
        orphan = orphans_.erase(orphan);
    }
    for (auto* const budget : {&log_joined_, &log_back_, &log_left_, &log_refused_, &log_wrong_update_,
                               &log_dropped_, &log_mixed_, &log_undialable_})
        budget->settle(now);
    descriptors_.look();
    // What a crowd of connections took stays in the heaps otherwise, libzmq's thread's among them.
    if (std::exchange(trim_memory_, false))
        malloc_trim(0);
}

transport::LogBudget::Write Registry::at(LogLevel level) const {
    return [log = log_, level](const std::string& line) { log(level, line); };
}

void Registry::table_changed() {
    if (options_.wakeup_fd >= 0)
        (void)eventfd_write(options_.wakeup_fd, 1);
}

}  // namespace zmqspdy::router
