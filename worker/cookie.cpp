#include "zmqspdy/cookie.hpp"

#include <algorithm>
#include <stdexcept>

#include "worker/http.hpp"
#include "worker/parameters.hpp"

namespace zmqspdy {

namespace {

void require(bool is_right, const char* sentence) {
    if (!is_right)
        throw std::invalid_argument(sentence);
}

bool is_cookie_octet(char c) {
    return c > ' ' && c < '\x7f' && c != '"' && c != ',' && c != ';' && c != '\\';
}

bool is_cookie_value(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
    return std::all_of(value.begin(), value.end(), is_cookie_octet);
}

bool is_path(std::string_view path) {
    return path.empty() || (path.front() == '/' && std::all_of(path.begin(), path.end(), [](char c) {
                                return c >= ' ' && c < '\x7f' && c != ';';
                            }));
}

bool is_domain(std::string_view domain) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    while (!domain.empty()) {
        const auto label = domain.substr(0, domain.find('.'));
        if (label.empty() || label.size() == domain.size() - 1 ||
            !std::all_of(label.begin(), label.end(), is_letter))
            return false;
        domain.remove_prefix(std::min(label.size() + 1, domain.size()));
    }
    return true;
}

bool has_prefix(std::string_view name, std::string_view prefix) {
    return serving::equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

void validate(const SetCookie& cookie) {
    static constexpr std::size_t kMostBytes = 4096;  // browsers ignore larger ones
    require(serving::is_token(cookie.name), "the name of a cookie is a token");
    require(is_cookie_value(cookie.value),
            "the value of a cookie is visible ASCII without quotes, commas, semicolons and backslashes");
    require(cookie.name.size() + cookie.value.size() <= kMostBytes,
            "the name and the value of a cookie have 4096 bytes at most");
    require(is_path(cookie.path), "the path of a cookie begins with '/' and has no semicolon");
    require(is_domain(cookie.domain), "the domain of a cookie is a host name");
    require(!cookie.max_age || cookie.max_age->count() >= 0, "the age of a cookie is not negative");
    require(cookie.same_site != SameSite::none || cookie.secure,
            "a cookie with SameSite=None must be secure");
    require(cookie.secure || (!has_prefix(cookie.name, "__Secure-") && !has_prefix(cookie.name, "__Host-")),
            "a cookie whose name begins with __Secure- or __Host- must be secure");
    require((cookie.path == "/" && cookie.domain.empty()) || !has_prefix(cookie.name, "__Host-"),
            "a cookie whose name begins with __Host- has the path / and no domain");
}

}  // namespace

Cookies cookies(const Request& request) {
    Cookies found;
    for (const auto& [key, value] : request.headers()) {
        if (key != "cookie")
            continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const auto pair = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
            const auto equals = pair.find('=');
            if (equals == std::string_view::npos)
                continue;
            const auto name = serving::trim(pair.substr(0, equals));
            if (!name.empty())
                found.emplace_back(name, serving::trim(pair.substr(equals + 1)));
        }
    }
    return found;
}

std::optional<std::string_view> cookie(const Request& request, std::string_view name) {
    for (const auto& [key, value] : cookies(request)) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

std::string SetCookie::to_string() const {
    validate(*this);
    std::string text = name + '=' + value;
    if (!path.empty())
        text += "; Path=" + path;
    if (!domain.empty())
        text += "; Domain=" + domain;
    if (max_age)
        text += "; Max-Age=" + std::to_string(max_age->count());
    if (secure)
        text += "; Secure";
    if (http_only)
        text += "; HttpOnly";
    switch (same_site) {
        case SameSite::unset:
            break;
        case SameSite::strict:
            return text += "; SameSite=Strict";
        case SameSite::lax:
            return text += "; SameSite=Lax";
        case SameSite::none:
            return text += "; SameSite=None";
    }
    return text;
}

}  // namespace zmqspdy
