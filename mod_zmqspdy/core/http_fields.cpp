#include "mod_zmqspdy/core/http_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "mod_zmqspdy/core/request_fields.hpp"
#include "transport/log_budget.hpp"

namespace zmqspdy::router {

namespace {

std::string name_of(const spdy::Header& header) {
    return "'" + transport::printable(header.name, 40) + "'";
}

/// `lines` counts over the whole block.
std::optional<std::string> check_field(const spdy::Header& header, const FieldLimits& limits,
                                       std::size_t& lines) {
    if (!is_token(header.name))
        return "header name " + name_of(header) + " is not a token";
    if (is_hop_by_hop(header.name))
        return "header " + name_of(header) + " is httpd's to set";
    std::optional<std::string> error;
    spdy::for_each_value(header.value, [&](std::string_view value) {
        ++lines;
        if (!is_field_value(value))
            error = "header " + name_of(header) + " has a control character in its value";
        else if (header.name.size() + value.size() > limits.line_size)
            error = "header " + name_of(header) + " is longer than " + std::to_string(limits.line_size) +
                    " bytes (LimitRequestFieldSize)";
    });
    if (!error && lines > limits.count)
        error = "it has more than " + std::to_string(limits.count) + " header lines (LimitRequestFields)";
    return error;
}

std::optional<int> parse_status(std::string_view text) {
    // "200" or "200 OK"
    if (text.size() < 3 || (text.size() > 3 && text[3] != ' '))
        return std::nullopt;
    const auto digits = text.substr(0, 3);
    int status = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
    if (error != std::errc{} || end != digits.data() + digits.size() || status < 100 || status > 599)
        return std::nullopt;
    return status;
}

/// Takes `:status`: "200" or "200 OK". What is wrong with it, if anything is.
std::optional<std::string> take_status(std::string_view text, const FieldLimits& limits, ResponseHead& head) {
    const auto status = parse_status(text);
    if (!status)
        return ":status is not a number from 100 to 599";
    head.status = *status;
    head.reason = text.substr(std::min<std::size_t>(4, text.size()));
    if (!is_field_value(head.reason))
        return "the reason phrase in :status has a control character";
    if (head.reason.size() > limits.line_size)
        return "the reason phrase in :status is longer than " + std::to_string(limits.line_size) +
               " bytes (LimitRequestFieldSize)";
    return std::nullopt;
}

/// Words of field names that are not written Like-This.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kSpellings{{{"dnt", "DNT"},
                                                                                   {"etag", "ETag"},
                                                                                   {"md5", "MD5"},
                                                                                   {"nel", "NEL"},
                                                                                   {"te", "TE"},
                                                                                   {"ua", "UA"},
                                                                                   {"www", "WWW"},
                                                                                   {"xss", "XSS"}}};

}  // namespace

std::string http1_spelling(std::string_view name) {
    std::string spelled(name);
    for (std::size_t from = 0; from < name.size();) {
        const auto word = name.substr(from, name.find('-', from) - from);
        const auto special = std::find_if(kSpellings.begin(), kSpellings.end(),
                                          [&](const auto& spelling) { return spelling.first == word; });
        if (special != kSpellings.end())
            spelled.replace(from, word.size(), special->second);
        else if (!word.empty() && word.front() >= 'a' && word.front() <= 'z')
            spelled[from] = static_cast<char>(word.front() - 'a' + 'A');
        from += word.size() + 1;
    }
    return spelled;
}

std::optional<std::uint64_t> parse_content_length(std::string_view text) noexcept {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || length > INT64_MAX)
        return std::nullopt;
    return length;
}

std::variant<ResponseHead, std::string> check_response(const spdy::HeaderBlock& headers,
                                                       const FieldLimits& limits) {
    ResponseHead head{};
    std::size_t lines = 0;
    bool has_status = false;
    for (const spdy::Header header : headers) {
        if (header.name == ":status") {
            if (auto wrong = take_status(header.value, limits, head))
                return *std::move(wrong);
            has_status = true;
        } else if (header.name == ":version") {
            continue;
        } else if (auto error = check_field(header, limits, lines)) {
            return *std::move(error);
        } else if (header.name == "content-length") {
            std::optional<std::string> wrong;
            spdy::for_each_value(header.value, [&](std::string_view value) {
                const auto length = parse_content_length(value);
                if (!length || (head.content_length && head.content_length != length))
                    wrong = "content-length is not one decimal number";
                head.content_length = length;
            });
            if (wrong)
                return *std::move(wrong);
        }
    }
    if (!has_status)
        return ":status is missing";
    return head;
}

std::optional<std::string> check_trailers(const spdy::HeaderBlock& headers, const FieldLimits& limits) {
    std::size_t lines = 0;
    return check_trailers(headers, limits, lines);
}

std::optional<std::string> check_trailers(const spdy::HeaderBlock& headers, const FieldLimits& limits,
                                          std::size_t& lines) {
    for (const spdy::Header header : headers) {
        if (auto error = check_field(header, limits, lines))
            return error;
        if (!may_be_trailer(header.name))
            return "header " + name_of(header) + " must not come as a trailer";
    }
    return std::nullopt;
}

}  // namespace zmqspdy::router
