// The connection to a router at one address: announces the worker, keeps it announced, and carries what is relayed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "transport/announcement.hpp"
#include "transport/session_time.hpp"
#include "transport/socket_monitor.hpp"
#include "worker/child_sessions.hpp"
#include "worker/known_routers.hpp"
#include "worker/router_news.hpp"
#include "worker/source.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::serving {

/// What links share; all of it outlives them.
struct LinkSetting {
    zmq::context_t& context;
    transport::Poller& poller;
    const transport::Announcement& announcement;
    Dispatcher& dispatcher;
    const Log& log;
    KnownRouters& known;
    /// For how long an address may be missing from the answers before a worker that is connected leaves it.
    std::chrono::milliseconds grace = std::chrono::seconds{60};
};

class RouterLink final : public Source {
  public:
    /// `endpoint` holds an address, never a name; `label` is what the log calls it. Connects at its first on_time().
    RouterLink(const LinkSetting& setting, Tokens tokens, transport::Endpoint endpoint,
               const std::string& label);
    ~RouterLink() override;

    /// The router has taken the announcement.
    [[nodiscard]] bool is_announced() const noexcept { return connection_ && connection_->announced; }
    /// Another link has the same router: this one waits until that one has lost it.
    [[nodiscard]] bool is_standby() const noexcept { return standby_.has_value(); }
    [[nodiscard]] bool is_connected() const noexcept { return connection_ && connection_->connected; }
    /// A connection has ended, or did not come about, since this was called last.
    [[nodiscard]] bool take_loss() noexcept { return std::exchange(loss_, false); }
    /// It has not been connected since it last failed to be.
    [[nodiscard]] bool has_failed() const noexcept { return failures_ > 0; }
    [[nodiscard]] bool is_retiring() const noexcept { return retiring_; }
    [[nodiscard]] RouterNews& news() noexcept { return news_; }
    /// Patient: an address that does not answer is tried less and less often.
    void set_patient(bool patient) noexcept { patient_ = patient; }

    /// Leaves this router alone, once what it has relayed is finished, and does not come back.
    void retire();
    /// Nothing is left of a link that was retired.
    [[nodiscard]] bool is_retired() const;

    /// As the registry told, or the default.
    [[nodiscard]] std::chrono::milliseconds heartbeat_interval() const noexcept { return heartbeat_; }

    void receive() override;
    void flush() override;
    [[nodiscard]] Clock::time_point deadline() const override;
    void on_time(Clock::time_point now) override;
    void heartbeat() override;
    void drain() override;
    void break_off() override {
        if (connection_)
            connection_->children.break_off();
    }
    void leave() override;
    [[nodiscard]] bool has_left() const override;

  private:
    /// One connection is one session: all of this begins and ends together.
    struct Connection {
        Connection(const LinkSetting& setting, const transport::Endpoint& router,
                   transport::LogBudget& dropped);

        zmq::socket_t socket;
        transport::SocketMonitor monitor;
        ChildSessions children;
        spdy::Session session;                   // with the registry
        std::optional<spdy::StreamId> question;  // who it is
        std::optional<spdy::StreamId> announcement;
        std::optional<std::uint64_t> repeats;   // the router, which another link has
        std::optional<std::uint32_t> farewell;  // the PING after the last words
        bool farewell_acknowledged = false;
        Clock::time_point begun = Clock::now();
        bool reached = false;    // what listens there has taken the connection
        bool connected = false;  // it is a ZeroMQ peer
        bool answered = false;   // as a registry does
        bool announced = false;
        bool heard = false;
        transport::SessionTime session_time;
        int silent_heartbeats = 0;
    };
    /// Of a link that retires: who has had its last words.
    enum class Farewell : std::uint8_t { none, to_peers, to_registry };

    void connect();
    void disconnect() noexcept;
    void begin();
    void announce();
    void stand_by(std::uint64_t identity);
    void finish_retiring();
    /// The registry says no: logs it and asks again after `pause`.
    void refused(const std::string& reason, std::chrono::seconds pause);
    void lose(std::string_view why);
    void fail(Trouble trouble);
    /// Disconnects. False when there is no further try.
    bool try_later();
    [[nodiscard]] Trouble why_silent() const;
    void heard_from_registry(const zmq::message_t& frames);
    void on(const spdy::ReplyReceived& event);
    void on(const spdy::StreamReset& event);
    void on(const spdy::HeadersReceived& event);
    void read_monitor();
    /// False when the link was lost over it.
    bool flush_session();

    const LinkSetting setting_;
    const Tokens tokens_;
    const transport::Endpoint endpoint_;
    RouterNews news_;
    transport::LogBudget log_dropped_;  // about peers; it outlives connections
    std::unique_ptr<Connection> connection_;
    std::chrono::milliseconds heartbeat_ = transport::kDefaultHeartbeat;
    Clock::time_point due_ = Clock::now();  // the next heartbeat, or the next try to connect
    Clock::time_point announce_again_ = Clock::time_point::max();
    std::optional<std::uint64_t> standby_;  // the router that another link has
    bool asks_for_relay_ = false;           // for good: this router cannot connect to our endpoint
    bool patient_ = false;
    int failures_ = 0;  // to connect, in a row
    bool loss_ = false;
    bool retiring_ = false;
    Farewell farewell_ = Farewell::none;
    std::vector<spdy::Event> events_;
    std::minstd_rand random_;
};

}  // namespace zmqspdy::serving
