#include "mod_zmqspdy/core/request_target.hpp"

#include <algorithm>
#include <array>

namespace zmqspdy::router {

namespace {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet byte_set(std::string_view bytes) {
    ByteSet set{};
    for (const char c : bytes)
        set[static_cast<unsigned char>(c)] = true;
    return set;
}

/// RFC 3986 section 3.3's pchar, and the slash.
constexpr ByteSet kPathBytes = byte_set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "-._~!$&'()*+,;=:@/");

bool is_in(const ByteSet& set, char c) {
    return set[static_cast<unsigned char>(c)];
}

/// Bytes that no target has, encoded or not: a parser behind us may take them for its end.
bool ends_target(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f || byte == '#';
}

void append_encoded(std::string& text, char c) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that `text` begins with in percent-encoding.
std::optional<char> decode(std::string_view text) {
    const int high = text.size() < 3 || text[0] != '%' ? -1 : hex_digit(text[1]);
    const int low = high < 0 ? -1 : hex_digit(text[2]);
    if (low < 0)
        return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

bool is_encoded_slash(std::string_view text) {
    return decode(text) == '/';
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        const auto segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..")
            return true;
        path.remove_prefix(std::min(segment.size() + 1, path.size()));
    }
    return false;
}

struct Parts {
    std::string_view path;
    std::optional<std::string_view> query;
};

/// `sent` without scheme and authority (RFC 3986 section 3), wherever else a colon or slashes may stand in it.
Parts split(std::string_view sent) {
    const auto scheme = sent.find_first_of(":/?");
    if (scheme != std::string_view::npos && sent[scheme] == ':') {
        sent.remove_prefix(scheme + 1);
        if (sent.starts_with("//"))
            sent.remove_prefix(std::min(sent.find_first_of("/?", 2), sent.size()));
    }
    const auto end = sent.find('?');
    Parts parts{sent.substr(0, end), std::nullopt};
    if (end != std::string_view::npos)
        parts.query = sent.substr(end + 1);
    if (parts.path.empty())
        parts.path = "/";
    return parts;
}

/// Compares an encoded path with a decoded one byte by byte, as httpd decodes it.
class PathMatch {
  public:
    PathMatch(std::string_view encoded, std::string_view decoded, PathRules rules)
        : encoded_{encoded}, decoded_{decoded}, rules_{rules} {}

    [[nodiscard]] bool holds() {
        if (!encoded_.starts_with('/'))
            return false;
        while (!encoded_.empty())
            if (!step())
                return false;
        return decoded_.empty();
    }

  private:
    bool step() {
        if (ends_target(encoded_.front()))
            return false;
        if (encoded_.front() != '%')
            return take(encoded_.front(), 1);
        const auto byte = decode(encoded_);
        if (!byte || *byte == '\0')
            return false;
        if (*byte != '/' || rules_.encoded_slash == EncodedSlash::decoded)
            return take(*byte, 3);
        return rules_.encoded_slash == EncodedSlash::kept && take(encoded_[0], 1) && take(encoded_[0], 1) &&
               take(encoded_[0], 1);
    }

    /// `size` bytes of the encoded path that stand for `byte`.
    bool take(char byte, std::size_t size) {
        encoded_.remove_prefix(size);
        const bool merged = byte == '/' && behind_slash_ && rules_.merge_slashes;
        behind_slash_ = byte == '/';
        if (merged)
            return true;
        if (!decoded_.starts_with(byte))
            return false;
        decoded_.remove_prefix(1);
        return true;
    }

    std::string_view encoded_;
    std::string_view decoded_;
    PathRules rules_;
    bool behind_slash_ = false;
};

bool is_clean(std::string_view query) {
    return std::none_of(query.begin(), query.end(), ends_target);
}

std::string encode(const Target& target, PathRules rules) {
    std::string text;
    text.reserve(target.path.size() + target.query.value_or("").size() + 16);
    for (std::size_t i = 0; i < target.path.size(); ++i) {
        const bool kept =
            rules.encoded_slash == EncodedSlash::kept && is_encoded_slash(target.path.substr(i));
        if (kept || is_in(kPathBytes, target.path[i]))
            text += target.path[i];
        else
            append_encoded(text, target.path[i]);
    }
    if (!target.query)
        return text;
    text += '?';
    for (const char c : *target.query) {
        if (ends_target(c))
            append_encoded(text, c);
        else
            text += c;
    }
    return text;
}

}  // namespace

std::optional<std::string> origin_form(const Target& target, PathRules rules) {
    if (!target.path.starts_with('/') || has_dot_segment(target.path))
        return std::nullopt;
    const Parts sent = split(target.sent);
    if (sent.query != target.query || !is_clean(sent.query.value_or("")) ||
        !PathMatch(sent.path, target.path, rules).holds())
        return encode(target, rules);
    std::string text(sent.path);
    if (sent.query)
        text.append("?").append(*sent.query);
    return text;
}

}  // namespace zmqspdy::router
