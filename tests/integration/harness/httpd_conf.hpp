// The text of httpd.conf for a test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/httpd.hpp"

namespace harness {

struct Ports {
    std::uint16_t http;
    std::uint16_t tls;  ///< with HttpdSetup::tls
    std::uint16_t workers;
};

[[nodiscard]] std::string httpd_conf(const HttpdSetup& setup, const std::filesystem::path& root,
                                     const Ports& ports);

}  // namespace harness
