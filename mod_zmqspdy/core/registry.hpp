// The registry: takes announcements at the worker port, keeps the worker table, relays for workers that
// cannot be dialled.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "mod_zmqspdy/core/log.hpp"
#include "mod_zmqspdy/core/worker_connection.hpp"
#include "mod_zmqspdy/core/worker_table.hpp"
#include "transport/accept_guard.hpp"
#include "transport/log_budget.hpp"
#include "transport/poller.hpp"
#include "transport/socket_monitor.hpp"

namespace zmqspdy::router {

struct RegistryOptions {
    std::vector<int> listen_fds;  ///< listening sockets, bound by the parent; libzmq closes them
    std::string listen;           ///< the endpoint they belong to
    std::string relay_endpoint;   ///< where children bring sessions for relayed workers
    std::chrono::milliseconds heartbeat{1000};
    bool insecure = false;
    std::uint64_t identity = 0;  ///< tells workers this router from any other; 0: they are not told
    int wakeup_fd = -1;          ///< eventfd that wakes children; stays the caller's
    /// Called each time the registry gets round its loop, every two seconds at least.
    std::function<void()> on_turn;
};

/// One thread, one process. Nothing that a worker sends makes it throw; what throws is a fault of this host
/// (no memory, no descriptors), and ends it, so that httpd starts another.
class Registry {
  public:
    /// Binds. Takes over what an earlier registry left in the table.
    Registry(WorkerTable table, RegistryOptions options, Log log);
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Serves until `stop_fd` becomes readable.
    void run(int stop_fd);

  private:
    using Clock = WorkerConnection::Clock;
    using ConnectionPtr = std::shared_ptr<WorkerConnection>;

    void adopt_table();
    bool receive_from_worker();
    bool receive_from_child();
    bool watch();
    void on_control(const ConnectionPtr& connection, const zmq::message_t& frames);
    void on_announcement(WorkerConnection& connection, const spdy::StreamOpened& event);
    /// The answer to whoever asks which router this is.
    [[nodiscard]] transport::AnnouncementReply identity() const;
    void on_update(WorkerConnection& connection, const spdy::HeadersReceived& event);
    void on_relayed(WorkerConnection& connection, zmq::message_t& link, zmq::message_t frames);
    // The table. What stands in it is known here: children can write to it as well, so it is never asked.
    [[nodiscard]] std::optional<transport::AnnouncementError> enter_table(WorkerConnection& connection);
    /// Tells a worker that children cannot connect to: it may ask to be relayed instead.
    void tell_if_undialable(WorkerConnection& connection);
    /// Gives `connection` the place of whoever was announced at its endpoint before, if that is the same worker.
    [[nodiscard]] std::optional<transport::AnnouncementError> claim_endpoint(WorkerConnection& connection);
    [[nodiscard]] std::optional<transport::AnnouncementError> change(WorkerConnection& connection,
                                                                     transport::Announcement announcement);
    [[nodiscard]] ConnectionPtr holder_of(const transport::Endpoint& endpoint,
                                          const WorkerConnection& but) const;
    /// Asks libzmq, which may know that the connection has ended before we have looked.
    [[nodiscard]] bool is_connected(WorkerConnection& connection);
    void vacate(WorkerConnection& connection);
    [[nodiscard]] std::optional<std::uint32_t> free_slot() const;
    /// What a worker is told that is another program than its service's others; empty when it is not. Logs it, too.
    std::string warn_if_mixed(const WorkerConnection& connection);
    void publish(const WorkerConnection& connection);
    /// `goaway` is what children with sessions through us hear in the worker's name.
    void leave(WorkerConnection& connection, const std::string& how, zmq::message_t (*goaway)());
    void drop(const std::string& routing_id, const std::string& how);
    bool flush(WorkerConnection& connection);
    void probe();
    void probe_workers();
    void probe_children();
    void forget_link(const std::string& link);
    void tick(Clock::time_point now);
    [[nodiscard]] transport::LogBudget::Write at(LogLevel level) const;
    void table_changed();
    [[nodiscard]] ConnectionPtr find_or_admit(const std::string& routing_id, std::span<zmq::message_t> parts);

    WorkerTable table_;
    RegistryOptions options_;
    Log log_;
    // What workers, and whoever else finds the port, can make it say.
    transport::LogBudget log_joined_;
    transport::LogBudget log_back_;
    transport::LogBudget log_left_;
    transport::LogBudget log_refused_;
    transport::LogBudget log_wrong_update_;
    transport::LogBudget log_dropped_;
    transport::LogBudget log_mixed_;
    transport::LogBudget log_undialable_;
    transport::DescriptorNews descriptors_;
    zmq::context_t context_;
    zmq::socket_t workers_;
    zmq::socket_t children_;
    std::optional<transport::SocketMonitor> workers_monitor_;
    std::optional<transport::SocketMonitor> children_monitor_;
    transport::Poller poller_;
    std::unordered_map<std::string, ConnectionPtr> connections_;  // by routing id
    std::unordered_map<WorkerId, ConnectionPtr> announced_;       // by worker
    std::unordered_map<std::string, WorkerId> links_;             // children's links to relayed workers
    /// A worker of an earlier registry, which has until then to come back.
    struct Orphan {
        WorkerRecord record;
        Clock::time_point until;
    };
    std::unordered_map<std::uint32_t, Orphan> orphans_;  // by slot
    WorkerId last_id_;
    std::unordered_map<std::string, std::string> mixed_;  // services: which Mixture was logged last
    Clock::time_point next_tick_;
    int probes_left_ = 0;
    Clock::time_point next_probe_;
    bool trim_memory_ = false;  // a connection ended since the last tick
};

}  // namespace zmqspdy::router
