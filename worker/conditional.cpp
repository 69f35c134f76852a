#include "zmqspdy/conditional.hpp"

#include <algorithm>
#include <limits>

#include "worker/entity_tag.hpp"
#include "worker/parameters.hpp"
#include "zmqspdy/http_date.hpp"

namespace zmqspdy {

namespace {

using serving::joined_header;

bool is_get_or_head(const Request& request) {
    return request.method() == "GET" || request.method() == "HEAD";
}

/// Several values, joined, are no date and so ignored, as they must be.
std::optional<std::chrono::sys_seconds> date_in(const Request& request, std::string_view name) {
    const auto value = joined_header(request, name);
    return value ? parse_http_date(*value) : std::nullopt;
}

bool matches_list(std::string_view list, const Validators& current, bool is_strong) {
    if (!current.exists)
        return false;
    return serving::trim(list) == "*" || serving::list_has_tag(list, current.etag, is_strong);
}

bool is_if_range_true(const Request& request, const Validators& current) {
    const auto value = joined_header(request, "if-range");
    if (!value)
        return true;
    if (serving::matches_strongly(*value, current.etag))
        return true;
    // A weak entity tag says that the bytes may have changed while it did not: then no date vouches for them.
    const auto date = parse_http_date(*value);
    return date && current.last_modified == date && !serving::is_weak(current.etag);
}

/// Nothing when it is no number; numbers that are too large become the largest.
std::optional<std::uint64_t> parse_position(std::string_view digits) {
    if (digits.empty())
        return std::nullopt;
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9')
            return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (kMost - digit) / 10 ? kMost : value * 10 + digit;
    }
    return value;
}

/// The last `length` bytes.
RangeChoice choose_suffix(std::uint64_t length, std::uint64_t size) {
    if (length == 0)
        return Unsatisfiable{};
    // Satisfiable even when there are no bytes (14.1.2), though no Content-Range could say so.
    if (size == 0)
        return WholeRepresentation{};
    return ByteRange{size - std::min(length, size), size - 1};
}

/// `FIRST-LAST`, `FIRST-` or `-LENGTH`.
RangeChoice choose_in(std::string_view range, std::uint64_t size) {
    const auto dash = range.find('-');
    if (dash == std::string_view::npos)
        return WholeRepresentation{};
    const auto first = parse_position(range.substr(0, dash));
    const auto last = parse_position(range.substr(dash + 1));
    if (dash == 0)
        return last ? choose_suffix(*last, size) : WholeRepresentation{};
    const bool is_open = dash + 1 == range.size();
    if (!first || (!last && !is_open) || (last && *last < *first))
        return WholeRepresentation{};
    if (*first >= size)
        return Unsatisfiable{};
    return ByteRange{*first, std::min(last.value_or(size - 1), size - 1)};
}

}  // namespace

Condition evaluate_conditions(const Request& request, const Validators& current) {
    if (const auto if_match = joined_header(request, "if-match")) {
        if (!matches_list(*if_match, current, true))
            return Condition::precondition_failed;
    } else if (const auto date = date_in(request, "if-unmodified-since")) {
        if (current.last_modified && *current.last_modified > *date)
            return Condition::precondition_failed;
    }
    if (const auto if_none_match = joined_header(request, "if-none-match")) {
        if (matches_list(*if_none_match, current, false))
            return is_get_or_head(request) ? Condition::not_modified : Condition::precondition_failed;
    } else if (is_get_or_head(request)) {
        const auto date = date_in(request, "if-modified-since");
        if (date && current.last_modified && *current.last_modified <= *date)
            return Condition::not_modified;
    }
    return Condition::proceed;
}

RangeChoice choose_range(const Request& request, const Validators& current, std::uint64_t size) {
    const auto field = joined_header(request, "range");
    if (!field || request.method() != "GET" || !is_if_range_true(request, current))
        return WholeRepresentation{};
    const std::string_view text = *field;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !serving::equal_ignoring_case(text.substr(0, equals), "bytes"))
        return WholeRepresentation{};
    const auto ranges = serving::split_list(text.substr(equals + 1));
    return ranges.size() == 1 ? choose_in(ranges.front(), size) : WholeRepresentation{};
}

}  // namespace zmqspdy
