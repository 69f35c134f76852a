// Per httpd child: the one thread that owns its ZeroMQ sockets, and the queue of requests that wait for a
// worker.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "mod_zmqspdy/core/dispatch.hpp"
#include "mod_zmqspdy/core/ending_time.hpp"
#include "mod_zmqspdy/core/exchange.hpp"
#include "mod_zmqspdy/core/log.hpp"
#include "mod_zmqspdy/core/outlier_ejection.hpp"
#include "mod_zmqspdy/core/registry_watch.hpp"
#include "mod_zmqspdy/core/service_queues.hpp"
#include "mod_zmqspdy/core/worker_link.hpp"
#include "transport/adaptive_wait.hpp"
#include "transport/doorbell.hpp"
#include "transport/log_budget.hpp"
#include "transport/poller.hpp"

namespace zmqspdy::router {

struct PoolOptions {
    std::uint32_t child = 0;  ///< our row in the worker table
    std::size_t queue_length = 1024;
    /// Requests of one service that may wait in all children together; 1 to WaitingCount::kMost.
    std::size_t service_queue_length = WaitingCount::kMost;
    std::uint32_t window = 256 * 1024;  ///< receive window of a stream in bytes, and most unsent request body
    std::size_t response_memory =
        std::size_t{32} * 1024 * 1024;  ///< for all that is taken ahead of these windows
    int compression = 0;
    std::chrono::milliseconds heartbeat{1000};
    std::chrono::milliseconds slow_start{0};  ///< Snapshot's
    std::string relay_endpoint;  ///< where the registry takes sessions for workers that cannot be dialled
    int wakeup_fd = -1;  ///< an eventfd of the parent: becomes readable when workers come or slots free up
    int log_fd = -1;     ///< the back of the registry's log relay; stays the caller's
    const RegistryWatch* watch = nullptr;  ///< outlives the pool; with log_fd
    std::uint32_t configuration =
        0;  ///< RegistryWatch's, as this child has it: later, others write the registry's log
    /// Called on the pool's thread: true once this child has been told to finish what it has. It may do so for `ending_limit`;
    /// then what workers still have is given up.
    std::function<bool()> is_ending;
    std::chrono::milliseconds ending_limit = EndingTime::kNoLimit;
    /// Called on the pool's thread when it ends by a fault: nothing can be dispatched in this process any more.
    std::function<void()> on_broken;
};

/// submit(), body(), consumed() and cancel() from any thread; everything else happens on the pool's own
/// thread.
class DealerPool final : private WorkerLink::Owner {
  public:
    /// Starts the thread. Call it after the last fork: a ZeroMQ context does not survive one.
    DealerPool(WorkerTable table, PoolOptions options, Log log);
    /// Stops: see stop().
    ~DealerPool();
    DealerPool(const DealerPool&) = delete;
    DealerPool& operator=(const DealerPool&) = delete;

    /// Queues the exchange for a worker. What becomes of it is told through its inbox. With `whole_body` all of the request's
    /// body goes with it, and body() is not called; else `trailers` count for nothing.
    void submit(std::shared_ptr<Exchange> exchange,
                std::optional<std::vector<std::byte>> whole_body = std::nullopt,
                std::optional<spdy::HeaderBlock> trailers = std::nullopt);
    /// Hands over the next bytes of the request body; `fin` with the last, and the trailers if there are any.
    /// The caller keeps Exchange::body_backlog within the window: it adds the size before the call and waits
    /// while there is no room.
    void body(std::shared_ptr<Exchange> exchange, std::vector<std::byte> bytes, bool fin,
              std::optional<spdy::HeaderBlock> trailers = std::nullopt);
    /// The client has taken `size` bytes of the response.
    void consumed(std::shared_ptr<Exchange> exchange, std::size_t size);
    /// Nobody waits for the response any more: RST_STREAM CANCEL, also in the queue. Harmless after the end.
    void cancel(std::shared_ptr<Exchange> exchange);

    [[nodiscard]] std::uint32_t window() const noexcept { return options_.window; }
    /// For the request threads of this child, which wait for what comes into their exchanges' inboxes.
    [[nodiscard]] transport::AdaptiveWait& adaptive_wait() noexcept { return adaptive_wait_; }

    /// The first half of stop(), which does not wait: exchanges under way, and those that are submitted from now on, fail
    /// with shutting_down. Any thread, and a signal handler as well.
    void begin_stop() noexcept;
    /// Ends all sessions and the thread; exchanges under way fail with shutting_down. False when the thread
    /// did not end within `patience`: the process must exit without unloading this code.
    bool stop(std::chrono::milliseconds patience) noexcept;

  private:
    struct Command {
        enum class Kind : std::uint8_t { submit, body, consumed, cancel };
        Kind kind;
        std::shared_ptr<Exchange> exchange;
        std::vector<std::byte> bytes;
        bool fin = false;
        std::optional<spdy::HeaderBlock> trailers;
        std::size_t size = 0;
        std::unique_ptr<Command> next;
    };

    /// What a poller event is about; links are told apart by their worker's id.
    enum class Token : std::uint64_t { doorbell, wakeup, socket, monitor, log };
    static constexpr unsigned kTokenBits = 3;
    [[nodiscard]] static constexpr std::uint64_t make_token(Token what, WorkerId worker = 0) {
        return worker << kTokenBits | static_cast<std::uint64_t>(what);
    }

