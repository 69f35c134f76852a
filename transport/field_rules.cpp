#include "transport/field_rules.hpp"

#include <algorithm>
#include <array>

namespace zmqspdy::transport {

namespace {

constexpr std::array<bool, 256> kTokenCharacters = [] {
    std::array<bool, 256> allowed{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        allowed[static_cast<unsigned char>(c)] = true;
    return allowed;
}();

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return kTokenCharacters[static_cast<unsigned char>(c)];
    });
}

bool is_field_value(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= ' ' && byte != 0x7f);
    });
}

bool is_hop_by_hop(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 8> kNames{
        "connection", "keep-alive",        "proxy-connection", "te",
        "trailer",    "transfer-encoding", "upgrade",          "http2-settings"};
    return contains(kNames, name);
}

bool stays_with_httpd(std::string_view name) {
    static constexpr std::array<std::string_view, 7> kOurs{
        "host", "expect", "proxy", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"};
    const auto stays = [](std::string_view dashed) {
        return is_hop_by_hop(dashed) || contains(kOurs, dashed) || dashed.starts_with(kReservedPrefix);
    };
    if (name.find('_') == std::string_view::npos)
        return stays(name);
    std::string dashed(name);
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    return dashed == "content-length" || stays(dashed);
}

bool may_be_trailer(std::string_view name) {
    static constexpr std::array<std::string_view, 17> kForbidden{
        "authorization", "cache-control", "content-encoding",    "content-length", "content-range",
        "content-type",  "cookie",        "forwarded",           "if-match",       "if-modified-since",
        "if-none-match", "if-range",      "if-unmodified-since", "max-forwards",   "proxy-authorization",
        "range",         "x-real-ip"};
    return !stays_with_httpd(name) && !contains(kForbidden, name);
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace zmqspdy::transport
