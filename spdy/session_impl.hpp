// The inside of a Session: session_send.cpp has the calls that make frames, session_receive.cpp the frames
// that concern a stream, session_control.cpp those that concern the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "spdy/flow_window.hpp"
#include "spdy/frame_reader.hpp"
#include "spdy/frame_writer.hpp"
#include "spdy/glitch_limiter.hpp"
#include "spdy/header_compression.hpp"
#include "spdy/stream_rules.hpp"
#include "spdy/stream_table.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::spdy {

class Session::Impl {
  public:
    explicit Impl(const SessionOptions& options);

    [[nodiscard]] std::optional<SessionFault> receive(Bytes in, std::vector<Event>& out);

    [[nodiscard]] std::optional<StreamId> open(const HeaderBlock& headers, Priority priority, bool fin);
    [[nodiscard]] bool can_open() const noexcept;
    bool reply(StreamId id, const HeaderBlock& headers, bool fin);
    bool headers(StreamId id, const HeaderBlock& headers, bool fin);
    [[nodiscard]] std::size_t send(StreamId id, Bytes data, bool fin);
    [[nodiscard]] std::size_t sendable(StreamId id) const noexcept;
    void reset(StreamId id, ResetCode code);
    void consume(StreamId id, std::size_t size);
    std::uint32_t ping();
    void go_away(GoAwayCode code);

    [[nodiscard]] const FrameReader& reader() const noexcept { return reader_; }
    [[nodiscard]] FrameWriter& writer() noexcept { return writer_; }
    [[nodiscard]] GlitchLimiter& glitches() noexcept { return glitches_; }
    [[nodiscard]] const StreamTable& streams() const noexcept { return streams_; }
    [[nodiscard]] std::uint32_t peer_max_streams() const noexcept { return peer_max_streams_; }
    [[nodiscard]] bool peer_went_away() const noexcept { return peer_went_away_; }
    [[nodiscard]] bool went_away() const noexcept { return went_away_; }
    [[nodiscard]] bool faulted() const noexcept { return fault_.has_value(); }

  private:
    using Events = std::vector<Event>;
    /// DATA below this size is mostly frame header.
    static constexpr std::uint32_t kTinyData = 32;

    // Frames of a stream. Each of these, and of the next group, may end in fail().
    void on_data(const DataPart& part, Events& out);
    void on_syn_stream(const ControlFrame& frame, Events& out);
    void on_syn_reply(const ControlFrame& frame, Events& out);
    void on_headers(const ControlFrame& frame, Events& out);
    void on_rst_stream(const ControlFrame& frame, Events& out);
    // Frames of the session.
    void on_control(const ControlFrame& frame, Events& out);
    void on_settings(const ControlFrame& frame, Events& out);
    void on_ping(const ControlFrame& frame, Events& out);
    void on_go_away(const ControlFrame& frame, Events& out);
    void on_window_update(const ControlFrame& frame, Events& out);

    /// Breaks the session: GOAWAY PROTOCOL_ERROR. Further frames are not looked at.
    void fail(std::string_view why);
    /// Pays for a frame that brings nothing; false after fail().
    bool spend(double cost = GlitchLimiter::kFrame);
    /// Inflates a block, whatever becomes of its stream, so that the blocks after it can be read; nothing
    /// after fail().
    [[nodiscard]] std::optional<Bytes> inflate(Bytes block);
    /// Copies and checks an inflated block; a faulty one resets the stream.
    [[nodiscard]] std::optional<HeaderBlock> take_block(StreamId id, Bytes plain, Events& out);
    /// SYN_REPLY and HEADERS have these steps in common: the stream that may have the block, or nothing.
    [[nodiscard]] Stream* stream_for(StreamId id, FrameKind kind, Events& out);
    /// Why a SYN_STREAM that is in order is not taken, if so.
    [[nodiscard]] bool refuses(const ControlFrame& frame) const noexcept;
    /// Answers a fault of the peer by RST_STREAM and closes the stream, should it be open.
    void reset_faulty(StreamId id, ResetCode code, std::string_view why, Events& out);

    [[nodiscard]] StreamPhase phase_of(StreamId id, const Stream* stream) const noexcept;
    [[nodiscard]] bool is_own_id(StreamId id) const noexcept { return (id & 1) == (is_client() ? 1u : 0u); }
    /// A PING that we sent and that is not answered: answers come back in order.
    [[nodiscard]] bool awaits_ping(std::uint32_t id) const noexcept {
        return is_own_id(id) && id > last_ping_back_ && id < next_ping_;
    }
    [[nodiscard]] bool is_client() const noexcept { return options_.role == Role::client; }
    [[nodiscard]] bool sendable_block(const HeaderBlock& headers) const noexcept;
    [[nodiscard]] std::size_t room(const Stream& stream) const noexcept;
    Stream& add_stream(StreamId id);
    void local_fin(Stream& stream) noexcept;
    void remote_fin(Stream& stream) noexcept;

    SessionOptions options_;
    FrameReader reader_;
    FrameWriter writer_;
    HeaderDecompressor decompressor_;
    StreamTable streams_;
    GlitchLimiter glitches_;
    // Free updates are of the size that makes DATA free: so a peer cannot send more of them than we send DATA.
    UpdateAllowance stream_updates_{kTinyData};
    UpdateAllowance session_updates_{kTinyData};
    SendWindow sending_{kDefaultWindow};
    ReceiveWindow receiving_;
    std::optional<SessionFault> fault_;
    StreamId next_id_ = 1;
    StreamId last_peer_id_ = 0;  ///< the highest that the peer has used
    StreamId last_good_ = 0;     ///< the highest of the peer's that we took
    std::uint32_t next_ping_;
    std::uint32_t last_ping_back_ = 0;
    std::uint32_t peer_max_streams_ = 0xffffffff;
    std::uint32_t peer_stream_window_ = kDefaultWindow;
    bool have_settings_ = false;
    bool peer_went_away_ = false;
    bool went_away_ = false;
};

}  // namespace zmqspdy::spdy
