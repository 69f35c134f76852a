#include "worker/content.hpp"

#include <stdexcept>

#include "worker/entity_tag.hpp"
#include "zmqspdy/file.hpp"
#include "zmqspdy/http_date.hpp"

namespace zmqspdy {

namespace serving {

namespace {

/// What 200, 206 and 304 all have (RFC 9110, 15.4.5).
void add_validators(Response& response, const Validators& validators) {
    if (!validators.etag.empty())
        response.header("etag", validators.etag);
    if (validators.last_modified)
        response.header("last-modified", format_http_date(*validators.last_modified));
}

Response unsatisfiable(std::uint64_t size) {
    return refusal(416, "Range Not Satisfiable")
        .header("content-range", "bytes */" + std::to_string(size))
        .header("accept-ranges", "bytes");
}

Response partial(const ByteRange& range, std::uint64_t size, const MakeBody& make_body) {
    auto response = make_body(range.first, range.length());
    response.status(206).header("content-range", "bytes " + std::to_string(range.first) + '-' +
                                                     std::to_string(range.last) + '/' + std::to_string(size));
    return response;
}

}  // namespace

Response refusal(int status, std::string_view phrase) {
    return Response::text(std::string(phrase) + '\n').status(status);
}

Response respond(const Request& request, const Content& content, const MakeBody& make_body) {
    if (request.method() != "GET" && request.method() != "HEAD")
        return refusal(405, "Method Not Allowed").header("allow", "GET, HEAD");
    const auto condition = evaluate_conditions(request, content.validators);
    if (condition == Condition::precondition_failed)
        return refusal(412, "Precondition Failed");
    Response response;
    if (condition == Condition::not_modified) {
        response.status(304);
    } else {
        const auto choice = choose_range(request, content.validators, content.size);
        if (std::holds_alternative<Unsatisfiable>(choice))
            return unsatisfiable(content.size);
        const auto* range = std::get_if<ByteRange>(&choice);
        response = range != nullptr ? partial(*range, content.size, make_body) : make_body(0, content.size);
        response.header("accept-ranges", "bytes");
    }
    add_validators(response, content.validators);
    return response;
}

}  // namespace serving

Response content_response(const Request& request, std::string body, std::string_view content_type,
                          std::string_view etag,
                          const std::optional<std::chrono::sys_seconds>& last_modified) {
    if (!etag.empty() && !serving::is_entity_tag(etag))
        throw std::invalid_argument("an entity tag is \"...\" or W/\"...\", without spaces in it");
    const serving::Content content{
        std::string(content_type), {.etag = std::string(etag), .last_modified = last_modified}, body.size()};
    return serving::respond(request, content, [&](std::uint64_t offset, std::uint64_t length) {
        const bool is_whole = length == body.size();
        return Response::bytes(content.content_type, is_whole ? std::move(body) : body.substr(offset, length))
            .header("content-length", std::to_string(length));
    });
}

}  // namespace zmqspdy
