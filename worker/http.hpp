// The few rules of RFC 9110 and 3986 that a worker checks itself.
#pragma once

#include <string>
#include <string_view>

namespace zmqspdy::serving {

/// A method or the name of a header.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// No control characters apart from tab, no spaces round it.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
/// Framing and connections belong to httpd: a worker that set these could smuggle responses. `name` in lower
/// case.
[[nodiscard]] bool is_reserved_field(std::string_view name) noexcept;

/// Must be known before the body, so that it cannot come as a trailer (RFC 9110 section 6.5.1); httpd would break the
/// response off over it. `name` in lower case.
[[nodiscard]] bool is_forbidden_trailer(std::string_view name) noexcept;

[[nodiscard]] std::string to_lower(std::string_view text);

enum class Plus : bool { is_plus, is_space };
/// Decodes %XX; what is not a valid escape stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, Plus plus = Plus::is_plus);

}  // namespace zmqspdy::serving
