// How requests come to be inside the worker.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "zmqspdy/request.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy {

class RequestBuilder {
  public:
    using Params = std::vector<std::pair<std::string, std::string>>;

    struct BadRequest {
        std::string_view why;  ///< a sentence in static storage
    };
    /// A request out of a SYN_STREAM; its body and its end come from `source`.
    [[nodiscard]] static std::variant<Request, BadRequest> build(spdy::HeaderBlock headers,
                                                                 spdy::Priority priority,
                                                                 std::shared_ptr<BodySource> source);

    /// See Request::client_address().
    [[nodiscard]] static std::string_view client_address(const spdy::HeaderBlock& headers) noexcept;

    static void set_params(Request& request, Params params) noexcept;
    /// Another view of the same request, which stays when a handler moves its own away. Two threads may then use the same
    /// request: all that is const may be called, except for trailers().
    [[nodiscard]] static Request share(const Request& request) noexcept;
};

}  // namespace zmqspdy
