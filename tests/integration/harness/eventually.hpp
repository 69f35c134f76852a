// Waiting for something to become true: the only place where the tests pass time.
#pragma once

#include <chrono>
#include <functional>

namespace harness {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// `wanted` times the factor in ZMQSPDY_TEST_SLOW (1 when absent), for builds with sanitizers and for valgrind.
[[nodiscard]] milliseconds patience(milliseconds wanted);

/// Asks `done` again and again until it says yes, at most for patience(`limit`). Says what `done` said last.
[[nodiscard]] bool eventually(milliseconds limit, const std::function<bool()>& done);

/// eventually() without the factor: for what the product promises in figures.
[[nodiscard]] bool within(milliseconds limit, const std::function<bool()>& done);

[[nodiscard]] inline milliseconds since(Clock::time_point start) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

}  // namespace harness
