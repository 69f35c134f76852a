// Where core code, which knows no httpd, sends its log lines.
#pragma once

#include <functional>
#include <string>

namespace zmqspdy::router {

/// httpd's levels, as far as we use them.
enum class LogLevel { error, warning, notice, info, debug };

/// Called on any thread; must not throw. `line` says what happened, to whom, and what to do.
using Log = std::function<void(LogLevel level, const std::string& line)>;

}  // namespace zmqspdy::router
