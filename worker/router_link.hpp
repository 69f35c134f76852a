// The connection to one router: announces the worker, keeps it announced, and carries what is relayed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "transport/announcement.hpp"
#include "transport/session_time.hpp"
#include "transport/socket_monitor.hpp"
#include "worker/peer_table.hpp"
#include "worker/source.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::serving {

class RouterLink final : public Source {
  public:
    /// Everything given must outlive the link.
    RouterLink(zmq::context_t& context, transport::Poller& poller, Tokens tokens, std::string router,
               const transport::Announcement& announcement, Dispatcher& dispatcher, const Log& log);
    ~RouterLink() override;

    /// As the registry told, or the default.
    [[nodiscard]] std::chrono::milliseconds heartbeat_interval() const noexcept { return heartbeat_; }

    void receive() override;
    void flush() override;
    [[nodiscard]] Clock::time_point deadline() const override;
    void on_time(Clock::time_point now) override;
    void heartbeat() override;
    void drain() override;
    void leave() override;
    [[nodiscard]] bool has_left() const override;

  private:
    /// One connection is one session: all of this begins and ends together.
    struct Connection {
        Connection(zmq::context_t& context, const std::string& router, Dispatcher& dispatcher,
                   const Log& log);

        zmq::socket_t socket;
        transport::SocketMonitor monitor;
        PeerTable peers;
        spdy::Session session;  // with the registry
        std::optional<spdy::StreamId> announcement;
        std::optional<std::uint32_t> farewell;  // the PING after the last words
        bool farewell_acknowledged = false;
        bool connected = false;
        bool heard = false;
        transport::SessionTime session_time;
        int silent_heartbeats = 0;
    };
    /// What the log said last, so that it says only what is new.
    enum class Said : std::uint8_t { nothing, unreachable, announced, refused };

    void connect();
    void disconnect() noexcept;
    void announce();
    /// The registry says no: logs it and asks again after `pause`.
    void refused(const std::string& reason, std::chrono::seconds pause);
    void lose(std::string_view why);
    void heard_from_registry(const zmq::message_t& frames);
    void on(const spdy::ReplyReceived& event);
    void on(const spdy::StreamReset& event);
    void read_monitor();
    /// False when the link was lost over it.
    bool flush_session();

    zmq::context_t& context_;
    transport::Poller& poller_;
    const Tokens tokens_;
    const std::string router_;
    const transport::Announcement& announcement_;
    Dispatcher& dispatcher_;
    const Log& log_;
    std::unique_ptr<Connection> connection_;
    std::chrono::milliseconds heartbeat_ = transport::kDefaultHeartbeat;
    Clock::time_point due_;  // the next heartbeat, or the next try to connect
    Clock::time_point announce_again_ = Clock::time_point::max();
    Said said_ = Said::nothing;
    std::string last_reason_;
    std::string last_warning_;
    std::vector<spdy::Event> events_;
    std::minstd_rand random_;
};

}  // namespace zmqspdy::serving
