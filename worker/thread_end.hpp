// What pthread_exit() and pthread_cancel() throw.
#pragma once

#include <exception>

namespace zmqspdy::serving {

/// In a handler of all exceptions: is this what ends the thread? Nobody may keep it: whoever catches everything throws it on,
/// otherwise the process is aborted. It is no exception of C++, and so the only one that there is no pointer to.
[[nodiscard]] inline bool thread_is_ending() noexcept {
    return std::current_exception() == nullptr;
}

}  // namespace zmqspdy::serving
