// What HTTP allows in header fields, and which of them a gateway passes on (RFC 9110 sections 5 and 7.6.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "transport/field_rules.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::router {

using transport::is_field_value;
using transport::is_hop_by_hop;
using transport::is_token;

/// One decimal number and nothing else; nothing when it is not, or does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_content_length(std::string_view text) noexcept;

/// A field name as HTTP/1 clients are used to it: Content-Type, ETag, WWW-Authenticate. `name` in lower case.
[[nodiscard]] std::string http1_spelling(std::string_view name);

/// What a response's headers may have; the LimitRequest* directives set the same for requests.
struct FieldLimits {
    std::size_t count = 100;       ///< header lines: each of several values of a name is one
    std::size_t line_size = 8190;  ///< bytes of a name and its value
};

struct ResponseHead {
    int status;
    std::string_view
        reason;  ///< the phrase behind the number in `:status`, a view into the block; may be empty
    std::optional<std::uint64_t> content_length;
};

/// Judges the headers of a response or an interim response as a whole: one wrong field refuses all of them,
/// because a field that was repaired or left out may have been the one that mattered. The error says which,
/// safe to log.
[[nodiscard]] std::variant<ResponseHead, std::string> check_response(const spdy::HeaderBlock& headers,
                                                                     const FieldLimits& limits = {});
/// The same for trailers, which have no status, and none of the fields that may_be_trailer() rules out.
[[nodiscard]] std::optional<std::string> check_trailers(const spdy::HeaderBlock& headers,
                                                        const FieldLimits& limits = {});
/// The same for one of several blocks: `lines` counts the lines of all so far, and the limit is for them together.
[[nodiscard]] std::optional<std::string> check_trailers(const spdy::HeaderBlock& headers,
                                                        const FieldLimits& limits, std::size_t& lines);

}  // namespace zmqspdy::router
