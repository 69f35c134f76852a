#include "mod_zmqspdy/core/worker_link.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "mod_zmqspdy/core/relay_id.hpp"
#include "transport/endpoint.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

namespace zmqspdy::router {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMonitored = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                           ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                           ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;

// How long the end of the process waits for a worker to take the last frames: in vain if it does not read.
constexpr std::chrono::milliseconds kFarewellTime{200};

spdy::SessionOptions session_options(const LinkOptions& options) {
    spdy::SessionOptions session;
    session.role = spdy::Role::client;
    session.max_concurrent_streams = 0;  // workers push nothing
    session.stream_window = options.window;
    session.max_header_bytes = WorkerLink::kMaxHeaderBytes;
    session.max_headers = WorkerLink::kMaxHeaders;
    session.compression_level = options.compression;
    return session;
}

}  // namespace

WorkerLink::WorkerLink(Owner& owner, zmq::context_t& context, const Candidate& worker,
                       const LinkOptions& options)
    : owner_{owner},
      worker_{worker},
      socket_{context, zmq::socket_type::dealer},
      session_{session_options(options)},
      memory_{options.memory},
      window_{options.window},
      last_heard_{Clock::now()} {
    transport::set_limits(socket_);
    monitor_.emplace(context, socket_, kMonitored);
    if (worker.record.relayed != 0) {
        const RelayId id(worker.record.id, getpid(), options.number);
        socket_.set(zmq::sockopt::routing_id, id.view());
        socket_.connect(options.relay_endpoint);
    } else {
        // Any process of httpd's could have written it.
        const auto endpoint = transport::parse_endpoint(worker.record.endpoint_view());
        if (const auto* error = std::get_if<transport::EndpointError>(&endpoint))
            throw std::runtime_error(error->why);
        socket_.connect(transport::to_string(std::get<transport::Endpoint>(endpoint)));
    }
}

WorkerLink::~WorkerLink() {
    monitor_.reset();
}

int WorkerLink::socket_fd() const {
    return socket_.get(zmq::sockopt::fd);
}

int WorkerLink::monitor_fd() const {
    return monitor_->fd();
}

bool WorkerLink::closing() const noexcept {
    return session_.peer_went_away() || session_.went_away() || !session_.can_open();
}

bool WorkerLink::open(const std::shared_ptr<Exchange>& exchange) {
    if (lost_)
        return false;
    auto& side = exchange->pool;
    const auto stream =
        session_.open(exchange->head.headers, exchange->head.priority, !exchange->head.has_body);
    if (!stream)
        return false;
    if (exchanges_.empty())
        last_heard_ = Clock::now();  // an idle worker owes us nothing
    side.link = this;
    side.stream = *stream;
    side.fin_sent = !exchange->head.has_body;
    exchanges_.emplace(*stream, exchange);
    if (session_.output_size() >= transport::kMessageTarget)
        (void)flush();
    if (exchange->head.has_body)
        send_body(exchange);
    owner_.has_output(*this);
    return true;
}

void WorkerLink::send_body(const std::shared_ptr<Exchange>& exchange) {
    // Piece by piece: windows may be larger than a message may be.
    while (!lost_ && send_piece(exchange)) {
    }
    owner_.has_output(*this);
}

bool WorkerLink::send_piece(const std::shared_ptr<Exchange>& exchange) {
    auto& side = exchange->pool;
    if (side.fin_sent)
        return false;
    const auto left = std::span(side.unsent).subspan(side.unsent_from);
    const auto piece = left.first(std::min(left.size(), transport::kMessageTarget));
    const bool last = piece.size() == left.size();
    const bool ends = last && side.body_complete;
    const std::size_t taken = session_.send(side.stream, piece, ends && !side.trailers);
    const bool more = taken == piece.size() && !last;
    if (ends && taken == left.size()) {
        side.fin_sent = true;
        if (side.trailers && !session_.headers(side.stream, *side.trailers, false)) {
            reset(exchange, spdy::ResetCode::internal_error);  // never a FIN without them
            owner_.undelivered(*this, exchange, {Failure::protocol});
            return false;
        }
        if (side.trailers)  // some implementations do not see a FIN of HEADERS
            (void)session_.send(side.stream, {}, true);
    }
    if (side.replayable) {
        side.replay.insert(side.replay.end(), piece.begin(),
                           piece.begin() + static_cast<std::ptrdiff_t>(taken));
        limit_replay(*exchange);
    }
    side.unsent_from += taken;
    if (side.unsent_from == side.unsent.size()) {
        side.unsent.clear();
        side.unsent_from = 0;
    }
    if (taken != 0)
        owner_.body_taken(exchange, taken);
    if (session_.output_size() >= transport::kMessageTarget)
        (void)flush();
    return more;
}

