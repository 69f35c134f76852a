#include "wire.hpp"

#include <zlib.h>

#include <stdexcept>

#include "spdy/dictionary.hpp"

namespace wire {

namespace {

std::uint32_t u32_at(Bytes bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
    return value;
}

z_stream* as_z(void* stream) {
    return static_cast<z_stream*>(stream);
}
Bytef* zbytes(const std::byte* at) {
    return reinterpret_cast<Bytef*>(const_cast<std::byte*>(at));
}

std::string name_of(std::uint32_t type) {
    static const char* const names[] = {"0",        "SYN_STREAM",    "SYN_REPLY", "RST",
                                        "SETTINGS", "NOOP",          "PING",      "GOAWAY",
                                        "HEADERS",  "WINDOW_UPDATE", "CREDENTIAL"};
    return type < std::size(names) ? names[type] : std::to_string(type);
}

}  // namespace

Buffer operator<<(Buffer left, const Buffer& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Buffer bytes(std::string_view text) {
    const Bytes view = std::as_bytes(std::span{text});
    return {view.begin(), view.end()};
}

Buffer u24(std::uint32_t value) {
    return {static_cast<std::byte>(value >> 16), static_cast<std::byte>(value >> 8),
            static_cast<std::byte>(value)};
}

Buffer u32(std::uint32_t value) {
    return Buffer{static_cast<std::byte>(value >> 24)} << u24(value);
}

Buffer plain(const Pairs& pairs) {
    Buffer out = u32(static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [name, value] : pairs) {
        out = out << u32(static_cast<std::uint32_t>(name.size())) << bytes(name);
        out = out << u32(static_cast<std::uint32_t>(value.size())) << bytes(value);
    }
    return out;
}

HeaderBlock block(const Pairs& pairs) {
    HeaderBlock out;
    for (const auto& [name, value] : pairs)
        out.add(name, value);
    return out;
}

std::string describe(const HeaderBlock& block) {
    std::string out;
    for (const auto [name, value] : block) {
        out += out.empty() ? "" : " ";
        out.append(name).append("=");
        for (const char c : value)
            out += c == '\0' ? '|' : c;
    }
    return out;
}

Deflater::Deflater(int level, int window_bits, bool with_dictionary) : stream_{new z_stream{}} {
    deflateInit2(as_z(stream_), level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
    if (with_dictionary)
        deflateSetDictionary(as_z(stream_), zmqspdy::spdy::kDictionary.data(), 1423);
}

Deflater::~Deflater() {
    deflateEnd(as_z(stream_));
    delete as_z(stream_);
}

Buffer Deflater::block(const Buffer& plain, int flush) {
    Buffer out(plain.size() * 2 + 4096);
    z_stream& z = *as_z(stream_);
    z.next_in = zbytes(plain.data());
    z.avail_in = static_cast<uInt>(plain.size());
    z.next_out = zbytes(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, flush);
    out.resize(out.size() - z.avail_out);
    return out;
}

void Deflater::set_level(int level) {
    z_stream& z = *as_z(stream_);
    z.avail_in = 0;
    z.avail_out = 0;  // nothing is pending
    deflateParams(&z, level, Z_DEFAULT_STRATEGY);
}

Inflater::Inflater() : stream_{new z_stream{}} {
    inflateInit(as_z(stream_));
}

Inflater::~Inflater() {
    inflateEnd(as_z(stream_));
    delete as_z(stream_);
}

Buffer Inflater::block(Bytes compressed) {
    Buffer out(1 << 20);
    z_stream& z = *as_z(stream_);
    z.next_in = zbytes(compressed.data());
    z.avail_in = static_cast<uInt>(compressed.size());
    z.next_out = zbytes(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    int result = inflate(&z, Z_SYNC_FLUSH);
    if (result == Z_NEED_DICT) {
        if (inflateSetDictionary(&z, zmqspdy::spdy::kDictionary.data(), 1423) != Z_OK)
            throw std::runtime_error{"not our dictionary"};
        result = inflate(&z, Z_SYNC_FLUSH);
    }
    if (result != Z_OK || z.avail_in != 0)
        throw std::runtime_error{"not a zlib block"};
    out.resize(out.size() - z.avail_out);
    return out;
}

Buffer control(std::uint32_t type, std::uint8_t flags, const Buffer& body, std::uint16_t version) {
    return u32(0x80000000u | std::uint32_t{version} << 16 | type)
           << Buffer{std::byte{flags}} << u24(static_cast<std::uint32_t>(body.size())) << body;
}

Buffer syn_stream(StreamId id, const Buffer& compressed, std::uint8_t flags, unsigned priority,
                  StreamId associated) {
    return control(1, flags,
                   u32(id) << u32(associated) << Buffer{static_cast<std::byte>(priority << 5), std::byte{0}}
                           << compressed);
}

Buffer syn_reply(StreamId id, const Buffer& compressed, std::uint8_t flags) {
    return control(2, flags, u32(id) << compressed);
}

Buffer headers(StreamId id, const Buffer& compressed, std::uint8_t flags) {
    return control(8, flags, u32(id) << compressed);
}

Buffer rst(StreamId id, std::uint32_t code) {
    return control(3, 0, u32(id) << u32(code));
}

Buffer settings(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& entries) {
    Buffer body = u32(static_cast<std::uint32_t>(entries.size()));
    for (const auto& [id, value] : entries)
        body = body << u32(id) << u32(value);
    return control(4, 0, body);
}

Buffer ping(std::uint32_t id) {
    return control(6, 0, u32(id));
}
Buffer go_away(StreamId last_good, std::uint32_t code) {
    return control(7, 0, u32(last_good) << u32(code));
}
Buffer window_update(StreamId id, std::uint32_t delta) {
    return control(9, 0, u32(id) << u32(delta));
}

Buffer data(StreamId id, std::string_view payload, bool fin) {
    return u32(id) << Buffer{fin ? std::byte{1} : std::byte{0}}
                   << u24(static_cast<std::uint32_t>(payload.size())) << bytes(payload);
}

Buffer data_of_size(StreamId id, std::size_t size, bool fin) {
    return data(id, std::string(size, 'x'), fin);
}

std::vector<RawFrame> cut(Bytes bytes) {
    std::vector<RawFrame> frames;
    while (!bytes.empty()) {
        const std::size_t size = bytes.size() < 8 ? 0 : u32_at(bytes, 4) & 0xffffff;
        if (bytes.size() < 8 + size)
            throw std::runtime_error{"half a frame"};
        const std::uint32_t first = u32_at(bytes, 0);
        const bool is_control = (first >> 31) != 0;
        if (is_control && (first >> 16 & 0x7fff) != 3)
            throw std::runtime_error{"not SPDY/3"};
        frames.push_back({is_control, is_control ? first & 0xffff : first,
                          std::to_integer<std::uint8_t>(bytes[4]), bytes.subspan(8, size)});
        bytes = bytes.subspan(8 + size);
    }
    return frames;
}

std::vector<std::string> describe_frames(Bytes bytes) {
    std::vector<std::string> out;
    for (const RawFrame& frame : cut(bytes)) {
        const auto field = [&](std::size_t at) { return std::to_string(u32_at(frame.body, at)); };
        std::string text;
        if (!frame.control) {
            text = "DATA " + std::to_string(frame.type_or_stream) + " " + std::to_string(frame.body.size());
        } else {
            text = name_of(frame.type_or_stream);
            switch (frame.type_or_stream) {
                case 3:
                    text += " " + field(0) + " " + std::string{to_string(ResetCode{u32_at(frame.body, 4)})};
                    break;
                case 7:
                    text += " " + field(0) + " " + std::string{to_string(GoAwayCode{u32_at(frame.body, 4)})};
                    break;
                case 9:
                    text += " " + field(0) + " " + field(4);
                    break;
                case 4:
                    for (std::size_t at = 4; at < frame.body.size(); at += 8)
                        text += " " + field(at) + "=" + field(at + 4);
                    break;
                default:
                    text += " " + field(0);
            }
        }
        if ((frame.flags & 1) != 0)
            text += " FIN";
        out.push_back(text);
    }
    return out;
}

}  // namespace wire
