#include "zmqspdy/spdy/session.hpp"

#include <algorithm>
#include <array>

#include "spdy/session_impl.hpp"

namespace zmqspdy::spdy {

namespace {

constexpr std::size_t kMinControlFrame = 8192;  // section 2.2.1
constexpr std::size_t kMaxLength = 0xffffff;

/// What we can do, whatever we were asked for.
SessionOptions within_limits(SessionOptions options) noexcept {
    constexpr auto max_window = static_cast<std::uint32_t>(kMaxWindow);
    constexpr auto default_window = static_cast<std::uint32_t>(kDefaultWindow);
    options.stream_window = std::min(options.stream_window, max_window);
    options.session_window = std::clamp(options.session_window, default_window, max_window);
    options.max_control_frame = std::clamp(options.max_control_frame, kMinControlFrame, kMaxLength);
    options.max_header_bytes = std::min(options.max_header_bytes, kMaxLength);
    options.max_data_frame = std::clamp<std::size_t>(options.max_data_frame, 1, kMaxLength);
    return options;
}

}  // namespace

Session::Impl::Impl(const SessionOptions& options)
    : options_{within_limits(options)},
      reader_{options_.max_control_frame},
      writer_{options_.compression_level},
      decompressor_{options_.max_header_bytes},
      glitches_{options_.glitches_per_second},
      receiving_{options_.session_window, 0},
      next_ping_{options_.role == Role::client ? 1u : 2u} {
    const std::array<Setting, 2> settings{{
        {SettingId::max_concurrent_streams, options_.max_concurrent_streams},
        {SettingId::initial_window_size, options_.stream_window},
    }};
    writer_.settings(settings);
    if (options_.session_window > kDefaultWindow)
        writer_.window_update(0, options_.session_window - kDefaultWindow);
}

void Session::Impl::fail(std::string_view why) {
    if (fault_)
        return;
    fault_ = SessionFault{GoAwayCode::protocol_error, why};
    went_away_ = true;
    // Without its SETTINGS the peer began before us, at whoever stood here then: what that one processed we cannot tell.
    writer_.go_away(have_settings_ ? last_good_ : kMaxStreamId, fault_->code);
}

bool Session::Impl::spend(double cost) {
    if (glitches_.spend(cost))
        return true;
    fail("too many frames that bring nothing");
    return false;
}

StreamPhase Session::Impl::phase_of(StreamId id, const Stream* stream) const noexcept {
    if (stream == nullptr) {
        const bool was_used = is_own_id(id) ? is_client() && id < next_id_ : id <= last_peer_id_;
        // What we announced by GOAWAY not to take may be on its way without a fault of the peer.
        return was_used || went_away_ ? StreamPhase::closed : StreamPhase::unknown;
    }
    if (stream->remote_done)
        return StreamPhase::remote_done;
    return is_client() && !stream->replied ? StreamPhase::awaiting_reply : StreamPhase::open;
}

Stream& Session::Impl::add_stream(StreamId id) {
    // A client may open streams before it has our SETTINGS, in the belief that they have the default window.
    // A server cannot: ours went out before the SYN_STREAM.
    const bool may_not_know = !is_client() && options_.stream_window < kDefaultWindow;
    Stream stream;
    stream.id = id;
    stream.sending = SendWindow{peer_stream_window_};
    stream.receiving =
        ReceiveWindow{options_.stream_window, may_not_know ? kDefaultWindow - options_.stream_window : 0};
    return streams_.insert(stream);
}

void Session::Impl::local_fin(Stream& stream) noexcept {
    stream.local_done = true;
    if (stream.remote_done)
        streams_.erase(stream.id);
}

void Session::Impl::remote_fin(Stream& stream) noexcept {
    stream.remote_done = true;
    if (stream.local_done)
        streams_.erase(stream.id);
}

Session::Session(const SessionOptions& options) : impl_{std::make_unique<Impl>(options)} {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::optional<SessionFault> Session::receive(Bytes in, std::vector<Event>& out) {
    return impl_->receive(in, out);
}

bool Session::at_frame_boundary() const noexcept {
    return impl_->reader().at_frame_boundary();
}

std::optional<StreamId> Session::open(const HeaderBlock& headers, Priority priority, bool fin) {
    return impl_->open(headers, priority, fin);
}

bool Session::can_open() const noexcept {
    return impl_->can_open();
}

bool Session::reply(StreamId stream, const HeaderBlock& headers, bool fin) {
    return impl_->reply(stream, headers, fin);
}

bool Session::headers(StreamId stream, const HeaderBlock& headers, bool fin) {
    return impl_->headers(stream, headers, fin);
}

std::size_t Session::send(StreamId stream, Bytes data, bool fin) {
    return impl_->send(stream, data, fin);
}
std::size_t Session::sendable(StreamId stream) const noexcept {
    return impl_->sendable(stream);
}
void Session::reset(StreamId stream, ResetCode code) {
    impl_->reset(stream, code);
}
void Session::consume(StreamId stream, std::size_t size) {
    impl_->consume(stream, size);
}
std::uint32_t Session::ping() {
    return impl_->ping();
}
void Session::go_away(GoAwayCode code) {
    impl_->go_away(code);
}
void Session::tick(double seconds) noexcept {
    impl_->glitches().refill(seconds);
}

bool Session::is_open(StreamId stream) const noexcept {
    return impl_->streams().find(stream) != nullptr;
}
std::size_t Session::open_streams() const noexcept {
    return impl_->streams().size();
}
std::uint32_t Session::peer_max_concurrent_streams() const noexcept {
    return impl_->peer_max_streams();
}
bool Session::peer_went_away() const noexcept {
    return impl_->peer_went_away();
}
bool Session::went_away() const noexcept {
    return impl_->went_away();
}
bool Session::faulted() const noexcept {
    return impl_->faulted();
}

std::size_t Session::output_size() const noexcept {
    return impl_->writer().size();
}
std::vector<std::byte> Session::take_output() {
    return impl_->writer().take();
}

}  // namespace zmqspdy::spdy
