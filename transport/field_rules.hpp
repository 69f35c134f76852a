// What RFC 9110 says of fields, and which of them are httpd's own: one home for both sides of the wire, so that httpd never
// refuses what the framework let a handler send.
#pragma once

#include <string>
#include <string_view>

namespace zmqspdy::transport {

/// The fields that httpd alone may send to workers begin with this; see ZmqSpdyPass.
inline constexpr std::string_view kReservedPrefix = "zmqspdy-";

/// A method or a field name: RFC 9110 section 5.6.2.
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// No control character apart from tab: RFC 9110 section 5.5, where spaces round a value are not part of it.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
/// Concerns one connection only, or frames messages on it: never forwarded, and never a worker's to send. `name` in lower
/// case.
[[nodiscard]] bool is_hop_by_hop(std::string_view name) noexcept;
/// A request field that workers get as httpd writes it, or not at all, whatever the client sends; so for names with '_' for
/// '-', which some programs cannot tell apart. `name` in lower case.
[[nodiscard]] bool stays_with_httpd(std::string_view name);
/// False for what must be known before the body: framing, routing, authentication, conditions, the form of the content
/// (RFC 9110 section 6.5.1). `name` in lower case.
[[nodiscard]] bool may_be_trailer(std::string_view name);

/// ASCII letters only.
[[nodiscard]] std::string to_lower(std::string_view text);
/// Without the spaces and tabs round it.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

}  // namespace zmqspdy::transport
