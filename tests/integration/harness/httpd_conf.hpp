// The text of httpd.conf for a test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/httpd.hpp"

namespace harness {

[[nodiscard]] std::string httpd_conf(const HttpdSetup& setup, const std::filesystem::path& root,
                                     std::uint16_t port, std::uint16_t worker_port);

}  // namespace harness
