// Which path and query a worker is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zmqspdy::router {

/// What httpd does with an encoded slash in a path (AllowEncodedSlashes).
enum class EncodedSlash : std::uint8_t {
    refused,  ///< Off: such a request never comes so far
    decoded,  ///< On: `%2F` is one more slash
    kept,     ///< NoDecode: `%2F` stays in the decoded path as these three bytes
};

/// How httpd made the decoded path of what the client sent.
struct PathRules {
    EncodedSlash encoded_slash = EncodedSlash::refused;
    bool merge_slashes = true;  ///< MergeSlashes: `//` in a path is `/`
};

/// What httpd knows of a request's target.
struct Target {
    std::string_view sent;                  ///< the client's request target, in whichever form
    std::string_view path;                  ///< decoded and normalised: what access control has judged
    std::optional<std::string_view> query;  ///< without its `?`; absent where there is no `?`
};

/// The target that a worker is asked for, in origin-form (RFC 9112 section 3.2.1). Decoded and normalised by `rules`, its
/// path is `target.path`, whatever the client sent: `target.sent` is used as it is where that holds for it, without
/// scheme and authority; otherwise the result is `target.path` and `target.query`, encoded again. Bytes that no target
/// may have (control characters, spaces, `#`) come out encoded. Nothing when `target.path` is no absolute path, or has
/// dot segments, which a worker would resolve to another path than the one that was judged.
[[nodiscard]] std::optional<std::string> origin_form(const Target& target, PathRules rules);

}  // namespace zmqspdy::router
