// The session with one httpd child: SPDY streams on one side, requests on the other. I/O thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "transport/session_time.hpp"
#include "worker/access_log.hpp"
#include "worker/byte_pieces.hpp"
#include "worker/dispatcher.hpp"
#include "worker/request_context.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::serving {

class ChildSession;

/// The socket that sessions send through, and which of them have something to send.
struct Outlet {
    zmq::socket_ref socket;
    std::vector<ChildSession*> touched;  ///< each once
    bool sent = false;                   ///< something went out: see Poller for what follows
};

class ChildSession {
  public:
    ChildSession(Outlet& outlet, Dispatcher& dispatcher, std::string_view peer);
    /// Cancels what is open.
    ~ChildSession();
    ChildSession(const ChildSession&) = delete;
    ChildSession& operator=(const ChildSession&) = delete;

    /// One message of the peer's.
    void receive(zmq::message_t& frames);
    /// Does what a handler asked for `stream`.
    void perform(spdy::StreamId stream, Command& command);

    /// GOAWAY: no new streams; open ones go on.
    void drain();
    /// RST_STREAM for all that is open: REFUSED_STREAM, so that httpd asks another worker, where no handler has begun.
    void break_off() {
        while (!streams_.empty()) {
            Stream& stream = streams_.back();
            session_.reset(stream.id, stream.context->claim() ? spdy::ResetCode::refused_stream
                                                              : spdy::ResetCode::cancel);
            remove(stream, true);
        }
        touch();
    }
    /// PINGs the peer: once it answers it has all that was sent before.
    void leave();
    [[nodiscard]] bool has_left() const noexcept { return lost_ || !farewell_ || farewell_acknowledged_; }
    [[nodiscard]] bool is_idle() const noexcept { return streams_.empty(); }
    /// GOAWAY PROTOCOL_ERROR, and the end.
    void refuse(std::string_view why);
    /// Once for each heartbeat: PINGs a peer that has streams; one that has been silent for too long is lost.
    void heartbeat();
    /// Sends what waits. Only the outlet's owner calls it, for sessions in Outlet::touched.
    void flush();
    /// An empty message; false when the peer has gone.
    [[nodiscard]] bool is_reachable();

    [[nodiscard]] std::string_view peer() const noexcept { return peer_.to_string_view(); }
    /// The session is over: to be destroyed after flush().
    [[nodiscard]] bool is_lost() const noexcept { return lost_; }
    /// Why, when it is the peer's fault; a sentence for the log.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
    /// The peer said GOAWAY.
    [[nodiscard]] bool peer_went_away() const noexcept { return session_.peer_went_away(); }

  private:
    struct Stream {
        spdy::StreamId id;
        std::shared_ptr<RequestContext> context;
        AccessEntry access;
        BytePieces pending;      ///< what the window has no room for yet
        std::size_t unread = 0;  ///< bytes given to the handler and not consumed
        bool last = false;       ///< nothing follows `pending` but the trailers
        std::optional<spdy::HeaderBlock> trailers;
        std::optional<spdy::HeaderBlock> request_trailers;  ///< that have come so far
        std::size_t trailer_bytes = 0;
        bool replied = false;     ///< the SYN_REPLY is sent
        bool answered = false;    ///< FIN is sent
        bool body_done = false;   ///< FIN is received
        bool discarding = false;  ///< nobody reads the body
    };

    void on(spdy::StreamOpened& event);
    void on(const spdy::DataReceived& event);
    void on(spdy::HeadersReceived& event);
    void on(const spdy::StreamReset& event);
    void on(const spdy::WindowOpened& event);
    void on(const spdy::ReplyReceived&) {}
    void on(const spdy::PingAcknowledged& event) noexcept {
        farewell_acknowledged_ = farewell_acknowledged_ || event.id == farewell_;
    }
    void on(const spdy::SettingsReceived&) {}
    void on(const spdy::GoAwayReceived&) {}

    void on(Stream& stream, SendResponse& answer);
    void on(Stream& stream, SendInterim& interim);
    void on(Stream& stream, StartResponse& begin);
    void on(Stream& stream, WriteBody& chunk);
    void on(Stream& stream, EndResponse& finish);
    void on(Stream& stream, const AbortResponse& break_off);
    void on(Stream& stream, const BodyConsumed& consumed);

    [[nodiscard]] Stream* find(spdy::StreamId id) noexcept;
    void respond(Stream& stream, Response response);
    /// SYN_REPLY; false when the session does not take it, and the stream is gone.
    [[nodiscard]] bool reply(Stream& stream, const spdy::HeaderBlock& headers, bool fin);
    /// Sends the start of `bytes` as far as the windows go; `fin` with the last of them.
    [[nodiscard]] std::size_t send(Stream& stream, std::string_view bytes, bool fin);
    void pump(Stream& stream);
    void end_body(Stream& stream);
    /// False when there are too many.
    [[nodiscard]] static bool add_trailers(Stream& stream, spdy::HeaderBlock&& block);
    void give_to_handler(Stream& stream, spdy::Bytes payload, bool last);
    void stop_reading(Stream& stream);
    void mark_answered(Stream& stream);
    void close_if_done(Stream& stream);
    void remove(Stream& stream, bool cancel);
    void send_output();
    void touch();

    Outlet& outlet_;
    Dispatcher& dispatcher_;
    zmq::message_t peer_;
    spdy::Session session_;
    transport::SessionTime session_time_;
    std::vector<Stream> streams_;  // by id: ids only grow
    std::vector<spdy::Event> events_;
    zmq::message_t* message_ = nullptr;  // the one that is being received
    std::string fault_;
    std::optional<std::uint32_t> farewell_;  // the PING after the last words
    bool farewell_acknowledged_ = false;
    int silent_heartbeats_ = 0;
    bool heard_ = false;
    bool touched_ = false;
    bool lost_ = false;
};

}  // namespace zmqspdy::serving
