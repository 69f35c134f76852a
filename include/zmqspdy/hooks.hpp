// What a worker does for every request beside its handler.
#pragma once

#include <functional>
#include <optional>

#include "zmqspdy/http_error.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

/// Called before the handler, once the route is known: param() works. Nothing: go on. A response takes the place of the
/// handler's, and neither the handler nor further hooks of this kind are called. What it throws is treated as a handler's.
using BeforeHook = std::function<std::optional<Response>(const Request&)>;

/// Called with every response before its head goes out: it may change it, and add header fields to whole and to streamed
/// responses. What it throws takes the response's place, as a handler's does.
using AfterHook = std::function<void(const Request&, Response&)>;

/// Makes the page for an error. `error.what()` is the sentence that would be sent without it.
using ErrorPage = std::function<Response(const Request&, const HttpError& error)>;

}  // namespace zmqspdy
