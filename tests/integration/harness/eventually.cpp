#include "harness/eventually.hpp"

#include <poll.h>

#include <cstdlib>

namespace harness {

namespace {

// Short enough not to hide how fast the product is, long enough not to take the processor from it.
constexpr int kPollMilliseconds = 5;

double slowness() {
    static const double factor = [] {
        const char* given = std::getenv("ZMQSPDY_TEST_SLOW");
        const double parsed = given != nullptr ? std::strtod(given, nullptr) : 1.0;
        return parsed >= 1.0 ? parsed : 1.0;
    }();
    return factor;
}

}  // namespace

milliseconds patience(milliseconds wanted) {
    return milliseconds{static_cast<milliseconds::rep>(static_cast<double>(wanted.count()) * slowness())};
}

bool within(milliseconds limit, const std::function<bool()>& done) {
    const auto end = Clock::now() + limit;
    while (!done()) {
        if (Clock::now() >= end) {
            return done();
        }
        ::poll(nullptr, 0, kPollMilliseconds);
    }
    return true;
}

bool eventually(milliseconds limit, const std::function<bool()>& done) {
    return within(patience(limit), done);
}

}  // namespace harness
