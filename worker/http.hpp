// The few rules of RFC 9110 and 3986 that a worker checks itself; those on fields are transport/field_rules.hpp's.
#pragma once

#include <string>
#include <string_view>

#include "transport/field_rules.hpp"

namespace zmqspdy::serving {

using transport::is_hop_by_hop;
using transport::is_token;
using transport::to_lower;
using transport::trim;

/// transport::is_field_value(), and no spaces round it, which a recipient would not see.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
/// transport::may_be_trailer(), and no field that clients act upon only in front of the body; nor a name with '_', which some
/// programs take for one with '-'. `name` in lower case.
[[nodiscard]] bool may_trail_response(std::string_view name);

enum class Plus : bool { is_plus, is_space };
/// Decodes %XX; what is not a valid escape stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, Plus plus = Plus::is_plus);

}  // namespace zmqspdy::serving
