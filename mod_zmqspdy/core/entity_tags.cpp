#include "mod_zmqspdy/core/entity_tags.hpp"

#include <algorithm>
#include <vector>

namespace zmqspdy::router {

namespace {

void skip_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// `[W/]"..."` from the front of `text`.
std::optional<std::string_view> take_tag(std::string_view& text) {
    const std::size_t quote = text.starts_with("W/") ? 2 : 0;
    if (text.size() <= quote || text[quote] != '"')
        return std::nullopt;
    const auto end = text.find('"', quote + 1);
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto tag = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    return tag;
}

/// The tags of a list; empty elements are allowed (RFC 9110 section 5.6.1.2). Nothing when something else is there.
std::optional<std::vector<std::string_view>> tags_of(std::string_view list) {
    std::vector<std::string_view> tags;
    while (true) {
        skip_space(list);
        if (!list.empty() && list.front() != ',') {
            const auto tag = take_tag(list);
            if (!tag)
                return std::nullopt;
            tags.push_back(*tag);
            skip_space(list);
        }
        if (list.empty())
            return tags;
        if (list.front() != ',')
            return std::nullopt;
        list.remove_prefix(1);
    }
}

std::string_view without_weakness(std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
}

/// `tag` without the first of `suffixes` that it ends in, quotes kept; nothing when there is none, or nothing would be left.
std::optional<std::string> without_suffix(std::string_view tag, TagSuffixes suffixes) {
    const auto inner = tag.substr(0, tag.size() - 1);
    const auto found = std::find_if(suffixes.begin(), suffixes.end(),
                                    [&](std::string_view suffix) { return inner.ends_with(suffix); });
    if (found == suffixes.end())
        return std::nullopt;
    const auto rest = inner.substr(0, inner.size() - found->size());
    if (rest.ends_with('"'))
        return std::nullopt;
    return std::string(rest) + '"';
}

}  // namespace

std::string with_original_tags(std::string_view field, TagSuffixes suffixes) {
    const auto tags = tags_of(field);
    std::string list;
    bool changed = false;
    for (const auto tag : tags.value_or(std::vector<std::string_view>{})) {
        list += list.empty() ? "" : ", ";
        if (const auto original = without_suffix(tag, suffixes)) {
            list.append(*original).append(", ");
            changed = true;
        }
        list += tag;
    }
    return changed ? list : std::string(field);
}

std::optional<std::string_view> known_tag(std::string_view field, std::string_view tag,
                                          TagSuffixes suffixes) {
    const auto tags = tags_of(field);
    if (!tags)
        return std::nullopt;
    const auto opaque = without_weakness(tag);
    const auto same = std::find_if(tags->begin(), tags->end(),
                                   [&](std::string_view known) { return without_weakness(known) == opaque; });
    if (same != tags->end())
        return *same;
    const auto changed = std::find_if(tags->begin(), tags->end(), [&](std::string_view known) {
        const auto original = without_suffix(known, suffixes);
        return original && without_weakness(*original) == opaque;
    });
    if (changed != tags->end())
        return *changed;
    return std::nullopt;
}

}  // namespace zmqspdy::router
