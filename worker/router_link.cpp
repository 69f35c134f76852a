#include "worker/router_link.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include "transport/message.hpp"
#include "transport/socket_options.hpp"

namespace zmqspdy::serving {

namespace {

using std::chrono::milliseconds;

static_assert(transport::kMissedHeartbeats == 3, "the log says so");

/// Constant: a router that comes back has its workers within a second, and a loopback connect costs next to
/// nothing.
constexpr milliseconds kReconnectPause{100};
constexpr milliseconds::rep kJitter = 100;
/// Of a patient link, which doubles its pause with each failure.
constexpr milliseconds kLongestPause{10'000};
/// libzmq does not tell a refused connection from one that nobody answered within its limit.
constexpr milliseconds kRefusedWithin = transport::kConnectTimeout - milliseconds{100};
constexpr int kMonitored = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                           ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

zmq::socket_t make_dealer(zmq::context_t& context, const transport::Endpoint& router) {
    zmq::socket_t socket{context, zmq::socket_type::dealer};
    transport::set_limits(socket);
    const auto* tcp = std::get_if<transport::TcpEndpoint>(&router);
    socket.set(zmq::sockopt::ipv6, tcp != nullptr && tcp->host.find(':') != std::string::npos);
    return socket;
}

}  // namespace

RouterLink::Connection::Connection(const LinkSetting& setting, const transport::Endpoint& router,
                                   transport::LogBudget& dropped)
    : socket{make_dealer(setting.context, router)},
      monitor{setting.context, socket, kMonitored},
      children{socket, setting.dispatcher, dropped, ChildSessions::Path::relayed},
      session{spdy::SessionOptions{}} {
    socket.connect(to_string(router));
}

RouterLink::RouterLink(const LinkSetting& setting, Tokens tokens, transport::Endpoint endpoint,
                       const std::string& label)
    : setting_{setting},
      tokens_{tokens},
      endpoint_{std::move(endpoint)},
      news_{setting.log, label},
      log_dropped_{[&log = setting.log](const std::string& line) { log.line(LogLevel::warning, line); }},
      random_{std::random_device{}()} {
    socket_hot_ = monitor_hot_ = false;
}

RouterLink::~RouterLink() {
    disconnect();
}

void RouterLink::connect() {
    standby_.reset();
    try {
        connection_ = std::make_unique<Connection>(setting_, endpoint_, log_dropped_);
    } catch (const zmq::error_t& error) {
        return lose(error.what());  // out of descriptors, for example: that may pass
    }
    setting_.poller.add(connection_->socket.get(zmq::sockopt::fd), tokens_.socket);
    setting_.poller.add(connection_->monitor.fd(), tokens_.monitor);
    socket_hot_ = true;
    monitor_hot_ = true;
    heartbeat_ = transport::kDefaultHeartbeat;
    due_ = Clock::now() + heartbeat_;
    // libzmq keeps it until somebody listens there.
    begin();
}

void RouterLink::disconnect() noexcept {
    setting_.known.release(*this);
    if (!connection_)
        return;
    setting_.poller.remove(connection_->monitor.fd());
    setting_.poller.remove(connection_->socket.get(zmq::sockopt::fd));
    connection_.reset();
    announce_again_ = Clock::time_point::max();
    socket_hot_ = false;
    monitor_hot_ = false;
}

bool RouterLink::try_later() {
    disconnect();
    loss_ = true;
    if (setting_.dispatcher.is_draining() || retiring_) {
        due_ = Clock::time_point::max();
        return false;
    }
    auto pause = kReconnectPause;
    for (int i = 0; patient_ && i < failures_ && pause < kLongestPause; ++i)
        pause *= 2;
    ++failures_;
    due_ = Clock::now() + std::min(pause, kLongestPause) +
           milliseconds(static_cast<milliseconds::rep>(random_()) % kJitter);
    return true;
}

void RouterLink::lose(std::string_view why) {
    const std::string text{why};  // it may be of the connection
    // A router that refuses a worker need not keep its connection either: that is no news, and no reason to ask sooner.
    // The answer may be here before the monitor tells of the connection that brought it.
    const bool was_one = connection_ && (connection_->connected || connection_->answered);
    const bool is_refused = was_one && news_.is_refused();
    const auto not_before = is_refused ? announce_again_ : Clock::time_point::min();
    if (!try_later())
        return;
    if (not_before != Clock::time_point::max())
        due_ = std::max(due_, not_before);
    if (!is_refused)
        news_.lost(text, Clock::now());
}

void RouterLink::fail(Trouble trouble) {
    if (try_later())
        news_.failed(trouble, Clock::now());
}

void RouterLink::receive() {
    if (!connection_) {
        socket_hot_ = monitor_hot_ = false;
        return;
    }
    std::array<zmq::message_t, 2> parts;
    for (int i = 0; socket_hot_ && i < kBatch; ++i) {
        const auto count = transport::receive(connection_->socket, parts);
        if (!count) {
            socket_hot_ = false;
            break;
        }
        connection_->heard = true;
        if (*count < 2 || (parts[0].empty() && *count > 2))
            return lose("it sent a message of " + std::to_string(*count) + " parts instead of 2");
        if (!parts[0].empty())
            connection_->children.receive(parts[0], parts[1], *count);
        else if (!parts[1].empty())
            heard_from_registry(parts[1]);
        if (!connection_)
            return;
    }
    // After the messages: the last ones may say why the connection was closed.
    if (!socket_hot_ && monitor_hot_)
        read_monitor();
}

void RouterLink::read_monitor() {
    monitor_hot_ = false;
    while (const auto event = connection_->monitor.next()) {
        switch (event->event) {
            case ZMQ_EVENT_CONNECTED:
                connection_->reached = true;
                break;
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
                connection_->connected = true;
                failures_ = 0;
                break;
            case ZMQ_EVENT_DISCONNECTED:
                return connection_->connected ? lose("the connection was closed") : fail(Trouble::closed);
            case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return fail(Trouble::closed);
            case ZMQ_EVENT_CLOSED:
                return fail(Clock::now() - connection_->begun < kRefusedWithin ? why_refused(endpoint_)
                                                                               : Trouble::no_answer);
            default:
                return fail(Trouble::not_zeromq);
        }
    }
}

void RouterLink::flush() {
    if (!connection_ || !flush_session())
        return;
    if (connection_->children.flush())
        socket_hot_ = true;
    if (retiring_)
        finish_retiring();
}

bool RouterLink::flush_session() {
    if (connection_->session.output_size() == 0)
        return true;
    const zmq::message_t registry;  // the empty peer
    const auto result = transport::send(connection_->socket, &registry,
                                        transport::to_message(connection_->session.take_output()));
    socket_hot_ = true;
    if (result == transport::SendResult::sent)
        return true;
    lose("it does not read what is sent to it");
    return false;
}

RouterLink::Clock::time_point RouterLink::deadline() const {
    if (standby_ && !setting_.known.is_claimed(*standby_))
        return {};
    return std::min(due_, announce_again_);
}

void RouterLink::on_time(Clock::time_point now) {
    if (!connection_) {
        if (now >= deadline() && due_ != Clock::time_point::max())
            connect();
        return;
    }
    if (now >= announce_again_)
        announce();
    if (now < due_)
        return;
    due_ = now + heartbeat_;
    // Counted in heartbeats that came to pass here: a worker that was itself stopped does not blame the
    // router.
    if (std::exchange(connection_->heard, false))
        connection_->silent_heartbeats = 0;
    else if (++connection_->silent_heartbeats >= transport::kMissedHeartbeats)
        return connection_->answered ? lose("it has been silent for 3 heartbeats") : fail(why_silent());
    if (connection_->connected)
        connection_->session.ping();
}

Trouble RouterLink::why_silent() const {
    if (connection_->connected)
        return Trouble::not_a_registry;
    return connection_->reached ? Trouble::says_nothing : Trouble::no_descriptor;
}

void RouterLink::heartbeat() {
    news_.settle();
    log_dropped_.settle();
    if (connection_)
        connection_->children.heartbeat();
}

void RouterLink::drain() {
    if (!connection_) {
        standby_.reset();
        due_ = Clock::time_point::max();
        return;
    }
    connection_->session.go_away(spdy::GoAwayCode::ok);
    connection_->children.drain();
    announce_again_ = Clock::time_point::max();
}

void RouterLink::leave() {
    if (!connection_)
        return;
    connection_->children.leave();
    // At the second farewell: the registry relays nothing, either way, once the worker has left, and peers could not
    // answer the first.
    if (connection_->announcement && connection_->farewell)
        (void)connection_->session.send(*connection_->announcement, {}, true);
    // A connection that never was has nobody to wait for.
    if (connection_->connected) {
        connection_->farewell = connection_->session.ping();
        connection_->farewell_acknowledged = false;
    }
}

void RouterLink::retire() {
    if (std::exchange(retiring_, true))
        return;
    if (connection_ && !connection_->connected)
        disconnect();
    drain();
    finish_retiring();
}

void RouterLink::finish_retiring() {
    if (!connection_)
        return;
    if (farewell_ == Farewell::none && connection_->children.is_idle()) {
        leave();
        farewell_ = Farewell::to_peers;
    } else if (farewell_ == Farewell::to_peers && has_left()) {
        leave();
        farewell_ = Farewell::to_registry;
    }
}

bool RouterLink::is_retired() const {
    return retiring_ &&
           (!connection_ || (farewell_ == Farewell::to_registry && connection_->farewell_acknowledged));
}

bool RouterLink::has_left() const {
    if (!connection_ || !connection_->farewell)
        return true;
    return connection_->farewell_acknowledged && connection_->children.has_left();
}

}  // namespace zmqspdy::serving
