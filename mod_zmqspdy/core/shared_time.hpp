// A clock that all processes of a host agree on.
#pragma once

#include <chrono>
#include <cstdint>

namespace zmqspdy::router {

/// Milliseconds of the monotonic clock.
using SharedTime = std::int64_t;

[[nodiscard]] inline SharedTime to_shared(std::chrono::steady_clock::time_point time) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace zmqspdy::router
