// How httpd 2.4 makes r->uri and r->args of a request target, written from what its documentation and RFC 3986 say, apart
// from the module's own code: what a worker is asked for is held against it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mod_zmqspdy/core/request_target.hpp"

namespace zmqspdy::test {

struct HttpdTarget {
    std::string path;  ///< r->uri
    std::optional<std::string> query;
};

/// Nothing for what httpd refuses.
[[nodiscard]] std::optional<HttpdTarget> read_as_httpd(std::string_view target, router::PathRules rules);

/// What must hold of `result`, which a worker is asked for, given the `path` and `query` that httpd has; the sentence
/// about the first rule that does not.
[[nodiscard]] std::optional<std::string> broken_rule(std::string_view result, const HttpdTarget& httpd,
                                                     router::PathRules rules);

}  // namespace zmqspdy::test
