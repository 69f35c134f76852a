#include "httpd_path.hpp"

#include <vector>

namespace zmqspdy::test {

namespace {

using router::EncodedSlash;
using router::PathRules;

int value_of(char c) {
    const auto at =
        std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// The path decoded, except for what `keep` names; nothing where httpd answers 400 or 404.
std::optional<std::string> unescape(const std::string& path, EncodedSlash slash) {
    std::string result;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            result += path[i];
            continue;
        }
        if (i + 2 >= path.size() || value_of(path[i + 1]) < 0 || value_of(path[i + 2]) < 0)
            return std::nullopt;
        const char byte = static_cast<char>(value_of(path[i + 1]) * 16 + value_of(path[i + 2]));
        if (byte == '\0' || (byte == '/' && slash == EncodedSlash::refused))
            return std::nullopt;
        if (byte == '/' && slash == EncodedSlash::kept)
            result += path.substr(i, 3);
        else
            result += byte;
        i += 2;
    }
    return result;
}

/// Merged slashes and dot segments resolved; nothing above the root.
std::optional<std::string> normalise(const std::string& path, bool merge) {
    std::vector<std::string> segments;  // each with the slash behind it, but for the last
    std::size_t begin = 1;
    while (begin <= path.size()) {
        const auto slash = path.find('/', begin);
        const bool last = slash == std::string::npos;
        const std::string segment = path.substr(begin, last ? slash : slash - begin);
        begin = last ? path.size() + 1 : slash + 1;
        if (segment == "..") {
            if (segments.empty())
                return std::nullopt;
            segments.pop_back();
        } else if (segment != "." && (!segment.empty() || (!merge && !last))) {
            segments.push_back(segment + (last ? "" : "/"));
        }
    }
    std::string result = "/";
    for (const auto& segment : segments)
        result += segment;
    return result;
}

/// Unreserved bytes are decoded before anything else, so that "%2e" is a dot for the dot segments. Nothing where a '%' begins
/// no encoding, which is 400 already: "%2%45" does not become "%2E".
std::optional<std::string> decode_unreserved(const std::string& path) {
    std::string result;
    for (std::size_t i = 0; i < path.size(); ++i) {
        result += path[i];
        if (path[i] != '%')
            continue;
        if (i + 2 >= path.size() || value_of(path[i + 1]) < 0 || value_of(path[i + 2]) < 0)
            return std::nullopt;
        const char byte = static_cast<char>(value_of(path[i + 1]) * 16 + value_of(path[i + 2]));
        const bool unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                                (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                                byte == '~';
        if (!unreserved)
            continue;
        result.back() = byte;
        i += 2;
    }
    return result;
}

std::optional<std::string> decode_and_normalise(const std::string& path, PathRules rules) {
    if (path.empty() || path.front() != '/')
        return std::nullopt;
    const auto readable = decode_unreserved(path);
    const auto normal = readable ? normalise(*readable, rules.merge_slashes) : std::nullopt;
    const auto plain = normal ? unescape(*normal, rules.encoded_slash) : std::nullopt;
    if (!plain || rules.encoded_slash != EncodedSlash::decoded)
        return plain;
    // Decoded slashes may have made new segments; what would lead above the root stays at it.
    std::string again = *plain;
    while (true) {
        if (auto result = normalise(again, rules.merge_slashes))
            return result;
        const auto above = again.find("/..");
        again.erase(above, 3);
        if (again.empty() || again.front() != '/')
            again.insert(0, "/");
    }
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Behind the scheme; `target` itself when it has none.
std::string_view without_scheme(std::string_view target) {
    if (target.empty() || !is_letter(target.front()))
        return target;
    std::size_t end = 1;
    while (end < target.size() && (is_letter(target[end]) || (target[end] >= '0' && target[end] <= '9') ||
                                   target[end] == '+' || target[end] == '-' || target[end] == '.'))
        ++end;
    return end < target.size() && target[end] == ':' ? target.substr(end + 1) : target;
}

}  // namespace

std::optional<HttpdTarget> read_as_httpd(std::string_view target, PathRules rules) {
    while (target.starts_with("//"))
        target.remove_prefix(1);
    std::string_view rest = without_scheme(target);
    if (rest.size() != target.size() && rest.starts_with("//")) {
        rest.remove_prefix(2);
        while (!rest.empty() && rest.front() != '/' && rest.front() != '?' && rest.front() != '#')
            rest.remove_prefix(1);
    }
    HttpdTarget result;
    const auto fragment = rest.find('#');
    rest = rest.substr(0, fragment);
    const auto question = rest.find('?');
    if (question != std::string_view::npos)
        result.query = std::string(rest.substr(question + 1));
    const std::string path(rest.substr(0, question));
    auto decoded = path.empty() ? std::string("/") : decode_and_normalise(path, rules);
    if (!decoded)
        return std::nullopt;
    result.path = *std::move(decoded);
    return result;
}

std::optional<std::string> broken_rule(std::string_view result, const HttpdTarget& httpd, PathRules rules) {
    if (!result.starts_with('/'))
        return "it begins with a slash";
    for (const char c : result)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '#')
            return "it has no control character, space or fragment";
    const auto question = result.find('?');
    const std::string path(result.substr(0, question));
    const auto plain = unescape(
        path, rules.encoded_slash == EncodedSlash::refused ? EncodedSlash::decoded : rules.encoded_slash);
    if (!plain)
        return "its path can be decoded";
    if (normalise(*plain, false) != plain)
        return "its path has no dot segments, encoded or not";
    // The slashes that a module has doubled are not httpd's to merge.
    if (*plain != httpd.path && decode_and_normalise(path, rules) != httpd.path)
        return "its path, decoded and normalised, is what httpd has";
    if (question == std::string_view::npos)
        return httpd.query ? std::optional<std::string>("it has the query") : std::nullopt;
    if (!httpd.query)
        return "it has no query of its own";
    const std::string query(result.substr(question + 1));
    if (query != *httpd.query &&
        unescape(query, EncodedSlash::decoded) != unescape(*httpd.query, EncodedSlash::decoded))
        return "its query is what httpd has";
    return std::nullopt;
}

}  // namespace zmqspdy::test
