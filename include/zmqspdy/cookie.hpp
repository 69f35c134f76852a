// Cookies: RFC 6265.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/request.hpp"

namespace zmqspdy {

/// Names and values in the order they came.
using Cookies = std::vector<std::pair<std::string_view, std::string_view>>;

/// What the client sent (RFC 6265, 5.4), read with leniency: Cookie may come in several fields; spaces round
/// names and values go; values are kept as they are otherwise, quotes and '%' included; what has no '=' or no
/// name is left out. A name may come more than once, the most specific path first. Views into the request.
[[nodiscard]] Cookies cookies(const Request& request);

/// The first cookie of that name, which is matched with regard to case; nothing when absent.
[[nodiscard]] std::optional<std::string_view> cookie(const Request& request, std::string_view name);

/// When browsers send a cookie along with requests that come from other sites.
enum class SameSite : std::uint8_t {
    unset,   ///< the browser decides
    strict,  ///< never
    lax,     ///< when the user follows a link
    none,    ///< always; needs `secure`
};

/// A cookie to be set: response.header("set-cookie", SetCookie{.name = "a", .value = "b"}.to_string()).
struct SetCookie {
    std::string name;   ///< a token
    std::string value;  ///< visible ASCII without '"', ',', ';' and '\'; all of it may stand in quotes
    /// Begins with '/'; empty: the folder of the request's path.
    std::string path = "/";
    /// Also for hosts below this one; empty: only for the host that sets it.
    std::string domain = {};
    /// Zero deletes the cookie; nothing keeps it until the browser closes.
    std::optional<std::chrono::seconds> max_age = {};
    bool secure = false;    ///< only over https
    bool http_only = true;  ///< scripts do not see it
    SameSite same_site = SameSite::lax;

    /// The value of Set-Cookie (RFC 6265, 4.1). Throws std::invalid_argument with a sentence for what the
    /// fields say they do not take, for a negative age, for name and value of more than 4096 bytes, for
    /// SameSite=None without `secure`, and for names that begin with `__Secure-` or `__Host-` and lack what
    /// these promise.
    [[nodiscard]] std::string to_string() const;
};

}  // namespace zmqspdy
