// Which of a client's header fields reach a worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/field_rules.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::router {

using transport::kReservedPrefix;
using transport::may_be_trailer;
using transport::stays_with_httpd;
using transport::to_lower;

/// The number in a Max-Forwards field (RFC 9110 section 7.6.2), which is the same for all that are very large. Nothing
/// when it is no decimal number.
[[nodiscard]] std::optional<std::uint64_t> parse_max_forwards(std::string_view text) noexcept;

/// The urgency in a Priority field (RFC 9218 section 4.1), which is SPDY's priority as well: 0 to 7, 0 the most
/// urgent. Nothing when there is none, or an illegal one.
[[nodiscard]] std::optional<spdy::Priority> parse_urgency(std::string_view priority) noexcept;

}  // namespace zmqspdy::router
