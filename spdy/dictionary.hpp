// The preset zlib dictionary of SPDY/3 and SPDY/3.1.
#pragma once

#include <array>
#include <cstdint>

namespace zmqspdy::spdy {

extern const std::array<unsigned char, 1423> kDictionary;
/// Its Adler-32: the DICTID that opens every header stream.
inline constexpr std::uint32_t kDictionaryId = 0xe3c6a7c2;

}  // namespace zmqspdy::spdy
