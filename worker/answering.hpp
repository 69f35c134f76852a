// From a response to what leaves: how it is encoded, and how streams and promises are kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "worker/application.hpp"
#include "worker/log.hpp"
#include "worker/request_context.hpp"
#include "zmqspdy/response.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::serving {

struct Encoded {
    spdy::HeaderBlock headers;
    bool has_body;  ///< false: whatever body there is must not be sent
};
/// What a session takes; above it the answer becomes a 500 and a line in the log.
inline constexpr std::size_t kMaxHeaderBytes = std::size_t{64} * 1024;
/// The SYN_REPLY of a whole or streamed response; changes `response` when its headers are too large.
[[nodiscard]] Encoded encode(Response& response, bool is_head, const Log& log);

/// Nothing when there are none.
[[nodiscard]] std::optional<spdy::HeaderBlock> encode_trailers(const Response& response);
/// The HEADERS of a 1xx response. `fields` must have been checked.
[[nodiscard]] spdy::HeaderBlock encode_interim(int status, const Response::Fields& fields);
/// Throws std::invalid_argument for what Response::trailer() does not take.
void check_trailer(std::string_view name, std::string_view value);
/// One pair for each value of `block`, pseudo headers left out.
void add_fields(Response::Fields& fields, const spdy::HeaderBlock& block);

/// Answers `context` on the calling thread: returns when a stream has been produced, and at once for
/// promises. `response` is what Application::answer() has made of `request`.
void deliver(const std::shared_ptr<RequestContext>& context, Response response, Request request,
             const std::shared_ptr<const Application>& application);

}  // namespace zmqspdy::serving
