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

void RouteGroup::add(std::string_view method, std::string_view pattern, Handler handler, Run run) {
    if (!pattern.empty() && !pattern.starts_with('/'))
        throw std::invalid_argument("the route '" + std::string(pattern) + "' must begin with '/'");
    worker_.add(method, prefix_ + std::string(pattern), std::move(handler), run);
}

RouteGroup Worker::group(std::string prefix) {
    return RouteGroup{*this, std::move(prefix)};
}

}  // namespace zmqspdy
