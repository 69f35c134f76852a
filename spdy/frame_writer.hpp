// Packs frames into the output of a session. Knows the layout of frames, nothing of when they are legal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spdy/header_compression.hpp"
#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

struct Setting {
    SettingId id;
    std::uint32_t value;
};

class FrameWriter {
  public:
    explicit FrameWriter(int compression_level) : compressor_{compression_level} {}

    void syn_stream(StreamId stream, std::uint8_t priority, bool fin, Bytes plain_headers);
    void syn_reply(StreamId stream, bool fin, Bytes plain_headers);
    void headers(StreamId stream, bool fin, Bytes plain_headers);
    /// Joins `payload` to the frame before it if that was DATA of the same stream and both fit into
    /// `max_payload`, so that many small writes cost the peer as little as one. Precondition: payload fits.
    void data(StreamId stream, Bytes payload, bool fin, std::size_t max_payload);
    void rst_stream(StreamId stream, ResetCode code);
    void settings(std::span<const Setting> ascending);
    void ping(std::uint32_t id);
    void go_away(StreamId last_good, GoAwayCode code);
    void window_update(StreamId stream, std::uint32_t delta);

    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
    [[nodiscard]] std::vector<std::byte> take();

  private:
    std::byte* grow(std::size_t size);
    std::byte* control(FrameType type, std::uint8_t flags, std::size_t body_size);
    void header_block(std::size_t frame_at, Bytes plain_headers);

    std::vector<std::byte> out_;
    HeaderCompressor compressor_;
    std::size_t usual_size_ = 0;    ///< what take() gave lately: to allocate once
    std::size_t open_data_at_ = 0;  ///< the last frame, if it is DATA without FIN
    bool has_open_data_ = false;
};

}  // namespace zmqspdy::spdy
