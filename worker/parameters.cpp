#include "worker/parameters.hpp"

#include <algorithm>

#include "worker/http.hpp"

namespace zmqspdy::serving {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Cuts a quoted string off `rest`, which begins with its first quote.
std::optional<std::string> cut_quoted(std::string_view& rest, Escapes escapes) {
    std::string value;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return value;
        }
        const bool has_next = i + 1 < rest.size();
        if (rest[i] == '\\' && has_next &&
            (escapes == Escapes::all || rest[i + 1] == '"' || rest[i + 1] == '\\'))
            ++i;
        value.push_back(rest[i]);
    }
    return std::nullopt;
}

std::optional<std::string> cut_token(std::string_view& rest) {
    const auto token = trim(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.find(';'), rest.size()));
    if (!is_token(token))
        return std::nullopt;
    return std::string(token);
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Parameterized::parameter(std::string_view name) const noexcept {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [name](const auto& parameter) { return parameter.first == name; });
    if (found == parameters.end())
        return std::nullopt;
    return found->second;
}

std::optional<Parameterized> parse_parameterized(std::string_view text, Escapes escapes) {
    // Nobody needs more, and looking for repeated names is quadratic.
    static constexpr std::size_t kMostParameters = 32;
    Parameterized parsed;
    parsed.value = to_lower(trim(text.substr(0, text.find(';'))));
    if (parsed.value.empty())
        return std::nullopt;
    std::string_view rest = text.substr(std::min(text.find(';'), text.size()));
    while (!rest.empty()) {
        rest = trim(rest.substr(1));  // behind the ';'
        if (rest.empty() || rest.front() == ';')
            continue;
        const auto equals = rest.find('=');
        if (equals == std::string_view::npos || !is_token(rest.substr(0, equals)))
            return std::nullopt;
        std::string name = to_lower(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        auto value = rest.starts_with('"') ? cut_quoted(rest, escapes) : cut_token(rest);
        rest = trim(rest);
        if (!value || (!rest.empty() && rest.front() != ';') || parsed.parameter(name) ||
            parsed.parameters.size() == kMostParameters)
            return std::nullopt;
        parsed.parameters.emplace_back(std::move(name), std::move(*value));
    }
    return parsed;
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> elements;
    const auto add = [&elements](std::string_view element) {
        element = trim(element);
        if (!element.empty())
            elements.push_back(element);
    };
    bool is_quoted = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            is_quoted = !is_quoted;
        else if (text[i] == ',' && !is_quoted) {
            add(text.substr(start, i - start));
            start = i + 1;
        }
    }
    add(text.substr(start));
    return elements;
}

std::optional<std::string> joined_header(const Request& request, std::string_view name) {
    std::optional<std::string> joined;
    for (const auto& [key, value] : request.headers()) {
        if (!equal_ignoring_case(key, name))
            continue;
        if (joined)
            joined->append(", ").append(value);
        else
            joined = value;
    }
    return joined;
}

}  // namespace zmqspdy::serving
