// Which handler answers which method and path.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "worker/request_builder.hpp"
#include "zmqspdy/worker.hpp"

namespace zmqspdy::serving {

struct Route {
    Handler handler;
    Run run = Run::on_thread_pool;
    std::vector<std::string> names;  ///< of the pattern's parameters, in their order
};

/// Filled before it is read; then any thread may read. Addresses of routes are stable.
class RouteTable {
  public:
    /// `method` empty: every method. Throws std::invalid_argument with a sentence.
    void add(std::string_view method, std::string_view pattern, Handler handler, Run run);

    struct Match {
        const Route* route;
        RequestBuilder::Params params;
    };
    struct NotFound {};
    struct MethodNotAllowed {
        std::string allow;  ///< the value of Allow
    };
    using Result = std::variant<Match, NotFound, MethodNotAllowed>;
    /// `path` as it arrived, without the query. Segments are compared decoded.
    [[nodiscard]] Result find(std::string_view method, std::string_view path) const;

  private:
    struct Node {
        std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
        std::unique_ptr<Node> param;
        std::unique_ptr<Node> rest;
        std::map<std::string, Route, std::less<>> routes;  ///< by method; "" is every method

        [[nodiscard]] const Route* route_for(std::string_view method) const;
    };
    class Search;

    Node root_;
};

}  // namespace zmqspdy::serving
