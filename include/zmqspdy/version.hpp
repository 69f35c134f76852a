// Which release of the project this is.
#pragma once

#include <string_view>

namespace zmqspdy {

/// MAJOR.MINOR.PATCH. CMake reads it here.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace zmqspdy
