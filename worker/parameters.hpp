// Fields that have parameters and fields that are lists: RFC 9110, 5.6.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/http.hpp"
#include "zmqspdy/request.hpp"

namespace zmqspdy::serving {

/// Without regard to the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// `a/b; x=1; y="2"`.
struct Parameterized {
    using Parameters = std::vector<std::pair<std::string, std::string>>;

    std::string value;      ///< what stands before the first ';', in lower case
    Parameters parameters;  ///< names in lower case, values without their quotes

    /// The first of that name, which is given in lower case.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

/// What a backslash in a quoted string may stand before.
enum class Escapes : bool {
    all,          ///< anything: RFC 9110, 5.6.4
    quotes_only,  ///< '"' and '\': browsers send file names with other backslashes in them as they are
};

/// Nothing when malformed: an empty value, a parameter that is no token=token or token="...", or one that
/// comes twice.
[[nodiscard]] std::optional<Parameterized> parse_parameterized(std::string_view text,
                                                               Escapes escapes = Escapes::all);

/// The elements of a list, without the empty ones; commas in quoted strings do not separate.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);
/// All values of a header that is a list, joined with ", "; nothing when it is absent.
[[nodiscard]] std::optional<std::string> joined_header(const Request& request, std::string_view name);

}  // namespace zmqspdy::serving
