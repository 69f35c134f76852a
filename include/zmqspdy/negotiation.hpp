// Proactive negotiation: which of the representations on offer a client likes best. RFC 9110, 12.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "zmqspdy/request.hpp"

namespace zmqspdy {

/// Each function returns the element of `offered` with the highest weight, the first of these when there are
/// several, and nothing when the client takes none of them: answer 406 then, or whatever there is (RFC 9110
/// allows both), and set Vary in any case. Ranges that are malformed are passed over. Everything is acceptable
/// when the field is absent or, except for Accept-Encoding, has no range left.
using Offered = std::span<const std::string_view>;

/// By Accept (RFC 9110, 12.5.1). The most specific range that matches decides: type/subtype with parameters,
/// then without, then type/*, then */*. Parameters of a range must all be
/// in the offered type, but for `charset`, which is not looked at. `*` is taken for `*/*`.
[[nodiscard]] std::optional<std::string_view> choose_media_type(const Request& request, Offered offered);

/// By Accept-Encoding (RFC 9110, 12.5.3). Offer "identity" for content without a coding: it is acceptable
/// unless excluded, after everything that the client names, and before everything when the field is absent.
[[nodiscard]] std::optional<std::string_view> choose_encoding(const Request& request, Offered offered);

/// By Accept-Language (RFC 9110, 12.5.4). `en` takes `en-GB` (RFC 4647, 3.3.1), the longest range deciding; a
/// tag that no range takes has the weight of the ranges it is the beginning of, so that `de-AT` gets `de` when
/// there is nothing closer (3.4).
[[nodiscard]] std::optional<std::string_view> choose_language(const Request& request, Offered offered);

// With the offers written out: choose_media_type(request, {"text/html", "application/json"}).
using OfferedList = std::initializer_list<std::string_view>;
[[nodiscard]] inline std::optional<std::string_view> choose_media_type(const Request& request,
                                                                       OfferedList offered) {
    return choose_media_type(request, Offered{offered.begin(), offered.size()});
}
[[nodiscard]] inline std::optional<std::string_view> choose_encoding(const Request& request,
                                                                     OfferedList offered) {
    return choose_encoding(request, Offered{offered.begin(), offered.size()});
}
[[nodiscard]] inline std::optional<std::string_view> choose_language(const Request& request,
                                                                     OfferedList offered) {
    return choose_language(request, Offered{offered.begin(), offered.size()});
}

}  // namespace zmqspdy
