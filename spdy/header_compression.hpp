// The zlib stream that carries the header blocks of one direction of a session (draft3 section 2.6.10.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"

struct z_stream_s;

namespace zmqspdy::spdy {

struct DeflateEnd {
    void operator()(z_stream_s* stream) const noexcept;
};
struct InflateEnd {
    void operator()(z_stream_s* stream) const noexcept;
};

class HeaderCompressor {
  public:
    /// `level` 0 to 9, as zlib has it.
    explicit HeaderCompressor(int level);

    /// Appends `plain` (at most 8 MiB) as the next block.
    void append(Bytes plain, std::vector<std::byte>& out);

  private:
    void append_stored(Bytes plain, std::vector<std::byte>& out);
    void append_deflated(Bytes plain, std::vector<std::byte>& out);

    std::unique_ptr<z_stream_s, DeflateEnd> deflate_;  ///< null at level 0
    bool first_ = true;
};

enum class InflateError : std::uint8_t {
    corrupt,
    no_dictionary,
    wrong_dictionary,
    cut_short,  ///< the block does not end where a flushed block ends
    ended,      ///< the peer closed the zlib stream
    too_large,
};
/// A sentence for the log.
[[nodiscard]] std::string_view to_string(InflateError error) noexcept;

class HeaderDecompressor {
  public:
    explicit HeaderDecompressor(std::size_t max_plain) noexcept : max_plain_{max_plain} {}

    /// The plain form of the next block; the view is valid until the next call. After an error the context
    /// that later blocks refer to is lost, and so is the session.
    [[nodiscard]] std::variant<Bytes, InflateError> inflate(Bytes block);

  private:
    void begin();

    std::unique_ptr<z_stream_s, InflateEnd> inflate_;  ///< made when the first block comes in
    std::vector<std::byte> plain_;
    std::size_t max_plain_;
    bool has_dictionary_ = false;
};

}  // namespace zmqspdy::spdy
