// From a request to the answer that leaves: handlers are called here, and nowhere else.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "worker/exchange.hpp"
#include "worker/log.hpp"
#include "worker/routes.hpp"
#include "zmqspdy/response.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::serving {

/// The one exception boundary round a handler: what it throws becomes a 500 and a line in the log. Only the end of the thread
/// (ForcedUnwind) passes.
[[nodiscard]] Response call_handler(const Route& route, Request& request, const Log& log);

[[nodiscard]] Response not_found();
[[nodiscard]] Response method_not_allowed(const std::string& allow);
[[nodiscard]] Response bad_request(std::string_view why);
[[nodiscard]] Response internal_error();

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

/// Answers `exchange` on the calling thread: returns when a stream has been produced, and at once for
/// promises.
void deliver(const std::shared_ptr<Exchange>& exchange, Response response, const Request& request,
             const Log& log);

}  // namespace zmqspdy::serving
