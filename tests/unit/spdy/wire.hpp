// SPDY frames made and read by hand: what the tests hold against the library, so nothing here uses its codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace wire {

using namespace zmqspdy::spdy;

using Buffer = std::vector<std::byte>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Concatenates. Not `+`, whose operands may be evaluated in any order: blocks of one Deflater have to keep
/// theirs.
Buffer operator<<(Buffer left, const Buffer& right);
Buffer bytes(std::string_view text);
Buffer u24(std::uint32_t value);
Buffer u32(std::uint32_t value);

/// The plain form of a name/value block; nothing is checked.
Buffer plain(const Pairs& pairs);
HeaderBlock block(const Pairs& pairs);
std::string describe(const HeaderBlock& block);

/// One direction's zlib stream, made with zlib itself.
class Deflater {
  public:
    explicit Deflater(int level = 6, int window_bits = 15, bool with_dictionary = true);
    ~Deflater();
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    Buffer block(const Buffer& plain, int flush = 2 /* Z_SYNC_FLUSH */);
    void set_level(int level);

  private:
    void* stream_;
};
class Inflater {
  public:
    Inflater();
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    /// Throws when zlib finds fault with it.
    Buffer block(Bytes compressed);

  private:
    void* stream_;
};

Buffer control(std::uint32_t type, std::uint8_t flags, const Buffer& body, std::uint16_t version = 3);
Buffer syn_stream(StreamId id, const Buffer& compressed, std::uint8_t flags = 0, unsigned priority = 0,
                  StreamId associated = 0);
Buffer syn_reply(StreamId id, const Buffer& compressed, std::uint8_t flags = 0);
Buffer headers(StreamId id, const Buffer& compressed, std::uint8_t flags = 0);
Buffer rst(StreamId id, std::uint32_t code);
Buffer settings(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& entries = {});
Buffer ping(std::uint32_t id);
Buffer go_away(StreamId last_good, std::uint32_t code);
Buffer window_update(StreamId id, std::uint32_t delta);
Buffer data(StreamId id, std::string_view payload, bool fin = false);
Buffer data_of_size(StreamId id, std::size_t size, bool fin = false);

struct RawFrame {
    bool control;
    std::uint32_t type_or_stream;
    std::uint8_t flags;
    Bytes body;
};
/// Throws when `bytes` is not a sequence of whole frames.
std::vector<RawFrame> cut(Bytes bytes);
/// "RST 1 CANCEL", "DATA 1 5 FIN", "SYN_REPLY 1", ...
std::vector<std::string> describe_frames(Bytes bytes);

}  // namespace wire

// Buffer is a std type, so argument-dependent lookup does not find this.
using wire::operator<<;
