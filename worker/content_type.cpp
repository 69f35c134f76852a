#include <algorithm>
#include <array>
#include <utility>

#include "worker/parameters.hpp"
#include "zmqspdy/file.hpp"

namespace zmqspdy {

namespace {

using Type = std::pair<std::string_view, std::string_view>;

constexpr std::array kTypes{
    Type{"avif", "image/avif"},
    Type{"bmp", "image/bmp"},
    Type{"css", "text/css; charset=utf-8"},
    Type{"csv", "text/csv; charset=utf-8"},
    Type{"flac", "audio/flac"},
    Type{"gif", "image/gif"},
    Type{"gz", "application/gzip"},
    Type{"htm", "text/html; charset=utf-8"},
    Type{"html", "text/html; charset=utf-8"},
    Type{"ico", "image/vnd.microsoft.icon"},
    Type{"ics", "text/calendar; charset=utf-8"},
    Type{"jpeg", "image/jpeg"},
    Type{"jpg", "image/jpeg"},
    Type{"js", "text/javascript; charset=utf-8"},
    Type{"json", "application/json"},
    Type{"jsonld", "application/ld+json"},
    Type{"m4a", "audio/mp4"},
    Type{"map", "application/json"},
    Type{"md", "text/markdown; charset=utf-8"},
    Type{"mjs", "text/javascript; charset=utf-8"},
    Type{"mp3", "audio/mpeg"},
    Type{"mp4", "video/mp4"},
    Type{"oga", "audio/ogg"},
    Type{"ogg", "audio/ogg"},
    Type{"ogv", "video/ogg"},
    Type{"opus", "audio/ogg"},
    Type{"otf", "font/otf"},
    Type{"pdf", "application/pdf"},
    Type{"png", "image/png"},
    Type{"svg", "image/svg+xml"},
    Type{"tar", "application/x-tar"},
    Type{"ttf", "font/ttf"},
    Type{"txt", "text/plain; charset=utf-8"},
    Type{"vtt", "text/vtt; charset=utf-8"},
    Type{"wasm", "application/wasm"},
    Type{"wav", "audio/wav"},
    Type{"webm", "video/webm"},
    Type{"webmanifest", "application/manifest+json"},
    Type{"webp", "image/webp"},
    Type{"woff", "font/woff"},
    Type{"woff2", "font/woff2"},
    Type{"xhtml", "application/xhtml+xml"},
    Type{"xml", "application/xml"},
    Type{"zip", "application/zip"},
};

}  // namespace

std::string_view content_type_of(std::string_view name) noexcept {
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    const auto dot = name.rfind('.');
    const auto extension = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
    const auto found = std::find_if(kTypes.begin(), kTypes.end(), [extension](const Type& type) {
        return serving::equal_ignoring_case(type.first, extension);
    });
    return found == kTypes.end() ? "application/octet-stream" : found->second;
}

}  // namespace zmqspdy
