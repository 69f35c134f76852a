// How routes are registered: with a Worker, and with groups of a Worker's routes.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

/// Called on a thread of the worker's pool, several at once. An HttpError that it throws becomes that answer,
/// anything else a 500 and a line in the log.
using Handler = std::function<Response(Request&)>;

/// Where a route's handler runs.
enum class Run : std::uint8_t {
    /// On a thread of the pool: the handler may wait and compute as it likes.
    on_thread_pool,
    /// On the worker's only I/O thread, which saves two wake-ups for each request. Only for handlers that
    /// never wait and
    /// are done within microseconds: everything else stands still meanwhile. A request with a body runs on
    /// the pool
    /// all the same, and so do streams and promises that the handler answers with.
    on_io_thread,
};

/// What Worker and RouteGroup have in common: `Self` is one of them and has `add(method, pattern, handler, run)`,
/// which takes an empty method for every method.
template <typename Self>
class RouteMethods {
  public:
    /// Registers `handler` for a method and a path pattern: literal segments, `:name` for one segment, and
    /// `*name` for the rest at the end. Literal beats `:name` beats `*name`. HEAD is served by GET's handler.
    /// A path that only other methods have answers 405 with Allow; none answers 404. Before run() only.
    /// Throws std::invalid_argument for a malformed or repeated pattern.
    Self& route(std::string_view method, std::string_view pattern, Handler handler,
                Run run = Run::on_thread_pool) {
        check_method(method, pattern);
        return register_route(method, pattern, std::move(handler), run);
    }
    Self& get(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("GET", pattern, std::move(handler), run);
    }
    Self& post(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("POST", pattern, std::move(handler), run);
    }
    Self& put(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("PUT", pattern, std::move(handler), run);
    }
    Self& patch(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("PATCH", pattern, std::move(handler), run);
    }
    Self& del(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("DELETE", pattern, std::move(handler), run);
    }
    /// Every method that the pattern has no handler of its own for.
    Self& any(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool) {
        return register_route("", pattern, std::move(handler), run);
    }

  private:
    friend Self;
    RouteMethods() = default;

    static void check_method(std::string_view method, std::string_view pattern) {
        if (method.empty())
            throw std::invalid_argument("the route '" + std::string(pattern) +
                                        "' needs a method; any() takes every one");
    }
    Self& register_route(std::string_view method, std::string_view pattern, Handler handler, Run run) {
        auto& self = static_cast<Self&>(*this);
        self.add(method, pattern, std::move(handler), run);
        return self;
    }
};

}  // namespace zmqspdy
