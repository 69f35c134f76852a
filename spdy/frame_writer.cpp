#include "spdy/frame_writer.hpp"

#include <algorithm>
#include <utility>

#include "spdy/big_endian.hpp"

namespace zmqspdy::spdy {

namespace {

constexpr std::size_t kMinReserve = 256;
// Users of a session cut their output at 256 KiB; growing there step by step would copy it all again.
constexpr std::size_t kMaxReserve = 264 * 1024;

std::byte fin_flag(bool fin) noexcept {
    return static_cast<std::byte>(fin ? kFlagFin : 0);
}

}  // namespace

std::byte* FrameWriter::grow(std::size_t size) {
    if (out_.capacity() == 0)
        out_.reserve(std::max(usual_size_, kMinReserve));
    out_.resize(out_.size() + size);
    return out_.data() + out_.size() - size;
}

/// Returns where the body begins.
std::byte* FrameWriter::control(FrameType type, std::uint8_t flags, std::size_t body_size) {
    std::byte* at = grow(kFrameHeaderSize + body_size);
    write_u32(at, 0x80000000u | std::uint32_t{kVersion} << 16 | static_cast<std::uint32_t>(type));
    at[4] = std::byte{flags};
    write_u24(at + 5, static_cast<std::uint32_t>(body_size));
    has_open_data_ = false;
    return at + kFrameHeaderSize;
}

/// Appends the block to the frame at `frame_at`, the last one, and sets the frame's length.
void FrameWriter::header_block(std::size_t frame_at, Bytes plain_headers) {
    compressor_.append(plain_headers, out_);
    write_u24(out_.data() + frame_at + 5,
              static_cast<std::uint32_t>(out_.size() - frame_at - kFrameHeaderSize));
}

void FrameWriter::syn_stream(StreamId stream, std::uint8_t priority, bool fin, Bytes plain_headers) {
    const std::size_t frame_at = out_.size();
    std::byte* body = control(FrameType::syn_stream, fin ? kFlagFin : 0, 10);
    write_u32(body, stream);
    write_u32(body + 4, 0);
    body[8] = static_cast<std::byte>(priority << 5);
    body[9] = std::byte{0};
    header_block(frame_at, plain_headers);
}

void FrameWriter::syn_reply(StreamId stream, bool fin, Bytes plain_headers) {
    const std::size_t frame_at = out_.size();
    write_u32(control(FrameType::syn_reply, fin ? kFlagFin : 0, 4), stream);
    header_block(frame_at, plain_headers);
}

void FrameWriter::headers(StreamId stream, bool fin, Bytes plain_headers) {
    const std::size_t frame_at = out_.size();
    write_u32(control(FrameType::headers, fin ? kFlagFin : 0, 4), stream);
    header_block(frame_at, plain_headers);
}

void FrameWriter::data(StreamId stream, Bytes payload, bool fin, std::size_t max_payload) {
    if (has_open_data_) {
        std::byte* frame = out_.data() + open_data_at_;
        const std::size_t joined = read_u24(frame + 5) + payload.size();
        if (read_u32(frame) == stream && joined <= max_payload) {
            frame[4] = fin_flag(fin);
            write_u24(frame + 5, static_cast<std::uint32_t>(joined));
            out_.insert(out_.end(), payload.begin(), payload.end());
            has_open_data_ = !fin;
            return;
        }
    }
    open_data_at_ = out_.size();
    has_open_data_ = !fin;
    if (out_.capacity() == 0)
        out_.reserve(std::max(usual_size_, kFrameHeaderSize + payload.size()));
    std::byte* at = grow(kFrameHeaderSize);
    write_u32(at, stream);
    at[4] = fin_flag(fin);
    write_u24(at + 5, static_cast<std::uint32_t>(payload.size()));
    out_.insert(out_.end(), payload.begin(), payload.end());
}

void FrameWriter::rst_stream(StreamId stream, ResetCode code) {
    std::byte* body = control(FrameType::rst_stream, 0, 8);
    write_u32(body, stream);
    write_u32(body + 4, static_cast<std::uint32_t>(code));
}

void FrameWriter::settings(std::span<const Setting> ascending) {
    std::byte* at = control(FrameType::settings, 0, 4 + 8 * ascending.size());
    write_u32(at, static_cast<std::uint32_t>(ascending.size()));
    at += 4;
    for (const Setting& setting : ascending) {
        write_u32(at, static_cast<std::uint32_t>(setting.id));  // flags 0: nothing to persist
        write_u32(at + 4, setting.value);
        at += 8;
    }
}

void FrameWriter::ping(std::uint32_t id) {
    write_u32(control(FrameType::ping, 0, 4), id);
}

void FrameWriter::go_away(StreamId last_good, GoAwayCode code) {
    std::byte* body = control(FrameType::go_away, 0, 8);
    write_u32(body, last_good);
    write_u32(body + 4, static_cast<std::uint32_t>(code));
}

void FrameWriter::window_update(StreamId stream, std::uint32_t delta) {
    std::byte* body = control(FrameType::window_update, 0, 8);
    write_u32(body, stream);
    write_u32(body + 4, delta);
}

std::vector<std::byte> FrameWriter::take() {
    has_open_data_ = false;
    // Follows a growing size at once and a shrinking one slowly.
    usual_size_ = std::min(std::max(out_.size(), usual_size_ - usual_size_ / 4), kMaxReserve);
    return std::exchange(out_, {});
}

}  // namespace zmqspdy::spdy
