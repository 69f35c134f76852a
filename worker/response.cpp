#include "zmqspdy/response.hpp"

#include <algorithm>
#include <stdexcept>

#include "worker/http.hpp"

namespace zmqspdy {

namespace {

/// In lower case.
std::string checked_name(std::string_view name, std::string_view value) {
    std::string lower = serving::to_lower(name);
    if (!serving::is_token(lower))
        throw std::invalid_argument("'" + lower + "' is not the name of a header");
    if (serving::is_hop_by_hop(lower))
        throw std::invalid_argument("the header '" + lower + "' belongs to httpd, a worker must not set it");
    if (!serving::is_field_value(value))
        throw std::invalid_argument("the value of '" + lower +
                                    "' has control characters, or spaces round it");
    return lower;
}

}  // namespace

void Responder::send(Response response) {
    target_->respond(std::move(response));
}

Response Response::text(std::string body) {
    return bytes("text/plain; charset=utf-8", std::move(body));
}

Response Response::html(std::string body) {
    return bytes("text/html; charset=utf-8", std::move(body));
}

Response Response::json(std::string body) {
    return bytes("application/json", std::move(body));
}

Response Response::bytes(std::string_view content_type, std::string body) {
    Response response;
    response.header("content-type", content_type);
    response.body_ = std::move(body);
    return response;
}

Response Response::redirect(std::string_view location, int status) {
    if (status < 301 || status > 308 || (status > 303 && status < 307))
        throw std::invalid_argument("a redirect's status is 301, 302, 303, 307 or 308, not " +
                                    std::to_string(status));
    if (location.empty())
        throw std::invalid_argument("a redirect needs a location");
    return Response{}.status(status).header("location", location);
}

Response Response::stream(std::string_view content_type, Stream produce) {
    if (!produce)
        throw std::invalid_argument("a streamed response needs a function that produces it");
    Response response;
    response.header("content-type", content_type);
    response.body_ = std::move(produce);
    return response;
}

Response Response::later(Later start) {
    if (!start)
        throw std::invalid_argument("a response for later needs a function that takes the Responder");
    Response response;
    response.body_ = std::move(start);
    return response;
}

Response& Response::status(int code) & {
    if (code < 200 || code > 599)
        throw std::invalid_argument("a response's status is 200 to 599, not " + std::to_string(code));
    status_ = code;
    return *this;
}

Response&& Response::status(int code) && {
    return std::move(this->status(code));
}

Response& Response::header(std::string_view name, std::string_view value) & {
    std::string lower = checked_name(name, value);
    if (lower == "content-type" || lower == "content-length") {
        const auto old = std::find_if(headers_.begin(), headers_.end(),
                                      [&lower](const auto& field) { return field.first == lower; });
        if (old != headers_.end()) {
            old->second = value;
            return *this;
        }
    }
    headers_.emplace_back(std::move(lower), value);
    return *this;
}

Response&& Response::header(std::string_view name, std::string_view value) && {
    return std::move(this->header(name, value));
}

Response& Response::trailer(std::string_view name, std::string_view value) & {
    std::string lower = checked_name(name, value);
    if (!serving::may_trail_response(lower))
        throw std::invalid_argument("'" + lower + "' must come before the body, it cannot be a trailer");
    trailers_.emplace_back(std::move(lower), value);
    return *this;
}

Response&& Response::trailer(std::string_view name, std::string_view value) && {
    return std::move(this->trailer(name, value));
}

const std::string& Response::body() const& noexcept {
    static const std::string kNone;
    const auto* whole = std::get_if<std::string>(&body_);
    return whole != nullptr ? *whole : kNone;
}

std::string Response::body() && noexcept {
    auto* whole = std::get_if<std::string>(&body_);
    return whole != nullptr ? std::move(*whole) : std::string{};
}

}  // namespace zmqspdy
