// Waiting for what another thread or process does.
#pragma once

#include <chrono>
#include <concepts>
#include <thread>

/// Far more than anything takes; a test that fails may take that long.
inline constexpr std::chrono::seconds kPatience{20};

/// For what has no event of its own to wait for: looks every millisecond.
template <std::predicate Ready>
[[nodiscard]] bool eventually(Ready ready) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!ready()) {
        if (std::chrono::steady_clock::now() >= deadline)
            return ready();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}
