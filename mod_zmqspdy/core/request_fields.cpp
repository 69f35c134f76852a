#include "mod_zmqspdy/core/request_fields.hpp"

#include <algorithm>
#include <array>

#include "mod_zmqspdy/core/http_fields.hpp"

namespace zmqspdy::router {

namespace {

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string to_lower(std::string_view name) {
    std::string result(name);
    for (char& c : result)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
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
    static constexpr std::array<std::string_view, 17> kForbidden{"authorization",
                                                                 "cache-control",
                                                                 "content-encoding",
                                                                 "content-length",
                                                                 "content-range",
                                                                 "content-type",
                                                                 "cookie",
                                                                 "forwarded",
                                                                 "if-match",
                                                                 "if-none-match",
                                                                 "if-range",
                                                                 "if-modified-since",
                                                                 "max-forwards",
                                                                 "if-unmodified-since",
                                                                 "proxy-authorization",
                                                                 "range",
                                                                 "x-real-ip"};
    return !stays_with_httpd(name) && !contains(kForbidden, name);
}

std::optional<spdy::Priority> parse_urgency(std::string_view priority) noexcept {
    int urgency = -1;
    while (!priority.empty()) {
        const auto member = priority.substr(0, priority.find(','));
        priority.remove_prefix(std::min(member.size() + 1, priority.size()));
        const auto item = trim(member.substr(0, member.find(';')));
        if (!item.starts_with("u="))
            continue;
        // The last of several counts (RFC 8941 section 3.2).
        urgency = item.size() == 3 && item[2] >= '0' && item[2] <= '7' ? item[2] - '0' : -1;
    }
    if (urgency < 0)
        return std::nullopt;
    return static_cast<spdy::Priority>(urgency);
}

}  // namespace zmqspdy::router
