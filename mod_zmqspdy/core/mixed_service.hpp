// Workers of one service answer each other's requests: which is wrong where they are different programs.
#pragma once

#include <string>

#include "transport/announcement.hpp"

namespace zmqspdy::router {

/// Two workers of one service that are not the same.
struct Mixture {
    std::string kind;      ///< the same for the same two programs, whoever of their workers is looked at
    std::string sentence;  ///< for both logs: names a worker of each, and what to do. Empty: they are alike
    [[nodiscard]] bool is_mixed() const noexcept { return !sentence.empty(); }
};

/// Workers of different services are alike here, and so is whoever does not say what it is.
[[nodiscard]] Mixture compare(const transport::Announcement& newcomer, const transport::Announcement& other);

}  // namespace zmqspdy::router
