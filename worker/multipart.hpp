// multipart/form-data: RFC 7578 over RFC 2046, 5.1.
#pragma once

#include <string_view>

#include "zmqspdy/form.hpp"

namespace zmqspdy::serving {

/// Throws HttpError: 400 for a malformed body or boundary, 413 past a limit of parts or their headers.
[[nodiscard]] Form parse_multipart(std::string_view body, std::string_view boundary,
                                   const FormLimits& limits);

}  // namespace zmqspdy::serving
