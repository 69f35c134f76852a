// Cuts a byte stream into SPDY frames. Knows frame headers, nothing of what the frames mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

struct NeedMore {};
struct ControlFrame {
    std::uint16_t version;
    std::uint16_t type;  ///< a FrameType, or one that we do not know
    std::uint8_t flags;
    Bytes body;
};
/// DATA is passed on as it comes in. `body_size` is that of the whole frame; a frame makes one part that
/// `starts` it (empty if only the header is there yet), then parts that do not.
struct DataPart {
    StreamId stream;
    std::uint32_t body_size;
    Bytes payload;
    bool starts;
    bool ends_stream;  ///< the frame has FIN
    bool fin;          ///< FIN, and this is the last part
};
struct ControlFrameTooLarge {};
using FramePart = std::variant<NeedMore, ControlFrame, DataPart, ControlFrameTooLarge>;

class FrameReader {
  public:
    explicit FrameReader(std::size_t max_control_body) noexcept : max_control_body_{max_control_body} {}

    /// Takes the next part off the front of `in`. Its view points into `in`, or into the reader (valid until
    /// the next call) for a control frame that came in pieces.
    [[nodiscard]] FramePart next(Bytes& in);

    [[nodiscard]] bool at_frame_boundary() const noexcept { return header_have_ == 0 && data_left_ == 0; }

  private:
    [[nodiscard]] FramePart begin_data(const std::byte* header, Bytes& in) noexcept;
    [[nodiscard]] FramePart next_data(Bytes& in, bool starts) noexcept;
    [[nodiscard]] FramePart next_control(const std::byte* header, Bytes& in);

    std::size_t max_control_body_;
    std::array<std::byte, kFrameHeaderSize> header_{};
    std::size_t header_have_ = 0;     ///< stays kFrameHeaderSize while a control body comes in
    std::vector<std::byte> control_;  ///< the body of a control frame that came in pieces
    bool body_handed_out_ = false;    ///< control_ was seen by the caller and can go
    StreamId data_stream_ = 0;
    std::uint32_t data_size_ = 0;
    std::uint32_t data_left_ = 0;
    bool data_fin_ = false;
};

}  // namespace zmqspdy::spdy
