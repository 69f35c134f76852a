#include <stdexcept>
#include <utility>

#include "zmqspdy/worker.hpp"

namespace zmqspdy {

RouteGroup::RouteGroup(Worker& worker, std::string prefix) : worker_{worker}, prefix_{std::move(prefix)} {
    if (!prefix_.starts_with('/') || prefix_.ends_with('/'))
        throw std::invalid_argument("the prefix '" + prefix_ + "' must begin with '/' and not end in it");
}

RouteGroup RouteGroup::group(std::string_view prefix) const {
    if (!prefix.starts_with('/'))
        throw std::invalid_argument("the prefix '" + std::string(prefix) + "' must begin with '/'");
    return RouteGroup{worker_, prefix_ + std::string(prefix)};
}

RouteGroup& RouteGroup::route(std::string_view method, std::string_view pattern, Handler handler, Run run) {
    if (!pattern.empty() && !pattern.starts_with('/'))
        throw std::invalid_argument("the route '" + std::string(pattern) + "' must begin with '/'");
    const std::string whole = prefix_ + std::string(pattern);
    worker_.route(method, whole, std::move(handler), run);
    return *this;
}

RouteGroup& RouteGroup::get(std::string_view pattern, Handler handler, Run run) {
    return route("GET", pattern, std::move(handler), run);
}

RouteGroup& RouteGroup::post(std::string_view pattern, Handler handler, Run run) {
    return route("POST", pattern, std::move(handler), run);
}

RouteGroup& RouteGroup::put(std::string_view pattern, Handler handler, Run run) {
    return route("PUT", pattern, std::move(handler), run);
}

RouteGroup& RouteGroup::patch(std::string_view pattern, Handler handler, Run run) {
    return route("PATCH", pattern, std::move(handler), run);
}

RouteGroup& RouteGroup::del(std::string_view pattern, Handler handler, Run run) {
    return route("DELETE", pattern, std::move(handler), run);
}

RouteGroup& RouteGroup::any(std::string_view pattern, Handler handler, Run run) {
    worker_.any(prefix_ + std::string(pattern), std::move(handler), run);
    return *this;
}

RouteGroup Worker::group(std::string prefix) {
    return RouteGroup{*this, std::move(prefix)};
}

}  // namespace zmqspdy
