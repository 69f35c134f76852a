// How much a line of a worker's log matters.
#pragma once

#include <cstdint>

namespace zmqspdy {

enum class LogLevel : std::uint8_t {
    debug,    ///< for those who look for a fault
    info,     ///< what happens in the normal course
    warning,  ///< the worker goes on, but somebody should know
    error,    ///< something failed: a request, or the worker
};

}  // namespace zmqspdy
