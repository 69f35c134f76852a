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
/// A registry leaves those that it refused three times as long to ask again.
constexpr std::chrono::seconds kAnnounceAgain{5};
/// An endpoint that another connection holds is free within some heartbeats, if that one is an earlier run of this worker.
constexpr std::chrono::seconds kClaimAgain{1};
constexpr int kConflict = 409;
constexpr int kMonitored = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                           ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                           ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

zmq::socket_t make_dealer(zmq::context_t& context) {
    zmq::socket_t socket{context, zmq::socket_type::dealer};
    transport::set_limits(socket);
    return socket;
}

}  // namespace

RouterLink::Connection::Connection(zmq::context_t& context, const std::string& router, Dispatcher& dispatcher,
                                   const Log& log)
    : socket{make_dealer(context)},
      monitor{context, socket, kMonitored},
      peers{socket, dispatcher, log, PeerTable::Peers::relayed},
      session{spdy::SessionOptions{}} {
    socket.connect(router);
}

RouterLink::RouterLink(zmq::context_t& context, transport::Poller& poller, Tokens tokens, std::string router,
                       const transport::Announcement& announcement, Dispatcher& dispatcher, const Log& log)
    : context_{context},
      poller_{poller},
      tokens_{tokens},
      router_{std::move(router)},
      announcement_{announcement},
      dispatcher_{dispatcher},
      log_{log},
      random_{std::random_device{}()} {
    connect();
}

RouterLink::~RouterLink() {
    disconnect();
}

void RouterLink::connect() {
    try {
        connection_ = std::make_unique<Connection>(context_, router_, dispatcher_, log_);
    } catch (const zmq::error_t& error) {
        return lose(error.what());  // out of descriptors, for example: that may pass
    }
    poller_.add(connection_->socket.get(zmq::sockopt::fd), tokens_.socket);
    poller_.add(connection_->monitor.fd(), tokens_.monitor);
    socket_hot_ = true;
    monitor_hot_ = true;
    heartbeat_ = transport::kDefaultHeartbeat;
    due_ = Clock::now() + heartbeat_;
    // libzmq keeps it until somebody listens there.
    announce();
}

void RouterLink::disconnect() noexcept {
    if (!connection_)
        return;
    poller_.remove(connection_->monitor.fd());
    poller_.remove(connection_->socket.get(zmq::sockopt::fd));
    connection_.reset();
    announce_again_ = Clock::time_point::max();
    socket_hot_ = false;
    monitor_hot_ = false;
}

void RouterLink::announce() {
    announce_again_ = Clock::time_point::max();
    connection_->announcement = connection_->session.open(to_headers(announcement_), 0, false);
    if (!connection_->announcement)
        refused("it takes no streams", kAnnounceAgain);
}

void RouterLink::refused(const std::string& reason, std::chrono::seconds pause) {
    // The registry takes one stream at a time: this one must have ended before the next announcement.
    if (const auto stream = std::exchange(connection_->announcement, std::nullopt))
        (void)connection_->session.send(*stream, {}, true);
    announce_again_ = Clock::now() + pause;
    if (said_ == Said::refused && last_reason_ == reason)
        return;
    log_.line("the router " + router_ + " refused the announcement: " + reason + "; asking again every " +
              std::to_string(pause.count()) + " s");
    said_ = Said::refused;
    last_reason_ = reason;
}

void RouterLink::lose(std::string_view why) {
    // A router that refuses a worker need not keep its connection either: that is no news, and no reason to ask sooner.
    const bool is_refused = connection_ && connection_->connected && said_ == Said::refused;
    const auto not_before = is_refused ? announce_again_ : Clock::time_point::min();
    disconnect();
    if (dispatcher_.is_draining()) {
        due_ = Clock::time_point::max();
        return;
    }
    due_ = Clock::now() + kReconnectPause + milliseconds(static_cast<milliseconds::rep>(random_()) % kJitter);
    if (not_before != Clock::time_point::max())
        due_ = std::max(due_, not_before);
    if (said_ == Said::unreachable || is_refused)
        return;
    const bool had = std::exchange(said_, Said::unreachable) != Said::nothing;
    log_.line((had ? "lost the router " : "cannot reach the router ") + router_ + ": " + std::string(why) +
              (had ? "; trying again" : "; trying until it answers"));
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
            connection_->peers.receive(parts[0], parts[1], *count);
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
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
                connection_->connected = true;
                break;
            case ZMQ_EVENT_DISCONNECTED:
                return lose("the connection was closed");
            case ZMQ_EVENT_CLOSED:
                return lose("nobody listens there");
            default:
                return lose("what listens there does not speak ZeroMQ as a router does");
        }
    }
}