void WorkerLink::limit_replay(Exchange& exchange) {
    auto& side = exchange.pool;
    const std::size_t limit = exchange.head.replay_limit;
    if (side.replay.size() <= (side.taken ? limit : std::max(limit, kMostUntaken)))
        return;
    side.replayable = false;
    side.replay = {};
}

void WorkerLink::consumed(Exchange& exchange, std::size_t size) {
    if (lost_)
        return;
    session_.consume(exchange.pool.stream, exchange.pool.read_ahead.read(size));
    owner_.has_output(*this);
}

void WorkerLink::reset(const std::shared_ptr<Exchange>& exchange, spdy::ResetCode code) {
    session_.reset(exchange->pool.stream, code);
    forget(exchange);
    owner_.has_output(*this);
}

std::vector<std::shared_ptr<Exchange>> WorkerLink::under_way() const {
    std::vector<std::shared_ptr<Exchange>> all;
    all.reserve(exchanges_.size());
    for (const auto& [stream, exchange] : exchanges_)
        all.push_back(exchange);
    return all;
}

void WorkerLink::drive_io() {
    // libzmq's descriptor is edge-triggered, and sending may swallow the edge of something to receive: so
    // look until there is nothing either way.
    do {
        if (lost_ || !flush())
            return;
        while (!lost_ && receive_one()) {
        }
    } while (!lost_ && session_.output_size() != 0);
}

bool WorkerLink::flush() {
    if (session_.output_size() == 0)
        return true;
    switch (transport::send(socket_, nullptr, transport::to_message(session_.take_output()))) {
        case transport::SendResult::sent:
            return true;
        case transport::SendResult::full:
            // libzmq says the same of a connection that is not there; the monitor knows which it is.
            watch();
            lose(was_up_ ? "it does not read what it is sent" : "it cannot be reached");
            return false;
        case transport::SendResult::unreachable:
            lose("it cannot be reached");
            return false;
    }
    return false;
}

void WorkerLink::watch() {
    while (!lost_) {
        const auto event = monitor_->next();
        if (!event)
            return;
        if (event->event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            was_up_ = true;
            continue;
        }
        end_connection();
    }
}

void WorkerLink::end_connection() {
    connection_ended_ = was_up_;
    // The last messages may have arrived together with the end of the connection.
    while (!lost_ && receive_one()) {
    }
    if (!lost_)
        lose(was_up_ ? "its connection ended" : "it cannot be reached");
}

void WorkerLink::beat(Clock::time_point now, std::chrono::milliseconds heartbeat) {
    session_time_.pass(session_, now);
    if (lost_ || exchanges_.empty())
        return;
    const auto is_silent = [&] { return now - last_heard_ > heartbeat * transport::kMissedHeartbeats; };
    if (is_silent()) {
        // We may have been the one that was stopped, with its answers waiting here.
        while (!lost_ && receive_one()) {
        }
        watch();
        if (!lost_ && is_silent())
            lose("it has been silent for " + std::to_string(transport::kMissedHeartbeats) + " heartbeats");
    }
    if (lost_)
        return;
    session_.ping();
    owner_.has_output(*this);
}

void WorkerLink::lose(std::string why, Failure failure) {
    if (std::exchange(lost_, true))
        return;
    why_lost_ = std::move(why);
    const bool unprocessed = failure == Failure::worker_lost && !was_up_;
    auto orphans = std::exchange(exchanges_, {});
    for (auto& [stream, exchange] : orphans) {
        exchange->pool.link = nullptr;
        owner_.undelivered(*this, exchange, {failure, spdy::ResetCode::cancel, unprocessed});
    }
    owner_.has_output(*this);  // so that the owner looks at it and takes it away
}

void WorkerLink::end(std::string why) {
    if (lost_)
        return;
    for (const auto& [stream, exchange] : exchanges_)
        session_.reset(stream, spdy::ResetCode::cancel);
    if (!exchanges_.empty() && was_up_) {
        socket_.set(zmq::sockopt::linger, static_cast<int>(kFarewellTime.count()));
        (void)flush();
    }
    lose(std::move(why), Failure::shutting_down);
}

std::shared_ptr<Exchange> WorkerLink::hear_of(spdy::StreamId stream) const {
    const auto found = exchanges_.find(stream);
    if (found == exchanges_.end())
        return nullptr;
    found->second->heard_at.store(last_heard_);
    return found->second;
}

void WorkerLink::forget(const std::shared_ptr<Exchange>& exchange) {
    exchanges_.erase(exchange->pool.stream);
    exchange->pool.link = nullptr;
}

}  // namespace zmqspdy::router
