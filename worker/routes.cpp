#include "worker/routes.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <utility>

#include "worker/http.hpp"

namespace zmqspdy::serving {

namespace {

constexpr std::size_t kMaxParams = 16;

[[noreturn]] void refuse(std::string_view pattern, std::string_view rule) {
    throw std::invalid_argument("the route '" + std::string(pattern) + "' " + std::string(rule));
}

bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

/// The placeholders of other frameworks would be literals here, which no request ever matches.
void refuse_other_spelling(std::string_view pattern, std::string_view segment) {
    const auto last = segment.empty() ? '\0' : segment.back();
    const bool braces =
        segment.find('{') != std::string_view::npos && segment.find('}') != std::string_view::npos;
    const bool angles = segment.starts_with('<') && last == '>';
    if (braces || angles)
        refuse(pattern,
               "has the segment '" + std::string(segment) +
                   "': a parameter is written ':name', the rest of the path '*name'; a literal brace %7B");
}

/// Cuts the first segment off `rest`, which begins behind a '/'. `more`: a further one follows.
std::string_view cut_segment(std::string_view& rest, bool& more) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    more = slash != std::string_view::npos;
    rest = more ? rest.substr(slash + 1) : std::string_view{};
    return segment;
}

}  // namespace

void RouteTable::add(std::string_view method, std::string_view pattern, Handler handler, Run run) {
    if (!handler)
        refuse(pattern, "has no handler");
    if (!method.empty() && !is_token(method))
        refuse(pattern, "has a method that is not a token");
    if (!pattern.starts_with('/'))
        refuse(pattern, "must begin with '/'");
    if (pattern.find('?') != std::string_view::npos)
        refuse(pattern, "must not have a query");
    Route route{std::move(handler), run, {}};
    Node* node = &root_;
    std::string_view rest = pattern.substr(1);
    for (bool more = true; more;) {
        const auto segment = cut_segment(rest, more);
        const bool is_param = segment.starts_with(':');
        const bool is_rest = segment.starts_with('*');
        if (is_rest && more)
            refuse(pattern, "may have '*name' only at its end");
        std::unique_ptr<Node>* child = nullptr;
        if (is_param || is_rest) {
            const auto name = segment.substr(1);
            if (!is_name(name))
                refuse(pattern, "needs a name of letters, digits and '_' behind each ':' and '*'");
            if (std::find(route.names.begin(), route.names.end(), name) != route.names.end())
                refuse(pattern, "uses the name '" + std::string(name) + "' twice");
            if (route.names.size() == kMaxParams)
                refuse(pattern, "has more than 16 names");
            route.names.emplace_back(name);
            child = is_param ? &node->param : &node->rest;
        } else {
            refuse_other_spelling(pattern, segment);
            child = &node->literals[percent_decode(segment)];  // as requests are looked up
        }
        if (!*child)
            *child = std::make_unique<Node>();
        node = child->get();
    }
    if (!node->routes.try_emplace(std::string(method), std::move(route)).second)
        refuse(pattern,
               "has a handler for " + (method.empty() ? "every method" : std::string(method)) + " already");
}

const Route* RouteTable::Node::route_for(std::string_view method) const {
    auto found = routes.find(method);
    if (found == routes.end() && method == "HEAD")
        found = routes.find("GET");
    if (found == routes.end())
        found = routes.find("");
    return found == routes.end() ? nullptr : &found->second;
}

/// One walk through the tree, the most specific branch first. A node belongs to one depth, so none is seen
/// twice.
class RouteTable::Search {
  public:
    explicit Search(std::string_view method) : method_{method} {}

    [[nodiscard]] const Route* walk(const Node& node, std::string_view rest) {
        const std::string_view all = rest;
        bool more = false;
        const std::string_view segment = cut_segment(rest, more);
        if (!node.literals.empty()) {
            const bool is_encoded = segment.find('%') != std::string_view::npos;
            const auto child =
                is_encoded ? node.literals.find(percent_decode(segment)) : node.literals.find(segment);
            if (child != node.literals.end()) {
                if (const Route* route = descend(*child->second, rest, more))
                    return route;
            }
        }
        if (node.param && !segment.empty()) {
            captures_[count_++] = segment;
            if (const Route* route = descend(*node.param, rest, more))
                return route;
            --count_;
        }
        if (node.rest) {
            captures_[count_++] = all;
            if (const Route* route = arrive(*node.rest))
                return route;
            --count_;
        }
        return nullptr;
    }

    [[nodiscard]] RequestBuilder::Params params(const Route& route) const {
        RequestBuilder::Params params;
        params.reserve(count_);
        for (std::size_t i = 0; i < count_; ++i)
            params.emplace_back(route.names[i], percent_decode(captures_[i]));
        return params;
    }
    [[nodiscard]] const std::set<std::string_view>& allowed() const noexcept { return allowed_; }

  private:
    const Route* descend(const Node& node, std::string_view rest, bool more) {
        return more ? walk(node, rest) : arrive(node);
    }
    const Route* arrive(const Node& node) {
        const Route* route = node.route_for(method_);
        if (route == nullptr) {
            for (const auto& [method, other] : node.routes)
                allowed_.insert(method);
        }
        return route;
    }

    std::string_view method_;
    std::array<std::string_view, kMaxParams> captures_;
    std::size_t count_ = 0;
    std::set<std::string_view> allowed_;
};

RouteTable::Result RouteTable::find(std::string_view method, std::string_view path) const {
    if (!path.starts_with('/'))
        return NotFound{};
    Search search{method};
    if (const Route* route = search.walk(root_, path.substr(1)))
        return Match{route, search.params(*route)};
    if (search.allowed().empty())
        return NotFound{};
    std::set<std::string_view> allowed = search.allowed();
    if (allowed.contains("GET"))
        allowed.insert("HEAD");
    MethodNotAllowed refusal;
    for (const auto each : allowed)
        refusal.allow.append(refusal.allow.empty() ? "" : ", ").append(each);
    return refusal;
}

}  // namespace zmqspdy::serving
