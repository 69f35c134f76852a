#include "spdy/frame_reader.hpp"

#include <algorithm>

#include "spdy/big_endian.hpp"

namespace zmqspdy::spdy {

namespace {

Bytes take_front(Bytes& in, std::size_t size) noexcept {
    const Bytes front = in.first(size);
    in = in.subspan(size);
    return front;
}

bool is_control(const std::byte* header) noexcept {
    return (header[0] & std::byte{0x80}) != std::byte{};
}

}  // namespace

FramePart FrameReader::next(Bytes& in) {
    if (body_handed_out_) {
        control_.clear();
        body_handed_out_ = false;
    }
    if (data_left_ > 0)
        return in.empty() ? FramePart{NeedMore{}} : next_data(in, false);

    if (header_have_ == 0 && in.size() >= kFrameHeaderSize) {
        const std::byte* header = take_front(in, kFrameHeaderSize).data();
        return is_control(header) ? next_control(header, in) : begin_data(header, in);
    }

    const Bytes more = take_front(in, std::min(in.size(), kFrameHeaderSize - header_have_));
    std::copy(more.begin(), more.end(), header_.begin() + static_cast<std::ptrdiff_t>(header_have_));
    header_have_ += more.size();
    if (header_have_ < kFrameHeaderSize)
        return NeedMore{};
    if (is_control(header_.data()))
        return next_control(header_.data(), in);
    header_have_ = 0;
    return begin_data(header_.data(), in);
}

FramePart FrameReader::begin_data(const std::byte* header, Bytes& in) noexcept {
    data_stream_ = read_u32(header);
    data_fin_ = (std::to_integer<std::uint8_t>(header[4]) & kFlagFin) != 0;
    data_size_ = data_left_ = read_u24(header + 5);
    return next_data(in, true);
}

FramePart FrameReader::next_data(Bytes& in, bool starts) noexcept {
    const Bytes payload = take_front(in, std::min<std::size_t>(in.size(), data_left_));
    data_left_ -= static_cast<std::uint32_t>(payload.size());
    return DataPart{data_stream_, data_size_, payload, starts, data_fin_, data_fin_ && data_left_ == 0};
}

FramePart FrameReader::next_control(const std::byte* header, Bytes& in) {
    const std::size_t size = read_u24(header + 5);
    if (size > max_control_body_)
        return ControlFrameTooLarge{};

    const std::uint32_t first = read_u32(header);
    ControlFrame frame{static_cast<std::uint16_t>(first >> 16 & 0x7fff),
                       static_cast<std::uint16_t>(first),
                       std::to_integer<std::uint8_t>(header[4]),
                       {}};
    if (in.size() >= size && control_.empty()) {
        frame.body = take_front(in, size);
        header_have_ = 0;
        return frame;
    }

    if (header != header_.data()) {
        std::copy_n(header, kFrameHeaderSize, header_.begin());
        header_have_ = kFrameHeaderSize;
    }
    const Bytes more = take_front(in, std::min(in.size(), size - control_.size()));
    control_.insert(control_.end(), more.begin(), more.end());
    if (control_.size() < size)
        return NeedMore{};
    header_have_ = 0;
    body_handed_out_ = true;
    frame.body = control_;
    return frame;
}

}  // namespace zmqspdy::spdy
