#include "worker/entity_tag.hpp"

#include <algorithm>

namespace zmqspdy::serving {

namespace {

constexpr std::string_view kWeak = "W/";

std::string_view opaque(std::string_view tag) {
    return tag.starts_with(kWeak) ? tag.substr(kWeak.size()) : tag;
}

bool is_etag_character(char c) {
    return c != '"' && c != '\x7f' && (c > ' ' || c < '\0');  // bytes from 0x80 on are allowed
}

/// Cuts the element at the start of `list` off, with its comma. Backslashes mean nothing in entity tags, so
/// the rule for other lists does not fit.
std::string_view cut_element(std::string_view& list) {
    const auto quote = list.find('"');
    const auto comma = list.find(',');
    std::size_t end = comma;
    if (quote < comma) {
        const auto closing = list.find('"', quote + 1);
        end = closing == std::string_view::npos ? closing : list.find(',', closing);
    }
    auto element = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    element.remove_prefix(std::min(element.find_first_not_of(" \t"), element.size()));
    element.remove_suffix(element.size() - (element.find_last_not_of(" \t") + 1));
    return element;
}

}  // namespace

bool is_entity_tag(std::string_view text) noexcept {
    const auto quoted = opaque(text);
    return quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"' &&
           std::all_of(quoted.begin() + 1, quoted.end() - 1, is_etag_character);
}

bool is_weak(std::string_view etag) noexcept {
    return etag.starts_with(kWeak);
}

bool matches_strongly(std::string_view a, std::string_view b) noexcept {
    return a == b && is_entity_tag(a) && !is_weak(a);
}

bool list_has_tag(std::string_view list, std::string_view etag, bool is_strong) noexcept {
    while (!list.empty()) {
        const auto element = cut_element(list);
        if (is_strong ? matches_strongly(element, etag)
                      : is_entity_tag(element) && opaque(element) == opaque(etag))
            return true;
    }
    return false;
}

}  // namespace zmqspdy::serving
