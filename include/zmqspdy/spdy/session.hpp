// One end of a SPDY/3.1 session: bytes in, events out; calls in, bytes out. No socket, thread, clock or log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::spdy {

enum class Role : std::uint8_t { client, server };

/// 0 is the most urgent, 7 the least: the scale of RFC 9218's urgency.
using Priority = std::uint8_t;
/// What RFC 9218 section 4.1 assumes of a request that says nothing.
inline constexpr Priority kDefaultPriority = 3;

struct SessionOptions {
    Role role = Role::client;
    /// Told to the peer as SETTINGS MAX_CONCURRENT_STREAMS; a stream above it is refused (REFUSED_STREAM).
    std::uint32_t max_concurrent_streams = 1000;
    /// Receive window of each stream in bytes, told to the peer as SETTINGS INITIAL_WINDOW_SIZE. It bounds
    /// what a stream can make us hold. (A client may begin with 64 KiB all the same: it may not know better
    /// yet.)
    std::uint32_t stream_window = 256 * 1024;
    /// Receive window of the session in bytes, raised at once by a WINDOW_UPDATE on stream 0. It bounds what
    /// may be under way between the two ends, not what is held: receive() gives it back as DATA comes in, so
    /// that a stream that nobody reads cannot stop its neighbours.
    std::uint32_t session_window = 16 * 1024 * 1024;
    /// 0 (stored: no CRIME, least CPU) to 9. Only of what we send; any zlib stream that begins with the
    /// dictionary of SPDY/3 is accepted.
    int compression_level = 0;
    /// Of one inflated block; a larger one ends the session, and is not sent either: see open().
    std::size_t max_header_bytes = 64 * 1024;
    std::size_t max_headers = 256;              ///< names in one block; above it the stream is reset
    std::size_t max_control_frame = 80 * 1024;  ///< at least 8192 (section 2.2.1); above it the session ends
    std::size_t max_data_frame = 256 * 1024;    ///< payload of one DATA frame that we send
    /// Frames that carry no progress (PING other than the first answer to one of ours, SETTINGS, RST_STREAM, empty
    /// DATA, WINDOW_UPDATE that gives back nothing we sent or less than 32 bytes, refused streams, faults that we
    /// answer, the 17th and later HEADERS of a stream) the peer may send for each second that tick() is told of; past it the session ends. Twice that
    /// may come in a burst. DATA of less than 32 bytes without FIN counts a sixteenth.
    std::uint32_t glitches_per_second = 10000;
};

// What receive() reports. Views point into the bytes given to receive().

struct StreamOpened {  ///< server role only: a SYN_STREAM
    StreamId stream;
    Priority priority;
    HeaderBlock headers;
    bool fin;
};
struct ReplyReceived {  ///< client role only: the SYN_REPLY
    StreamId stream;
    HeaderBlock headers;
    bool fin;
};
struct HeadersReceived {  ///< HEADERS: interim responses before the SYN_REPLY, trailers after the DATA
    StreamId stream;
    HeaderBlock headers;
    bool fin;
};
struct DataReceived {  ///< part of, or a whole DATA frame; consume() it when it has been dealt with
    StreamId stream;
    Bytes payload;
    bool fin;
};
struct StreamReset {  ///< the stream is closed: the peer's RST_STREAM, or a fault of the peer answered by
                      ///< ours
    StreamId stream;
    ResetCode code;
    bool by_peer;
    std::string_view why;  ///< a sentence of ours, in static storage; empty when by_peer
};
struct WindowOpened {  ///< sendable() may have grown: for `stream`, or for all streams when 0
    StreamId stream;
};
struct PingAcknowledged {
    std::uint32_t id;
};
struct SettingsReceived {};  ///< see peer_max_concurrent_streams()
/// The peer takes no new streams, and has not processed those of ours above `last_good`: each of them is
/// reported as StreamReset{REFUSED_STREAM} right after this event.
struct GoAwayReceived {
    StreamId last_good;
    GoAwayCode code;
};
using Event = std::variant<StreamOpened, ReplyReceived, HeadersReceived, DataReceived, StreamReset,
                           WindowOpened, PingAcknowledged, SettingsReceived, GoAwayReceived>;

/// The peer broke the session. A GOAWAY is in the output already: send it, then drop the peer.
struct SessionFault {
    GoAwayCode code;
    std::string_view why;  ///< in static storage, safe to log
};

/// A session is used by one thread at a time. After a fault receive() repeats the fault and sending calls do
/// nothing.
class Session {
  public:
    /// Puts SETTINGS, and the WINDOW_UPDATE that raises the session window, into the output.
    explicit Session(const SessionOptions& options);
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Takes all of `in`, cut anywhere, and appends what it means to `out` in wire order.
    /// The first frame must be SETTINGS.
    [[nodiscard]] std::optional<SessionFault> receive(Bytes in, std::vector<Event>& out);

    /// True when no frame is half received: so it must be after each ZeroMQ message.
    [[nodiscard]] bool at_frame_boundary() const noexcept;

    /// Client role: opens a stream. Nothing when the session takes no more: the peer's limit of concurrent
    /// streams, a GOAWAY either way, a fault, or stream ids used up. Nor when `headers` are larger than
    /// max_header_bytes: a peer with our limits would end the session over them. The caller, who knows what
    /// to answer, checks that first; the same goes for reply() and headers().
    [[nodiscard]] std::optional<StreamId> open(const HeaderBlock& headers, Priority priority, bool fin);
    [[nodiscard]] bool can_open() const noexcept;

    /// Server role: SYN_REPLY. False (and nothing sent) when the stream is closed or replied to already.
    bool reply(StreamId stream, const HeaderBlock& headers, bool fin);
    /// HEADERS. False when our side of the stream is closed, and for `fin` before the reply.
    bool headers(StreamId stream, const HeaderBlock& headers, bool fin);
    /// Sends as much of `data` as both windows allow and returns how much that was; `fin` goes out only with
    /// the last byte. What is left the caller keeps until WindowOpened. 0 when our side of the stream is
    /// closed, or not replied to yet. Small pieces that are in the output at once go out as one frame.
    [[nodiscard]] std::size_t send(StreamId stream, Bytes data, bool fin);
    /// Bytes that send() would take now.
    [[nodiscard]] std::size_t sendable(StreamId stream) const noexcept;
    /// RST_STREAM; the stream is closed at once. Nothing happens when it is closed already.
    void reset(StreamId stream, ResetCode code);
    /// `size` bytes of DataReceived have been dealt with: the peer may send as many more. WINDOW_UPDATEs are
    /// sent for half a window at a time.
    void consume(StreamId stream, std::size_t size);
    /// Sends a PING and returns its id.
    std::uint32_t ping();
    /// GOAWAY with the last stream of the peer that we took; later ones are ignored. Open streams go on.
    void go_away(GoAwayCode code);
    /// Tells the session that `seconds` have passed since the last call: refills its allowance of glitches.
    void tick(double seconds) noexcept;

    [[nodiscard]] bool is_open(StreamId stream) const noexcept;
    [[nodiscard]] std::size_t open_streams() const noexcept;
    [[nodiscard]] std::uint32_t peer_max_concurrent_streams() const noexcept;
    [[nodiscard]] bool peer_went_away() const noexcept;
    [[nodiscard]] bool went_away() const noexcept;
    [[nodiscard]] bool faulted() const noexcept;

    /// Whole frames waiting to be sent. The caller takes them as one message part.
    [[nodiscard]] std::size_t output_size() const noexcept;
    [[nodiscard]] std::vector<std::byte> take_output();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace zmqspdy::spdy