void RouterLink::heard_from_registry(const zmq::message_t& frames) {
    spdy::Session& session = connection_->session;
    connection_->session_time.pass(session, Clock::now());
    events_.clear();
    const auto fault = session.receive(transport::bytes_of(frames), events_);
    for (const auto& event : events_) {
        if (const auto* reply = std::get_if<spdy::ReplyReceived>(&event))
            on(*reply);
        else if (const auto* reset = std::get_if<spdy::StreamReset>(&event))
            on(*reset);
        else if (const auto* ping = std::get_if<spdy::PingAcknowledged>(&event);
                 ping && ping->id == connection_->farewell)
            connection_->farewell_acknowledged = true;
        else if (const auto* data = std::get_if<spdy::DataReceived>(&event))
            session.consume(data->stream, data->payload.size());
    }
    if (fault || !session.at_frame_boundary()) {
        if (!fault)
            session.go_away(spdy::GoAwayCode::protocol_error);
        if (flush_session())
            lose("it broke the protocol: " + std::string(fault ? fault->why : "a message ends in a frame"));
        return;
    }
    if (session.peer_went_away() && !dispatcher_.is_draining())
        lose("it is going away");
}

void RouterLink::on(const spdy::ReplyReceived& event) {
    if (event.stream != connection_->announcement)
        return;
    const auto reply = transport::parse_reply(event.headers);
    if (!reply)
        return refused("its answer cannot be understood", kAnnounceAgain);
    if (reply->status != 201)
        return refused(reply->reason.empty() ? "status " + std::to_string(reply->status) : reply->reason,
                       reply->status == kConflict ? kClaimAgain : kAnnounceAgain);
    heartbeat_ = reply->heartbeat;
    due_ = Clock::now() + heartbeat_;
    if (said_ != Said::announced)
        log_.line("announced to " + router_);
    said_ = Said::announced;
    if (!reply->warning.empty() && last_warning_ != reply->warning)
        log_.line("the router " + router_ + " warns: " + reply->warning);
    last_warning_ = reply->warning;
}

void RouterLink::on(const spdy::StreamReset& event) {
    // Streams above the registry's last good one end like this, too: it is lost then, and found again.
    if (event.stream == connection_->announcement && !connection_->session.peer_went_away())
        refused("it reset the stream (" + std::string(to_string(event.code)) + ")", kAnnounceAgain);
}

void RouterLink::flush() {
    if (!connection_ || !flush_session())
        return;
    if (connection_->peers.flush())
        socket_hot_ = true;
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
    return std::min(due_, announce_again_);
}

void RouterLink::on_time(Clock::time_point now) {
    if (!connection_) {
        if (now >= due_)
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
        return lose(connection_->connected ? "it has been silent for 3 heartbeats" : "it does not answer");
    if (connection_->connected)
        connection_->session.ping();
}

void RouterLink::heartbeat() {
    if (connection_)
        connection_->peers.heartbeat();
}

void RouterLink::drain() {
    if (!connection_) {
        due_ = Clock::time_point::max();
        return;
    }
    connection_->session.go_away(spdy::GoAwayCode::ok);
    connection_->peers.drain();
    announce_again_ = Clock::time_point::max();
}

void RouterLink::leave() {
    if (!connection_)
        return;
    connection_->peers.leave();
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

bool RouterLink::has_left() const {
    if (!connection_ || !connection_->farewell)
        return true;
    return connection_->farewell_acknowledged && connection_->peers.has_left();
}

}  // namespace zmqspdy::serving
