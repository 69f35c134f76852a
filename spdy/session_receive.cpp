// Frames of a stream in, events out.
#include <utility>

#include "spdy/big_endian.hpp"
#include "spdy/session_impl.hpp"

namespace zmqspdy::spdy {

namespace {

/// More is of no use to anyone, and costs as much as other glitches: interim responses, updates, trailers.
constexpr std::uint8_t kFreeBlocks = 16;

StreamId stream_id_at(const std::byte* at) noexcept {
    return read_u32(at) & kMaxStreamId;
}
bool has_fin(const ControlFrame& frame) noexcept {
    return (frame.flags & kFlagFin) != 0;
}

}  // namespace

std::optional<SessionFault> Session::Impl::receive(Bytes in, std::vector<Event>& out) {
    while (!fault_) {
        const FramePart part = reader_.next(in);
        if (std::holds_alternative<NeedMore>(part))
            break;
        if (const auto* data = std::get_if<DataPart>(&part))
            on_data(*data, out);
        else if (const auto* control = std::get_if<ControlFrame>(&part))
            on_control(*control, out);
        else
            fail("a control frame is too large");
    }
    return fault_;
}

void Session::Impl::reset_faulty(StreamId id, ResetCode code, std::string_view why, Events& out) {
    if (!spend())
        return;
    writer_.rst_stream(id, code);
    if (streams_.find(id) == nullptr)
        return;
    streams_.erase(id);
    out.push_back(StreamReset{id, code, false, why});
}

// All that depends on the size of a frame is done when its header comes in, so that the outcome does not
// depend on how the bytes were cut.
void Session::Impl::on_data(const DataPart& part, Events& out) {
    Stream* stream = streams_.find(part.stream);
    if (part.starts) {
        if (!have_settings_)
            return fail("the first frame is not SETTINGS");
        if (part.stream == 0)
            return fail("DATA on stream 0");
        // Late and erroneous DATA counts as well, or the two ends would disagree for good.
        if (!receiving_.take(part.body_size))
            return fail("the peer overran the window of the session");
        if (const std::uint32_t delta = receiving_.give_back(part.body_size); delta > 0)
            writer_.window_update(0, delta);

        const Disposition& disposition = disposition_of(phase_of(part.stream, stream), FrameKind::data);
        if (disposition.action == Disposition::reset)
            return reset_faulty(part.stream, disposition.code, disposition.why, out);
    }
    if (stream == nullptr || stream->remote_done) {
        if (part.starts && part.body_size == 0)
            spend();
        return;
    }
    if (part.starts) {
        if (!stream->receiving.take(part.body_size))
            return reset_faulty(part.stream, ResetCode::flow_control_error,
                                "the peer overran the window of the stream", out);
        // The last frame is free: there is one for each stream, and small answers have no other.
        if (part.body_size < kTinyData && !part.ends_stream &&
            !spend(part.body_size == 0 ? GlitchLimiter::kFrame : GlitchLimiter::kTinyData))
            return;
    }
    if (part.payload.empty() && !part.fin)
        return;
    out.push_back(DataReceived{part.stream, part.payload, part.fin});
    if (part.fin)
        remote_fin(*stream);
}

std::optional<Bytes> Session::Impl::inflate(Bytes block) {
    const auto plain = decompressor_.inflate(block);
    if (const auto* bytes = std::get_if<Bytes>(&plain))
        return *bytes;
    fail(to_string(std::get<InflateError>(plain)));
    return {};
}

std::optional<HeaderBlock> Session::Impl::take_block(StreamId id, Bytes plain, Events& out) {
    auto block = HeaderBlock::parse({plain.begin(), plain.end()}, options_.max_headers);
    if (auto* headers = std::get_if<HeaderBlock>(&block))
        return std::move(*headers);
    reset_faulty(id, ResetCode::protocol_error, to_string(std::get<HeaderBlockError>(block)), out);
    return {};
}

bool Session::Impl::refuses(const ControlFrame& frame) const noexcept {
    // We push nothing and take nothing pushed.
    const bool pushed =
        is_client() || (frame.flags & kFlagUnidirectional) != 0 || stream_id_at(&frame.body[4]) != 0;
    return pushed || streams_.size() >= options_.max_concurrent_streams;
}

void Session::Impl::on_syn_stream(const ControlFrame& frame, Events& out) {
    if (frame.body.size() < 10)
        return fail("SYN_STREAM is too short");
    const auto plain = inflate(frame.body.subspan(10));
    if (!plain)
        return;
    const StreamId id = stream_id_at(frame.body.data());
    if (id == 0 || is_own_id(id))
        return fail("SYN_STREAM with an id that is not the peer's to use");
    if (id < last_peer_id_)
        return fail("SYN_STREAM with a decreasing id");
    if (id == last_peer_id_)
        return reset_faulty(id, ResetCode::protocol_error, "SYN_STREAM with an id that is in use", out);
    last_peer_id_ = id;
    if (went_away_) {
        spend();
        return;
    }
    if (refuses(frame))
        return reset_faulty(id, ResetCode::refused_stream, {}, out);
    auto headers = take_block(id, *plain, out);
    if (!headers)
        return;
    last_good_ = id;
    add_stream(id).remote_done = has_fin(frame);
    const auto priority = static_cast<Priority>(std::to_integer<unsigned>(frame.body[8]) >> 5);
    out.push_back(StreamOpened{id, priority, std::move(*headers), has_fin(frame)});
}

Stream* Session::Impl::stream_for(StreamId id, FrameKind kind, Events& out) {
    if (id == 0) {
        fail("headers on stream 0");
        return nullptr;
    }
    Stream* stream = streams_.find(id);
    const Disposition& disposition = disposition_of(phase_of(id, stream), kind);
    switch (disposition.action) {
        case Disposition::accept:
            return stream;
        case Disposition::ignore:
            spend();
            return nullptr;
        case Disposition::reset:
            break;
    }
    reset_faulty(id, disposition.code, disposition.why, out);
    return nullptr;
}

void Session::Impl::on_syn_reply(const ControlFrame& frame, Events& out) {
    if (frame.body.size() < 4)
        return fail("SYN_REPLY is too short");
    const auto plain = inflate(frame.body.subspan(4));
    if (!plain)
        return;
    const StreamId id = stream_id_at(frame.body.data());
    Stream* stream = stream_for(id, FrameKind::syn_reply, out);
    if (stream == nullptr)
        return;
    auto headers = take_block(id, *plain, out);
    if (!headers)
        return;
    stream->replied = true;
    out.push_back(ReplyReceived{id, std::move(*headers), has_fin(frame)});
    if (has_fin(frame))
        remote_fin(*stream);
}

void Session::Impl::on_headers(const ControlFrame& frame, Events& out) {
    if (frame.body.size() < 4)
        return fail("HEADERS is too short");
    const auto plain = inflate(frame.body.subspan(4));
    if (!plain)
        return;
    const StreamId id = stream_id_at(frame.body.data());
    Stream* stream = stream_for(id, FrameKind::headers, out);
    if (stream == nullptr)
        return;
    if (stream->blocks < kFreeBlocks)
        ++stream->blocks;
    else if (!spend())
        return;
    if (has_fin(frame) && phase_of(id, stream) == StreamPhase::awaiting_reply)
        return reset_faulty(id, ResetCode::protocol_error, "the stream ends before SYN_REPLY", out);
    auto headers = take_block(id, *plain, out);
    if (!headers)
        return;
    out.push_back(HeadersReceived{id, std::move(*headers), has_fin(frame)});
    if (has_fin(frame))
        remote_fin(*stream);
}

void Session::Impl::on_rst_stream(const ControlFrame& frame, Events& out) {
    if (frame.body.size() != 8)
        return fail("RST_STREAM has the wrong size");
    const StreamId id = stream_id_at(frame.body.data());
    if (id == 0)
        return fail("RST_STREAM on stream 0");
    if (!spend() || streams_.find(id) == nullptr)
        return;  // never answered, or two ends could answer one another for ever
    // 0 is no code, but the stream is closed all the same.
    const std::uint32_t code = read_u32(frame.body.data() + 4);
    streams_.erase(id);
    out.push_back(StreamReset{id, code == 0 ? ResetCode::protocol_error : ResetCode{code}, true, {}});
}

}  // namespace zmqspdy::spdy
