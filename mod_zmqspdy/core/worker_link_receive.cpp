// What a worker sends on its link: frames become events of the exchanges that they are about.
#include <utility>

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/core/worker_link.hpp"
#include "transport/message.hpp"

namespace zmqspdy::router {

namespace {

/// What a client that does not read lets wait costs its bytes, not a node and a message for each frame of them.
bool add_to_last(ResponseEvent& last, const spdy::DataReceived& event, bool followed) {
    if (last.copy.size() + event.payload.size() > transport::kGrownPiece)
        return false;
    last.copy.insert(last.copy.end(), event.payload.begin(), event.payload.end());
    last.payload = last.copy;
    last.followed = followed;
    last.fin = event.fin;
    return true;
}

}  // namespace

using Clock = std::chrono::steady_clock;

bool WorkerLink::receive_one() {
    zmq::message_t part;
    const auto parts = transport::receive(socket_, {&part, 1});
    if (!parts)
        return false;
    last_heard_ = Clock::now();
    was_up_ = true;
    session_time_.pass(session_, last_heard_);
    if (*parts != 1) {
        lose("it sent a message of " + std::to_string(*parts) + " parts instead of one", Failure::protocol);
        return false;
    }
    // Most of DATA is passed on as views into the message, which therefore lives as long as anyone reads it.
    const auto message = std::make_shared<const zmq::message_t>(std::move(part));
    events_.clear();
    const auto fault = session_.receive(transport::bytes_of(*message), events_);
    for (auto& event : events_) {
        upcoming_ = &event == &events_.back() ? nullptr : &event + 1;
        handle(event, message);
        if (lost_)
            return false;
    }
    if (!goodbye_.empty()) {
        lose(goodbye_);
        return false;
    }
    if (fault) {
        (void)flush();  // the GOAWAY that says why
        if (!lost_)
            lose("it broke SPDY: " + std::string(fault->why), Failure::protocol);
        return false;
    }
    if (!session_.at_frame_boundary()) {
        session_.go_away(spdy::GoAwayCode::protocol_error);
        (void)flush();
        if (!lost_)
            lose("it split a frame over two messages", Failure::protocol);
        return false;
    }
    return true;
}

void WorkerLink::handle(spdy::Event& event, const std::shared_ptr<const zmq::message_t>& message) {
    if (auto* reply = std::get_if<spdy::ReplyReceived>(&event))
        on(*reply);
    else if (const auto* data = std::get_if<spdy::DataReceived>(&event))
        on(*data, message);
    else if (auto* headers = std::get_if<spdy::HeadersReceived>(&event))
        on(*headers);
    else if (const auto* reset = std::get_if<spdy::StreamReset>(&event))
        on(*reset);
    else if (const auto* window = std::get_if<spdy::WindowOpened>(&event))
        on(*window);
    else if (const auto* away = std::get_if<spdy::GoAwayReceived>(&event))
        on(*away);
}

void WorkerLink::on(spdy::ReplyReceived& event) {
    const auto exchange = hear_of(event.stream);
    if (!exchange)
        return;
    auto& side = exchange->pool;
    side.answered = true;
    side.replayable = false;
    side.replay = {};
    const auto length = event.headers.find("content-length");
    side.read_ahead = ReadAhead(memory_, window_, exchange->head.response_buffer,
                                length ? parse_content_length(*length) : std::nullopt);
    auto head = std::make_unique<ResponseEvent>();
    head->kind = ResponseEvent::Kind::head;
    head->headers = std::move(event.headers);
    head->fin = event.fin;
    head->followed = !event.fin && is_followed(event.stream);
    owner_.deliver(exchange, std::move(head));
    if (event.fin)
        end_response(exchange);
}

void WorkerLink::on(spdy::HeadersReceived& event) {
    const auto exchange = hear_of(event.stream);
    if (!exchange)
        return;
    exchange->pool.taken = true;
    limit_replay(*exchange);
    auto headers = std::make_unique<ResponseEvent>();
    headers->kind = exchange->pool.answered ? ResponseEvent::Kind::trailers : ResponseEvent::Kind::interim;
    headers->headers = std::move(event.headers);
    headers->fin = event.fin && exchange->pool.answered;
    if (event.fin && !exchange->pool.answered) {
        reset(exchange, spdy::ResetCode::protocol_error);
        owner_.undelivered(*this, exchange, {Failure::protocol});
        return;
    }
    headers->followed = !event.fin && is_followed(event.stream);
    auto& field_bytes = exchange->pool.field_bytes;
    field_bytes += headers->headers.plain().size() + kFieldBlockCost;
    if (field_bytes > kMaxFieldBytes) {
        reset(exchange, spdy::ResetCode::protocol_error);
        owner_.undelivered(*this, exchange, {Failure::excess});
        return;
    }
    owner_.deliver(exchange, std::move(headers));
    if (event.fin)
        end_response(exchange);
}

bool WorkerLink::is_followed(spdy::StreamId stream) const {
    if (!upcoming_)
        return false;
    const auto* const data = std::get_if<spdy::DataReceived>(upcoming_);
    return data && data->stream == stream && (data->fin || !data->payload.empty());
}

void WorkerLink::on(const spdy::DataReceived& event, const std::shared_ptr<const zmq::message_t>& message) {
    const auto exchange = hear_of(event.stream);
    if (!exchange || (event.payload.empty() && !event.fin))
        return;
    if (const auto ahead = event.fin ? 0 : exchange->pool.read_ahead.received(event.payload.size());
        ahead != 0) {
        session_.consume(event.stream, ahead);
        owner_.has_output(*this);
    }
    const bool followed = !event.fin && is_followed(event.stream);
    const bool shared = transport::worth_sharing(event.payload.size(), message->size());
    if (!shared &&
        exchange->inbox.top_up([&](ResponseEvent& last) { return add_to_last(last, event, followed); })) {
        if (event.fin)
            end_response(exchange);
        return;
    }
    auto data = std::make_unique<ResponseEvent>();
    data->kind = event.payload.empty() ? ResponseEvent::Kind::end : ResponseEvent::Kind::data;
    data->fin = event.fin;
    data->followed = followed;
    if (shared) {
        data->payload = event.payload;
        data->message = message;
    } else if (!event.payload.empty()) {
        data->copy.assign(event.payload.begin(), event.payload.end());
        data->payload = data->copy;
    }
    owner_.deliver(exchange, std::move(data));
    if (event.fin)
        end_response(exchange);
}

void WorkerLink::on(const spdy::StreamReset& event) {
    const auto exchange = hear_of(event.stream);
    if (!exchange)
        return;
    forget(exchange);
    const bool unprocessed = event.by_peer && event.code == spdy::ResetCode::refused_stream;
    // A worker that has said goodbye and cancels what it could not finish has left it, as one that dies does.
    const bool left = event.code == spdy::ResetCode::cancel && session_.peer_went_away();
    const Failure given_up = left ? Failure::worker_lost : Failure::worker_reset;
    owner_.undelivered(*this, exchange,
                       {event.by_peer ? given_up : Failure::protocol, event.code, unprocessed});
}

void WorkerLink::on(const spdy::WindowOpened& event) {
    if (event.stream != 0) {
        if (const auto exchange = hear_of(event.stream)) {
            exchange->pool.taken = true;
            limit_replay(*exchange);
            if (!exchange->pool.unsent.empty())
                send_body(exchange);
        }
        return;
    }
    // A copy: sending may lose the link, which empties the map.
    std::vector<std::shared_ptr<Exchange>> blocked;
    for (const auto& [stream, exchange] : exchanges_)
        if (!exchange->pool.unsent.empty())
            blocked.push_back(exchange);
    for (const auto& exchange : blocked)
        send_body(exchange);
}

void WorkerLink::on(const spdy::GoAwayReceived& event) {
    if (event.code == spdy::GoAwayCode::ok)
        return;  // it drains: what it has goes on, see closing()
    // Not at once: the streams that it says it did not process come next, as refused.
    goodbye_ = "it said goodbye with " + std::string(spdy::to_string(event.code));
}

void WorkerLink::end_response(const std::shared_ptr<Exchange>& exchange) {
    // An answer that came before the end of the request: nobody needs the rest.
    if (!exchange->pool.fin_sent)
        session_.reset(exchange->pool.stream, spdy::ResetCode::cancel);
    forget(exchange);
    owner_.finished(*this, exchange);
}

}  // namespace zmqspdy::router
