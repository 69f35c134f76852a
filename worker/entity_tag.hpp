// Entity tags: RFC 9110, 8.8.3.
#pragma once

#include <string_view>

namespace zmqspdy::serving {

/// `W/"..."`.
[[nodiscard]] bool is_weak(std::string_view etag) noexcept;
/// `"..."` or `W/"..."`.
[[nodiscard]] bool is_entity_tag(std::string_view text) noexcept;
/// Both strong and the same. False when one is empty.
[[nodiscard]] bool matches_strongly(std::string_view a, std::string_view b) noexcept;
/// Whether a list like that of If-Match has `etag`; `is_strong` says how they are compared. Elements that are
/// malformed match nothing, and neither does what follows one whose end cannot be found.
[[nodiscard]] bool list_has_tag(std::string_view list, std::string_view etag, bool is_strong) noexcept;

}  // namespace zmqspdy::serving
