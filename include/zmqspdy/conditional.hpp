// Conditional and range requests: RFC 9110, 13 and 14.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "zmqspdy/request.hpp"

namespace zmqspdy {

/// What is known of the current representation (RFC 9110, 8.8).
struct Validators {
    std::string etag = {};  ///< as in ETag: `"abc"` or `W/"abc"`; empty: it has none
    std::optional<std::chrono::sys_seconds> last_modified = {};
    bool exists = true;  ///< false: there is no current representation, as before a PUT that makes it
};

enum class Condition : std::uint8_t {
    proceed,              ///< do what was asked for
    not_modified,         ///< answer 304 with ETag and what else a 200 would have for caches
    precondition_failed,  ///< answer 412 and do nothing
};

/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110, 13.2.2. To be
/// asked when the answer would be 2xx without them (13.2.1). Dates that are malformed are ignored, and
/// elements of lists that are no entity tags match nothing.
[[nodiscard]] Condition evaluate_conditions(const Request& request, const Validators& current);

/// Bytes `first` to `last` of a representation, both included.
struct ByteRange {
    std::uint64_t first;
    std::uint64_t last;
    [[nodiscard]] std::uint64_t length() const noexcept { return last - first + 1; }
    [[nodiscard]] bool operator==(const ByteRange&) const noexcept = default;
};
/// No range: answer 200.
struct WholeRepresentation {};
/// Answer 416 with `Content-Range: bytes */SIZE`.
struct Unsatisfiable {};
using RangeChoice = std::variant<WholeRepresentation, ByteRange, Unsatisfiable>;

/// Range and If-Range (RFC 9110, 14.2 and 13.1.5) for a representation of `size` bytes; to be asked after
/// evaluate_conditions(). One range of bytes is served; several, other units, methods other than GET, what is
/// malformed and an If-Range that does not match get the whole.
[[nodiscard]] RangeChoice choose_range(const Request& request, const Validators& current, std::uint64_t size);

}  // namespace zmqspdy
