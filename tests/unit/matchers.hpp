// Matchers under either of Catch2's major versions.
#pragma once

#include <string>

#include "catch.hpp"

namespace zmqspdy::test {

/// Matches text with `part` in it. Catch2 3 gave Catch2 2's name for this to another matcher.
inline auto contains_text(const std::string& part) {
#if __has_include(<catch2/catch.hpp>)
    return Catch::Matchers::Contains(part);
#else
    return Catch::Matchers::ContainsSubstring(part);
#endif
}

}  // namespace zmqspdy::test
