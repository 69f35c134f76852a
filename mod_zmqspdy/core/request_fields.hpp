// Which of a client's header fields reach a worker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::router {

/// Fields with this prefix carry what httpd alone can know; a client's own never get through.
inline constexpr std::string_view kReservedPrefix = "zmqspdy-";

/// In lower case.
[[nodiscard]] std::string to_lower(std::string_view name);

/// True for fields that stay with httpd: hop-by-hop ones, those it answers or writes itself (Host, Expect, Via,
/// X-Forwarded-*), `Proxy` (a CGI program would take it for a setting), and the reserved ones. Spelling them with `_`
/// for `-` helps nobody: many programs cannot tell the two apart afterwards. `name` in lower case.
[[nodiscard]] bool stays_with_httpd(std::string_view name);

/// True for fields that may come in the trailers of a request: not those about framing, routing, authentication or the
/// content's form, which must be known before (RFC 9110 section 6.5.1). `name` in lower case.
[[nodiscard]] bool may_be_trailer(std::string_view name);

/// The urgency in a Priority field (RFC 9218 section 4.1), which is SPDY's priority as well: 0 to 7, 0 the most
/// urgent. Nothing when there is none, or an illegal one.
[[nodiscard]] std::optional<spdy::Priority> parse_urgency(std::string_view priority) noexcept;

}  // namespace zmqspdy::router
