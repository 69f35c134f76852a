// Headers as browsers and workers send them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::bench {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The 13 headers of a page's request. Path and cookie differ with `visitor`, lest compression have it easier
/// than behind a proxy; the size does not.
[[nodiscard]] HeaderList request_headers(unsigned visitor);
[[nodiscard]] HeaderList response_headers(std::size_t body_size);
[[nodiscard]] spdy::HeaderBlock to_block(const HeaderList& headers);

/// Requests of as many visitors: more bytes than the window of the compression holds, so that none is found
/// there again when they are sent in turn, over and over.
inline constexpr unsigned kVisitors = 16;
[[nodiscard]] std::vector<spdy::HeaderBlock> requests_of_all_visitors();

}  // namespace zmqspdy::bench
