#include "worker/child_session.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "transport/announcement.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"
#include "worker/answering.hpp"

namespace zmqspdy::serving {

namespace {

using std::chrono::steady_clock;

/// What a block of trailers costs beside its bytes, and how many names they may have together.
constexpr std::size_t kBlockCost = 1024;
constexpr std::size_t kMaxTrailers = 256;

spdy::SessionOptions session_options(const Dispatcher& dispatcher) {
    spdy::SessionOptions options;
    options.role = spdy::Role::server;
    options.max_concurrent_streams = dispatcher.capacity();
    options.stream_window = dispatcher.body_window();
    options.max_header_bytes = kMaxHeaderBytes;
    return options;
}

spdy::Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

std::string_view text_of(spdy::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ChildSession::ChildSession(Outlet& outlet, Dispatcher& dispatcher, std::string_view peer)
    : outlet_{outlet},
      dispatcher_{dispatcher},
      peer_{peer.data(), peer.size()},
      session_{session_options(dispatcher)} {
    if (dispatcher_.is_draining())
        session_.go_away(spdy::GoAwayCode::ok);
    touch();
}

ChildSession::~ChildSession() {
    while (!streams_.empty())
        remove(streams_.back(), true);
    std::erase(outlet_.touched, this);
}

void ChildSession::receive(zmq::message_t& frames) {
    if (lost_)
        return;
    heard_ = true;
    session_time_.pass(session_, steady_clock::now());
    events_.clear();
    message_ = &frames;
    const auto fault = session_.receive(transport::bytes_of(frames), events_);
    for (auto& event : events_)
        std::visit([this](auto& each) { on(each); }, event);
    message_ = nullptr;
    touch();
    if (fault)
        refuse(fault->why);
    else if (!session_.at_frame_boundary())
        refuse("a message ends in the middle of a frame");
}

void ChildSession::on(spdy::StreamOpened& event) {
    if (!dispatcher_.has_room())
        return session_.reset(event.stream, spdy::ResetCode::refused_stream);
    const RequestContext::Traits traits{event.headers.find(":method") == "HEAD", !event.fin,
                                        event.headers.find("expect") == "100-continue",
                                        dispatcher_.body_window()};
    auto context = std::make_shared<RequestContext>(dispatcher_.outbox(), traits, dispatcher_.drain_token());
    context->address = {this, event.stream};
    const spdy::StreamId id = event.stream;
    const bool fin = event.fin;
    auto access = dispatcher_.access_entry(event.headers);
    auto response = dispatcher_.start(context, std::move(event));
    Stream& stream = streams_.emplace_back();
    stream.id = id;
    stream.context = std::move(context);
    stream.access = std::move(access);
    stream.body_done = fin;
    dispatcher_.stream_opened();
    if (response)
        respond(stream, std::move(*response));
}

void ChildSession::on(const spdy::DataReceived& event) {
    Stream* stream = find(event.stream);
    if (stream == nullptr)
        return;
    if (stream->discarding)
        session_.consume(stream->id, event.payload.size());
    else
        give_to_handler(*stream, event.payload, event.fin);
    if (event.fin)
        end_body(*stream);
}

void ChildSession::on(spdy::HeadersReceived& event) {
    Stream* stream = find(event.stream);
    if (stream == nullptr)
        return;
    if (!stream->discarding) {
        if (!add_trailers(*stream, std::move(event.headers))) {
            session_.reset(stream->id, spdy::ResetCode::protocol_error);
            return remove(*stream, true);
        }
        if (event.fin)
            give_to_handler(*stream, {}, true);
    }
    if (event.fin)
        end_body(*stream);
}

/// Trailers may come in several blocks, and before the last DATA; no window bounds them.
bool ChildSession::add_trailers(Stream& stream, spdy::HeaderBlock&& block) {
    stream.trailer_bytes += block.plain().size() + kBlockCost;
    if (stream.trailer_bytes > kMaxHeaderBytes + kBlockCost)
        return false;
    if (!stream.request_trailers) {
        stream.request_trailers = std::move(block);
        return true;
    }
    for (const spdy::Header header : block)
        spdy::for_each_value(
            header.value, [&](std::string_view value) { stream.request_trailers->add(header.name, value); });
    return stream.request_trailers->size() <= kMaxTrailers;
}

void ChildSession::end_body(Stream& stream) {
    stream.body_done = true;
    close_if_done(stream);
}

void ChildSession::on(const spdy::StreamReset& event) {
    if (Stream* stream = find(event.stream))
        remove(*stream, true);
}

void ChildSession::on(const spdy::WindowOpened& event) {
    if (event.stream != 0) {
        if (Stream* stream = find(event.stream))
            pump(*stream);
        return;
    }
    // By index, backwards: a stream that is done leaves the list.
    for (std::size_t i = streams_.size(); i-- > 0;)
        pump(streams_[i]);
}

void ChildSession::perform(spdy::StreamId id, Command& command) {
    Stream* stream = find(id);
    if (stream == nullptr)
        return;
    std::visit([this, stream](auto& what) { on(*stream, what); }, command.what);
    touch();
}

void ChildSession::on(Stream& stream, SendResponse& answer) {
    stop_reading(stream);
    if (answer.trailers) {
        if (!reply(stream, answer.headers, false))
            return;
        stream.pending.add(std::move(answer.body));
        EndResponse finish{std::move(answer.trailers)};
        return on(stream, finish);
    }
    if (!reply(stream, answer.headers, answer.body.empty()))
        return;
    const std::size_t sent = answer.body.empty() ? 0 : send(stream, answer.body, true);
    if (sent == answer.body.size()) {
        mark_answered(stream);
        return close_if_done(stream);
    }
    stream.pending.add(std::move(answer.body));
    stream.pending.drop(sent);
    stream.last = true;
}

void ChildSession::on(Stream& stream, SendInterim& interim) {
    // Too many or too large: the final response matters more.
    if (!stream.replied)
        (void)session_.headers(stream.id, interim.headers, false);
}

void ChildSession::on(Stream& stream, StartResponse& begin) {
    if (reply(stream, begin.headers, false))
        pump(stream);
}

void ChildSession::on(Stream& stream, WriteBody& chunk) {
    stream.context->sent(RequestContext::kWriteCost);
    stream.pending.add(std::move(chunk.bytes));
    pump(stream);
}

void ChildSession::on(Stream& stream, EndResponse& finish) {
    stop_reading(stream);
    stream.last = true;
    stream.trailers = std::move(finish.trailers);
    pump(stream);
}

void ChildSession::on(Stream& stream, const AbortResponse& break_off) {
    session_.reset(stream.id, break_off.code);
    remove(stream, true);
}

void ChildSession::on(Stream& stream, const BodyConsumed& consumed) {
    if (stream.discarding)
        return;
    stream.unread -= consumed.bytes;
    session_.consume(stream.id, consumed.bytes);
}

ChildSession::Stream* ChildSession::find(spdy::StreamId id) noexcept {
    const auto found =
        std::lower_bound(streams_.begin(), streams_.end(), id,
                         [](const Stream& stream, spdy::StreamId key) { return stream.id < key; });
    return found != streams_.end() && found->id == id ? &*found : nullptr;
}

void ChildSession::respond(Stream& stream, Response response) {
    auto [headers, has_body] = encode(response, stream.context->is_head(), dispatcher_.log());
    auto trailers = has_body ? encode_trailers(response) : std::nullopt;
    SendResponse answer{std::move(headers), has_body ? std::move(response).body() : std::string{},
                        std::move(trailers)};
    on(stream, answer);
}

bool ChildSession::reply(Stream& stream, const spdy::HeaderBlock& headers, bool fin) {
    stream.replied = true;
    stream.access.replied(headers);
    if (session_.reply(stream.id, headers, fin))
        return true;
    session_.reset(stream.id, spdy::ResetCode::internal_error);
    remove(stream, true);
    return false;
}

std::size_t ChildSession::send(Stream& stream, std::string_view bytes, bool fin) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto piece = bytes.substr(sent, transport::kMessageTarget);
        const bool is_last = sent + piece.size() == bytes.size();
        const std::size_t taken = session_.send(stream.id, bytes_of(piece), fin && is_last);
        sent += taken;
        stream.access.sent(taken);
        if (session_.output_size() >= transport::kMessageTarget)
            send_output();
        if (taken < piece.size() || lost_)
            break;
    }
    return sent;
}

void ChildSession::pump(Stream& stream) {
    if (stream.answered || lost_)
        return;
    while (!stream.pending.is_empty()) {
        const std::string_view rest = stream.pending.front();
        const bool is_last = stream.last && !stream.trailers && stream.pending.is_last();
        const std::size_t sent = send(stream, rest, is_last);
        const bool is_blocked = sent < rest.size();
        stream.context->sent(sent);
        stream.pending.drop(sent);
        if (is_blocked)
            return;
        if (is_last) {
            mark_answered(stream);
            return close_if_done(stream);
        }
    }
    if (stream.last) {
        // The FIN comes by itself: some implementations do not see one of HEADERS.
        if (stream.trailers && !session_.headers(stream.id, *stream.trailers, false)) {
            session_.reset(stream.id, spdy::ResetCode::internal_error);
            return remove(stream, true);
        }
        (void)session_.send(stream.id, {}, true);
        mark_answered(stream);
        close_if_done(stream);
    }
}

void ChildSession::give_to_handler(Stream& stream, spdy::Bytes payload, bool last) {
    const bool shared = transport::worth_sharing(payload.size(), message_->size());
    stream.unread += payload.size();
    if (!last && !shared && stream.context->add_to_last(text_of(payload)))
        return;
    auto chunk = std::make_unique<BodyChunk>();
    chunk->last = last;
    if (last)
        chunk->trailers = std::move(stream.request_trailers);
    chunk->bytes = text_of(payload);
    if (shared)
        chunk->message.copy(*message_);  // keeps the bytes
    else
        chunk->bytes = chunk->copy.assign(chunk->bytes);
    stream.context->deliver(std::move(chunk));
}

/// The rest of an upload is taken and thrown away, so that a client that sends all before it looks at the
/// answer does not hang.
void ChildSession::stop_reading(Stream& stream) {
    if (stream.discarding)
        return;
    stream.discarding = true;
    if (stream.unread > 0 && !stream.body_done)
        session_.consume(stream.id, stream.unread);
    stream.context->stop_body();
}

void ChildSession::mark_answered(Stream& stream) {
    stream.answered = true;
    stream.access.complete();
    dispatcher_.stream_answered();
}

void ChildSession::close_if_done(Stream& stream) {
    if (stream.answered && stream.body_done)
        remove(stream, false);
}

void ChildSession::remove(Stream& stream, bool cancel) {
    if (!stream.answered)
        dispatcher_.stream_answered();
    stream.context->address = {};
    if (cancel)
        stream.context->cancel();
    streams_.erase(streams_.begin() + (&stream - streams_.data()));
}

void ChildSession::drain() {
    session_.go_away(spdy::GoAwayCode::ok);
    touch();
}

void ChildSession::leave() {
    farewell_ = session_.ping();
    touch();
}

void ChildSession::refuse(std::string_view why) {
    session_.go_away(spdy::GoAwayCode::protocol_error);
    touch();
    send_output();
    fault_ = why;
    lost_ = true;
}

void ChildSession::heartbeat() {
    if (session_.open_streams() == 0 || std::exchange(heard_, false)) {
        silent_heartbeats_ = 0;
    } else if (++silent_heartbeats_ >= transport::kMissedHeartbeats) {
        // Should it only have been stopped, it must not take its streams for unprocessed when others speak for us later.
        return refuse("it has been silent for " + std::to_string(silent_heartbeats_) + " heartbeats");
    }
    if (session_.open_streams() > 0) {
        session_.ping();
        touch();
    }
}

void ChildSession::flush() {
    send_output();
    touched_ = false;
}

void ChildSession::send_output() {
    if (lost_ || session_.output_size() == 0)
        return;
    const auto result =
        transport::send(outlet_.socket, &peer_, transport::to_message(session_.take_output()));
    outlet_.sent = true;
    if (result == transport::SendResult::sent)
        return;
    if (result == transport::SendResult::full)
        fault_ = "it does not read what is sent to it";
    lost_ = true;
}

bool ChildSession::is_reachable() {
    outlet_.sent = true;
    return transport::send(outlet_.socket, &peer_, zmq::message_t{}) != transport::SendResult::unreachable;
}

void ChildSession::touch() {
    if (!std::exchange(touched_, true))
        outlet_.touched.push_back(this);
}

}  // namespace zmqspdy::serving