    void post(std::unique_ptr<Command> command);
    void refuse_commands();

    // The pool's thread.
    void run() noexcept;
    void loop();
    void serve(const epoll_event& event);
    void write_registry_log();
    bool take_commands();
    void on_submit(std::shared_ptr<Exchange> exchange);
    void on_body(Command& command);
    /// Puts it into the queue, which is ordered by priority, then by the time of arrival.
    void enqueue(std::shared_ptr<Exchange> exchange);
    void on_cancel(const std::shared_ptr<Exchange>& exchange);
    void refresh_snapshot();
    void dispatch_queue();
    bool dispatch(const std::shared_ptr<Exchange>& exchange);
    bool start(const std::shared_ptr<Exchange>& exchange, const Candidate& candidate);
    WorkerLink* link_to(const Candidate& candidate);
    void flush_links();
    void reap(WorkerLink& link);
    /// The worker failed as `what` says: it is left alone for a while, the longer the more often that happens.
    void eject(const WorkerRecord& worker, const std::string& what, bool reached = true);
    /// Tells the registry, which has the worker, once this child has tried to connect for long enough.
    void report_out_of_reach(const WorkerLink& link);
    void drop_links_of_departed_workers();
    /// All of them go through the registry, which has ended. At once: a request must not be tried on each of them in turn
    /// as the news of their ends come in.
    void lose_relayed_links();
    void beat(std::chrono::steady_clock::time_point now);
    /// Gives up everything that workers have.
    void end_overstayed();
    /// Into the worker table, for the other children.
    void publish_waiters();
    void wake_other_children() const;
    /// True while a free place that this exchange could have is left to another child, whose request has waited longer.
    [[nodiscard]] bool defer_to_other_child(const std::shared_ptr<Exchange>& exchange);
    void report_activity();
    [[nodiscard]] transport::LogBudget::Write at(LogLevel level) const;
    [[nodiscard]] std::chrono::milliseconds sleep_time() const;
    /// What keeps a worker from getting an exchange, beside what the table says.
    enum class Obstacle : std::uint8_t { none, had_it, full, leaving, failing };
    [[nodiscard]] Obstacle obstacle(const Candidate& candidate, const Exchange& exchange) const;
    [[nodiscard]] bool may_use(const Candidate& candidate, const Exchange& exchange) const {
        return obstacle(candidate, exchange) == Obstacle::none;
    }
    void refuse_for_length(const std::shared_ptr<Exchange>& exchange, Failure failure);

    // WorkerLink::Owner
    void deliver(const std::shared_ptr<Exchange>& exchange, std::unique_ptr<ResponseEvent> event) override;
    void finished(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange) override;
    void undelivered(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange,
                     WorkerLink::Undelivered how) override;
    void body_taken(const std::shared_ptr<Exchange>& exchange, std::size_t size) override;
    void has_output(WorkerLink& link) override;

    void release_slot(const WorkerLink& link);
    void fail(const std::shared_ptr<Exchange>& exchange, Failure failure,
              spdy::ResetCode code = spdy::ResetCode::cancel);
    void notify_later(const std::shared_ptr<Exchange>& exchange);

    WorkerTable table_;
    PoolOptions options_;
    Log log_;
    // What workers can make it say.
    transport::LogBudget log_dials_;
    transport::LogBudget log_lost_;
    transport::LogBudget log_ejected_;
    transport::LogBudget log_serves_again_;
    transport::MpscQueue<Command> commands_;
    transport::Doorbell doorbell_;
    transport::AdaptiveWait adaptive_wait_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> closed_{false};  ///< nobody takes commands any more

    // The pool's thread alone.
    std::optional<zmq::context_t> context_;
    transport::Poller poller_;
    Snapshot snapshot_;
    std::deque<std::shared_ptr<Exchange>> queue_;
    ServiceQueues service_queues_;  // counts those in queue_
    bool queue_may_move_ = false;
    std::chrono::steady_clock::time_point next_look_;  // at the queue, whatever happens
    bool waiting_ = false;
    std::vector<QueuePosition> waiters_;  // as the table has them
    struct Deferral {
        QueuePosition to;
        std::chrono::steady_clock::time_point until;
        bool goes_on = true;  // seen in this round
    };
    std::vector<Deferral> deferrals_;         // while a place is free that another child should take
    std::vector<QueuePosition> passed_over_;  // those whose place was free and not taken
    std::unordered_map<WorkerId, std::unique_ptr<WorkerLink>> links_;
    OutlierEjection outliers_;
    std::vector<WorkerLink*> dirty_;
    std::vector<std::shared_ptr<Exchange>> to_notify_;
    std::chrono::steady_clock::time_point next_beat_;
    EndingTime ending_;
    std::shared_ptr<MemoryBudget> memory_;
    std::uint32_t link_count_ = 0;
    std::size_t in_flight_ = 0;
    ChildActivity reported_;

    std::atomic<bool> ended_{false};
    transport::Parker end_;
    std::thread thread_;
};

}  // namespace zmqspdy::router
