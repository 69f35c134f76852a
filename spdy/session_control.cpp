// Frames of the session in, events out.
#include <algorithm>

#include "spdy/big_endian.hpp"
#include "spdy/session_impl.hpp"

namespace zmqspdy::spdy {

void Session::Impl::on_control(const ControlFrame& frame, Events& out) {
    const auto type = static_cast<FrameType>(frame.type);
    if (frame.version != kVersion) {
        // Its header block has gone past our inflater, so a SYN_STREAM costs the session, too; but it gets
        // the answer that SPDY has for it.
        if (type == FrameType::syn_stream && frame.body.size() >= 4 && have_settings_)
            writer_.rst_stream(read_u32(frame.body.data()) & kMaxStreamId, ResetCode::unsupported_version);
        return fail("a control frame of another version than SPDY/3");
    }
    if (!have_settings_ && type != FrameType::settings)
        return fail("the first frame is not SETTINGS");

    switch (type) {
        case FrameType::syn_stream:
            return on_syn_stream(frame, out);
        case FrameType::syn_reply:
            return on_syn_reply(frame, out);
        case FrameType::rst_stream:
            return on_rst_stream(frame, out);
        case FrameType::settings:
            return on_settings(frame, out);
        case FrameType::ping:
            return on_ping(frame, out);
        case FrameType::go_away:
            return on_go_away(frame, out);
        case FrameType::headers:
            return on_headers(frame, out);
        case FrameType::window_update:
            return on_window_update(frame, out);
        case FrameType::credential:
            break;
    }
    spend();  // unknown types are ignored
}

void Session::Impl::on_settings(const ControlFrame& frame, Events& out) {
    const std::size_t size = frame.body.size();
    if (size < 4 || size != 4 + std::uint64_t{8} * read_u32(frame.body.data()))
        return fail("SETTINGS has the wrong size");
    if (have_settings_ && !spend())
        return;
    have_settings_ = true;

    std::optional<std::uint32_t> max_streams;
    std::optional<std::uint32_t> window;
    for (std::size_t at = 4; at < size; at += 8) {
        const std::uint32_t value = read_u32(&frame.body[at + 4]);
        // Of a setting that comes twice in one frame the first counts.
        switch (static_cast<SettingId>(read_u24(&frame.body[at + 1]))) {
            case SettingId::max_concurrent_streams:
                max_streams = max_streams.value_or(value);
                break;
            case SettingId::initial_window_size:
                window = window.value_or(value);
                break;
        }
    }

    bool grown = false;
    if (window) {
        if (*window > kMaxWindow)
            return fail("SETTINGS INITIAL_WINDOW_SIZE above 2^31-1");
        const auto delta = std::int64_t{*window} - peer_stream_window_;
        bool legal = true;
        streams_.for_each([&](Stream& stream) { legal = stream.sending.adjust(delta) && legal; });
        if (!legal)
            return fail("SETTINGS INITIAL_WINDOW_SIZE makes a window exceed 2^31-1");
        peer_stream_window_ = *window;
        grown = delta > 0 && streams_.size() > 0;
    }
    peer_max_streams_ = max_streams.value_or(peer_max_streams_);
    out.push_back(SettingsReceived{});
    if (grown)
        out.push_back(WindowOpened{0});
}

void Session::Impl::on_ping(const ControlFrame& frame, Events& out) {
    if (frame.body.size() != 4)
        return fail("PING has the wrong size");
    const std::uint32_t id = read_u32(frame.body.data());
    if (awaits_ping(id)) {
        // Free: how many there are of them is ours to say.
        last_ping_back_ = id;
        out.push_back(PingAcknowledged{id});
        return;
    }
    // Those of our parity that we did not send, or saw answered, are ignored.
    if (spend() && !is_own_id(id))
        writer_.ping(id);
}

void Session::Impl::on_go_away(const ControlFrame& frame, Events& out) {
    // 4 bytes: SPDY/2's form, which has no status; some write it in SPDY/3 as well.
    if (frame.body.size() != 4 && frame.body.size() != 8)
        return fail("GOAWAY has the wrong size");
    if (!spend())
        return;
    const StreamId last_good = read_u32(frame.body.data()) & kMaxStreamId;
    const auto code = frame.body.size() == 8 ? GoAwayCode{read_u32(frame.body.data() + 4)} : GoAwayCode::ok;
    peer_went_away_ = true;
    out.push_back(GoAwayReceived{last_good, code});

    std::vector<StreamId> lost;
    streams_.for_each([&](const Stream& stream) {
        if (is_own_id(stream.id) && stream.id > last_good)
            lost.push_back(stream.id);
    });
    std::sort(lost.begin(), lost.end());
    for (const StreamId id : lost) {
        streams_.erase(id);
        out.push_back(StreamReset{id, ResetCode::refused_stream, true, {}});
    }
}

void Session::Impl::on_window_update(const ControlFrame& frame, Events& out) {
    if (frame.body.size() != 8)
        return fail("WINDOW_UPDATE has the wrong size");
    const StreamId id = read_u32(frame.body.data()) & kMaxStreamId;
    const std::uint32_t delta = read_u32(frame.body.data() + 4) & kMaxStreamId;
    if (!(id == 0 ? session_updates_ : stream_updates_).settle(delta) && !spend())
        return;
    if (id == 0) {
        if (delta == 0)
            return fail("WINDOW_UPDATE of 0 on the session");
        if (!sending_.adjust(delta))
            return fail("WINDOW_UPDATE makes the window of the session exceed 2^31-1");
        out.push_back(WindowOpened{0});
        return;
    }
    Stream* stream = streams_.find(id);
    if (stream == nullptr || stream->local_done)
        return;  // late, or of no consequence
    if (delta == 0)
        return reset_faulty(id, ResetCode::protocol_error, "WINDOW_UPDATE of 0", out);
    if (!stream->sending.adjust(delta))
        return reset_faulty(id, ResetCode::flow_control_error,
                            "WINDOW_UPDATE makes the window of the stream exceed 2^31-1", out);
    if (stream->sending.room() > 0)
        out.push_back(WindowOpened{id});
}

}  // namespace zmqspdy::spdy
