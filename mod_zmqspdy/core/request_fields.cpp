#include "mod_zmqspdy/core/request_fields.hpp"

#include <algorithm>
#include <limits>

namespace zmqspdy::router {

std::optional<std::uint64_t> parse_max_forwards(std::string_view text) noexcept {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (text.empty())
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        number = std::min(number * 10 + static_cast<std::uint64_t>(c - '0'), kMost);
    }
    return number;
}

std::optional<spdy::Priority> parse_urgency(std::string_view priority) noexcept {
    int urgency = -1;
    while (!priority.empty()) {
        const auto connection = priority.substr(0, priority.find(','));
        priority.remove_prefix(std::min(connection.size() + 1, priority.size()));
        const auto item = transport::trim(connection.substr(0, connection.find(';')));
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
