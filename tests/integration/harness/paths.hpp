// Where the things under test are.
#pragma once

#include <string>

namespace harness {

/// In ZMQSPDY_TEST_BINDIR when that is set (another build of the same sources), else in this build's folder.
[[nodiscard]] std::string built(const std::string& name);
[[nodiscard]] inline std::string module_file() {
    return built("mod_zmqspdy.so");
}

}  // namespace harness
