// Where httpd's children dial this worker.
#pragma once

#include <string>
#include <zmq.hpp>

#include "transport/accept_guard.hpp"
#include "transport/endpoint.hpp"
#include "transport/socket_monitor.hpp"
#include "worker/child_sessions.hpp"
#include "worker/source.hpp"

namespace zmqspdy::serving {

class DirectListener final : public Source {
  public:
    /// Throws zmq::error_t when `endpoint` cannot be bound.
    DirectListener(zmq::context_t& context, transport::Poller& poller, Tokens tokens,
                   const std::string& endpoint, Dispatcher& dispatcher, const Log& log);
    ~DirectListener() override;

    /// What to announce: the bound address, its host a '*' if it is every interface.
    [[nodiscard]] const transport::Endpoint& announced() const noexcept { return announced_; }

    void receive() override;
    void flush() override;
    [[nodiscard]] Clock::time_point deadline() const override { return probe_again_; }
    void on_time(Clock::time_point now) override;
    void heartbeat() override;
    void drain() override { children_.drain(); }
    void break_off() override { children_.break_off(); }
    void leave() override { children_.leave(); }
    [[nodiscard]] bool has_left() const override { return children_.has_left(); }

  private:
    transport::Poller& poller_;
    zmq::socket_t socket_;
    transport::SocketMonitor monitor_;
    transport::LogBudget log_dropped_;
    transport::DescriptorNews descriptors_;
    ChildSessions children_;
    transport::Endpoint announced_;
    Clock::time_point probe_again_ = Clock::time_point::max();
};

}  // namespace zmqspdy::serving
