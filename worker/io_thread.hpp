// The thread that owns every ZeroMQ socket of the worker.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "transport/announcement.hpp"
#include "transport/log_budget.hpp"
#include "transport/poller.hpp"
#include "worker/application.hpp"
#include "worker/dispatcher.hpp"
#include "worker/drain.hpp"
#include "worker/handler_pool.hpp"
#include "worker/known_routers.hpp"
#include "worker/log.hpp"
#include "worker/options.hpp"
#include "worker/outbox.hpp"
#include "worker/router_group.hpp"
#include "worker/source.hpp"
#include "worker/stop_signal.hpp"

namespace zmqspdy::serving {

class IoThread {
  public:
    /// Binds and connects. `stop_fd` readable: drain. Throws std::runtime_error with a sentence when the
    /// endpoint cannot be bound. Everything given must outlive it; handlers that do not return in time keep `application`.
    IoThread(const Options& options, const std::shared_ptr<const Application>& application, int stop_fd);
    /// Cancels what is open, and leaves handlers that do not return within a second to themselves.
    ~IoThread();
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;

    /// Serves until told to stop, then until nothing is left to do, or Options::drain_timeout is over.
    void run();

  private:
    /// Closes the outbox when all that posts to it has ended.
    struct OpenOutbox {
        std::shared_ptr<Outbox> outbox = std::make_shared<Outbox>();
        ~OpenOutbox() { outbox->close(); }
    };

    void listen(const Options& options);
    void link(const Options& options);
    void sleep(Source::Clock::time_point until);
    /// One round of whatever is there to do.
    void turn();
    void perform_commands();
    void keep_time();
    /// Tries again when there were too few, and says so.
    void look_after_threads(Source::Clock::time_point now);
    void heartbeat(Source::Clock::time_point now);
    void drain();
    /// What a worker that drains has to do beside its work. False once it may leave.
    [[nodiscard]] bool go_on_draining();
    void break_off();
    /// Waits for what the handlers still have to do.
    void end_handlers() noexcept;
    /// Says goodbye, also to those that come while the news spreads.
    void leave();
    /// The last words to everybody, until they have arrived or time is up.
    void say_farewell();
    void turn_until(Source::Clock::time_point end, const std::function<bool()>& done);
    [[nodiscard]] bool is_hot() const;

    const Log& log_;
    transport::LogBudget log_threads_;
    bool short_of_threads_ = false;
    transport::Poller poller_;
    OpenOutbox open_;
    Outbox& outbox_;
    StopSignal stop_signal_;
    const int stop_fd_;
    Drain drain_;
    Dispatcher dispatcher_;
    HandlerPool pool_;
    zmq::context_t context_;
    transport::Announcement announcement_;
    KnownRouters known_routers_;
    std::vector<std::unique_ptr<Source>> sources_;
    std::vector<RouterGroup*> routers_;
    Source::Clock::time_point next_heartbeat_;
    bool handlers_had_time_ = false;  // to return, once their requests were cancelled
};

}  // namespace zmqspdy::serving
