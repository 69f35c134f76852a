#include "worker/http.hpp"

#include <algorithm>
#include <array>

namespace zmqspdy::serving {

namespace {

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

}  // namespace

bool is_token(std::string_view text) noexcept {
    static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view text) noexcept {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    if (!text.empty() && (is_blank(text.front()) || is_blank(text.back())))
        return false;
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f'; });
}

bool is_reserved_field(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 7> kReserved{
        "connection", "transfer-encoding", "keep-alive", "proxy-connection", "upgrade", "trailer", "te"};
    return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

bool is_forbidden_trailer(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 25> kForbidden{"authorization",
                                                                 "cache-control",
                                                                 "content-encoding",
                                                                 "content-length",
                                                                 "content-range",
                                                                 "content-type",
                                                                 "cookie",
                                                                 "expect",
                                                                 "forwarded",
                                                                 "host",
                                                                 "http2-settings",
                                                                 "if-match",
                                                                 "if-modified-since",
                                                                 "if-none-match",
                                                                 "if-range",
                                                                 "if-unmodified-since",
                                                                 "max-forwards",
                                                                 "proxy",
                                                                 "proxy-authorization",
                                                                 "range",
                                                                 "set-cookie",
                                                                 "via",
                                                                 "x-forwarded-for",
                                                                 "x-forwarded-host",
                                                                 "x-forwarded-proto"};
    return is_reserved_field(name) || name == "x-real-ip" || name.starts_with("zmqspdy-") ||
           name.find('_') != std::string_view::npos ||
           std::find(kForbidden.begin(), kForbidden.end(), name) != kForbidden.end();
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

std::string percent_decode(std::string_view text, Plus plus) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            decoded.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else if (text[i] == '+' && plus == Plus::is_space) {
            decoded.push_back(' ');
        } else {
            decoded.push_back(text[i]);
        }
    }
    return decoded;
}

}  // namespace zmqspdy::serving
