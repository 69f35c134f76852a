// Entity tags that httpd's filters have changed on their way to the client (RFC 9110 section 8.8.3).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zmqspdy::router {

/// What filters put before the closing quote of an entity tag: "-gzip" and the like.
using TagSuffixes = std::span<const std::string_view>;

/// The list of an If-Match or If-None-Match field, in which each tag that ends in one of `suffixes` is preceded by the same
/// without it: what a worker has sent, if a filter has added the suffix, and what the client has, if the worker has chosen
/// such a tag itself. The same as `field` where there is none, and where it is no list of entity tags.
[[nodiscard]] std::string with_original_tags(std::string_view field, TagSuffixes suffixes);

/// Of the tags in an If-None-Match field, the one that a 304 with `tag` is about, spelt as the client knows it: `tag` itself if
/// it is there, else `tag` with one of `suffixes`. Nothing when the field has neither, such as `*`. Compares weakly (RFC
/// 9110 section 8.8.3.2). The view is into `field`.
[[nodiscard]] std::optional<std::string_view> known_tag(std::string_view field, std::string_view tag,
                                                        TagSuffixes suffixes);

}  // namespace zmqspdy::router
