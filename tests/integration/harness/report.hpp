// What a test says when it fails.
#pragma once

#include <string>

namespace harness {

/// Keeps `text` until the test case ends; printed when it has failed, dropped when not.
void report(const std::string& title, const std::string& text);

/// Fails the test case; for destructors, which cannot throw.
void complain(const std::string& what) noexcept;

}  // namespace harness
