// Sessions have no clock: whoever receives for one tells it of the time that passes.
#pragma once

#include <chrono>
#include <utility>

#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::transport {

/// The time of one session. Its allowance of glitches is refilled by it: without it every session ends some day.
class SessionTime {
  public:
    using Clock = std::chrono::steady_clock;

    /// Before each Session::receive(), and as often besides as is convenient.
    void pass(spdy::Session& session, Clock::time_point now) noexcept {
        session.tick(std::chrono::duration<double>(now - std::exchange(last_, now)).count());
    }

  private:
    Clock::time_point last_ = Clock::now();
};

}  // namespace zmqspdy::transport
