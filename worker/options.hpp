// Options from the command line, and what is wrong with them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <variant>

#include "zmqspdy/options.hpp"

namespace zmqspdy::serving {

/// What the process should do instead of serving.
struct Exit {
    int code;          ///< 0 after --help
    std::string text;  ///< for stdout when the code is 0, else for stderr
};
[[nodiscard]] std::variant<Options, Exit> parse_options(int argc, const char* const* argv,
                                                        const OwnOptions& own);

/// Fills in what is empty, and says in a sentence what is wrong, if anything.
[[nodiscard]] std::optional<std::string> complete(Options& options);

/// The name of this program, without its path.
[[nodiscard]] std::string program_name();

/// PROGRAM-HOST-PID, for a worker that was given no name: containers share programs and pids, processes hosts.
[[nodiscard]] std::string default_name(const std::string& program, const std::string& host, pid_t process);
/// This process's.
[[nodiscard]] std::string default_name();
/// The first that was made, in this process or in one that has forked it since.
[[nodiscard]] const std::string& first_default_name();

}  // namespace zmqspdy::serving
