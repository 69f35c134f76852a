// What HTTP allows in header fields, and which of them a gateway passes on (RFC 9110 sections 5 and 7.6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::router {

/// RFC 9110 section 5.6.2.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// No control characters but the tab: what may stand in a header line without ending it.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
/// Fields that concern one connection only. `name` in lower case.
[[nodiscard]] bool is_hop_by_hop(std::string_view name) noexcept;
/// One decimal number and nothing else; nothing when it is not, or does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_content_length(std::string_view text) noexcept;

struct ResponseHead {
    int status;
    std::optional<std::uint64_t> content_length;
};

/// Judges the headers of a response or an interim response as a whole: one wrong field refuses all of them,
/// because a field that was repaired or left out may have been the one that mattered. The error says which,
/// safe to log.
[[nodiscard]] std::variant<ResponseHead, std::string> check_response(const spdy::HeaderBlock& headers);
/// The same for trailers, which have no status.
[[nodiscard]] std::optional<std::string> check_trailers(const spdy::HeaderBlock& headers);

}  // namespace zmqspdy::router
