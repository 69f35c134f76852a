// JSON in and out, for handlers that have nlohmann-json: nothing else of the framework needs it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "zmqspdy/http_error.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

/// How deep read_json() takes arrays and objects in each other: nlohmann-json writes, copies and compares by
/// recursion, so that a value that is too deep would take the stack.
inline constexpr int kMostJsonDepth = 100;

/// Whether a Content-Type is application/json, or of a type whose name ends in `+json` (RFC 6839, 3.1).
[[nodiscard]] inline bool is_json_type(std::string_view content_type) {
    std::string type{content_type.substr(0, content_type.find(';'))};
    type.erase(type.find_last_not_of(" \t") + 1);
    for (char& c : type)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return type == "application/json" || (type.find('/') != std::string::npos && type.ends_with("+json"));
}

/// Reads the body as JSON (RFC 8259) in UTF-8; of members with the same name, the last one counts. Throws
/// HttpError: 415 when Content-Type does not say JSON, 413 when the body is longer than `limit` bytes, 400
/// when it is malformed or nested deeper than kMostJsonDepth; and BodyAborted. A value may take some twenty
/// times the memory of its text.
[[nodiscard]] inline nlohmann::json read_json(Request& request,
                                              std::size_t limit = std::size_t{1024} * 1024) {
    if (!is_json_type(request.header("content-type").value_or("")))
        throw HttpError{415, "the body must be JSON: Content-Type: application/json"};
    const std::string text = request.text(limit);
    const auto is_shallow = [](int depth, nlohmann::json::parse_event_t event, const nlohmann::json&) {
        const bool begins = event == nlohmann::json::parse_event_t::array_start ||
                            event == nlohmann::json::parse_event_t::object_start;
        if (begins && depth >= kMostJsonDepth)
            throw HttpError{400, "the JSON is nested too deeply"};
        return true;
    };
    auto value = nlohmann::json::parse(text, is_shallow, false);
    // nlohmann-json takes a NUL for the end of the text, whatever follows.
    if (value.is_discarded() || text.find('\0') != std::string::npos)
        throw HttpError{400, "the JSON is malformed"};
    return value;
}

/// application/json on one line. What is not UTF-8 is replaced by U+FFFD.
[[nodiscard]] inline Response json_response(const nlohmann::json& value) {
    return Response::json(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
}

}  // namespace zmqspdy
