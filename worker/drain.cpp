#include "worker/drain.hpp"

#include <algorithm>

namespace zmqspdy::serving {

namespace {

constexpr std::chrono::seconds kLongestPause = std::chrono::minutes{10};

std::string requests(std::size_t open) {
    return std::to_string(open) + (open == 1 ? " request" : " requests");
}

}  // namespace

void Drain::begin(Clock::time_point now) noexcept {
    end_ = now + limit_;
    next_ = now + pause_;
}

std::optional<std::string> Drain::progress(Clock::time_point now, std::size_t open) {
    if (now < next_)
        return std::nullopt;
    pause_ = std::min(2 * pause_, kLongestPause);
    next_ = now + pause_;
    const auto left = std::chrono::ceil<std::chrono::seconds>(end_ - now);
    return "still stopping: " + requests(open) + " open, broken off in " + std::to_string(left.count()) +
           " s (--drain-timeout)";
}

std::string Drain::verdict(std::size_t open) const {
    return "breaking off the " + requests(open) + " left " + std::to_string(limit_.count()) +
           " s after the stop (--drain-timeout)";
}

}  // namespace zmqspdy::serving
