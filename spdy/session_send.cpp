// Calls in, frames out.
#include <algorithm>

#include "spdy/session_impl.hpp"

namespace zmqspdy::spdy {

/// A peer with our limits ends the session over a larger block, and all its streams with it: rather none goes
/// out.
bool Session::Impl::sendable_block(const HeaderBlock& headers) const noexcept {
    // What zlib and the frame may add to a block that does not compress.
    constexpr std::size_t overhead = 1024;
    const std::size_t size = headers.plain().size();
    return size <= options_.max_header_bytes && size + size / 512 + overhead <= 0xffffff;
}

bool Session::Impl::can_open() const noexcept {
    return is_client() && !fault_ && !went_away_ && !peer_went_away_ && next_id_ <= kMaxStreamId &&
           streams_.size() < peer_max_streams_;
}

std::optional<StreamId> Session::Impl::open(const HeaderBlock& headers, Priority priority, bool fin) {
    if (!can_open() || !sendable_block(headers))
        return {};
    const StreamId id = next_id_;
    next_id_ += 2;
    Stream& stream = add_stream(id);
    stream.local_done = fin;
    writer_.syn_stream(id, std::min<Priority>(priority, 7), fin, headers.plain());
    return id;
}

bool Session::Impl::reply(StreamId id, const HeaderBlock& headers, bool fin) {
    Stream* stream = fault_ || is_client() ? nullptr : streams_.find(id);
    if (stream == nullptr || stream->replied || !sendable_block(headers))
        return false;
    writer_.syn_reply(id, fin, headers.plain());
    stream->replied = true;
    if (fin)
        local_fin(*stream);
    return true;
}

bool Session::Impl::headers(StreamId id, const HeaderBlock& headers, bool fin) {
    Stream* stream = fault_ ? nullptr : streams_.find(id);
    if (stream == nullptr || stream->local_done || !sendable_block(headers))
        return false;
    if (fin && !is_client() && !stream->replied)
        return false;  // a response has to begin before it ends
    writer_.headers(id, fin, headers.plain());
    if (fin)
        local_fin(*stream);
    return true;
}

std::size_t Session::Impl::room(const Stream& stream) const noexcept {
    const bool may_send = !fault_ && !stream.local_done && (is_client() || stream.replied);
    return may_send ? std::min(sending_.room(), stream.sending.room()) : 0;
}

std::size_t Session::Impl::sendable(StreamId id) const noexcept {
    const Stream* stream = streams_.find(id);
    return stream == nullptr ? 0 : room(*stream);
}

std::size_t Session::Impl::send(StreamId id, Bytes data, bool fin) {
    Stream* stream = streams_.find(id);
    if (fault_ || stream == nullptr || stream->local_done || (!is_client() && !stream->replied))
        return 0;

    const std::size_t size = std::min(data.size(), room(*stream));
    const bool ends = fin && size == data.size();
    if (size == 0 && !ends)
        return 0;
    Bytes left = data.first(size);
    do {
        const Bytes payload = left.first(std::min(left.size(), options_.max_data_frame));
        left = left.subspan(payload.size());
        writer_.data(id, payload, ends && left.empty(), options_.max_data_frame);
    } while (!left.empty());
    session_updates_.sent(size);
    stream_updates_.sent(size);
    sending_.take(size);
    stream->sending.take(size);
    if (ends)
        local_fin(*stream);
    return size;
}

void Session::Impl::reset(StreamId id, ResetCode code) {
    if (fault_ || streams_.find(id) == nullptr)
        return;
    writer_.rst_stream(id, code);
    streams_.erase(id);
}

void Session::Impl::consume(StreamId id, std::size_t size) {
    Stream* stream = fault_ ? nullptr : streams_.find(id);
    if (stream == nullptr || stream->remote_done)
        return;
    if (const std::uint32_t delta = stream->receiving.give_back(size); delta > 0)
        writer_.window_update(id, delta);
}

std::uint32_t Session::Impl::ping() {
    const std::uint32_t id = next_ping_;
    if (fault_)
        return id;
    next_ping_ += 2;
    writer_.ping(id);
    return id;
}

void Session::Impl::go_away(GoAwayCode code) {
    if (went_away_)
        return;
    went_away_ = true;
    writer_.go_away(last_good_, code);
}

}  // namespace zmqspdy::spdy
