// Requests that clients hardly send, made from parts, for comparisons of what becomes of them.
#pragma once

#include <string>
#include <vector>

struct OddRequest {
    std::string what;
    std::string bytes;
};

/// Always the same ones, each with a name of its own; each asks for the connection to be closed, or has one request only.
[[nodiscard]] std::vector<OddRequest> odd_requests();
