// What the status handler says.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "harness/httpd.hpp"

namespace harness {

/// A section for HttpdSetup::sections: the handler at /status, for those whom `require` lets in.
[[nodiscard]] std::string status_section(const std::string& require = "Require all granted");

/// Throws with the response when it is not what it should be.
[[nodiscard]] nlohmann::json read_status(const Httpd& httpd);

/// True when nothing is under way anywhere: no request waits or is at a worker, no place is taken.
[[nodiscard]] bool at_rest(const nlohmann::json& status);

}  // namespace harness
