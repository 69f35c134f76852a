// Why a request that waits has no worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zmqspdy::router {

/// What was in the way of each worker of a request's service when the pool looked last. Small enough to be handed between
/// threads as one atomic word.
struct Shortage {
    std::uint64_t full : 13 = 0;      ///< have as many requests as they take
    std::uint64_t drained : 13 = 0;   ///< by an operator
    std::uint64_t leaving : 13 = 0;   ///< have said that they drain
    std::uint64_t failing : 13 = 0;   ///< are announced, but sessions with them fail
    std::uint64_t lost : 4 = 0;       ///< were lost over this very request
    std::uint64_t elsewhere : 1 = 0;  ///< there are workers of other services
    std::uint64_t looked : 1 = 0;     ///< the pool has looked for a worker at all
};
static_assert(sizeof(Shortage) == sizeof(std::uint64_t));

/// The one thing that would have had to be otherwise.
enum class Cause : std::uint8_t {
    turn,         ///< those who came before it had not had theirs
    no_worker,    ///< none is announced
    no_service,   ///< none of its service is
    full,         ///< one exists, and takes no more at once
    drained,      ///< all that could take it are drained
    leaving,      ///< all that could take it are leaving
    lost,         ///< the last that could take it was lost over it
    unreachable,  ///< all that could take it are announced, but cannot be talked to
};
[[nodiscard]] Cause cause_of(const Shortage& shortage) noexcept;

/// One word for an access log: "no-worker", "full", ... Ends in a NUL.
[[nodiscard]] std::string_view word_for(Cause cause) noexcept;

/// All of it for an error log: what was in whose way. `service` is the request's; `last` is the worker that had it last, if
/// any had.
[[nodiscard]] std::string describe(const Shortage& shortage, std::string_view service, std::string_view last);

}  // namespace zmqspdy::router
