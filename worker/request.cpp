#include "zmqspdy/request.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "worker/http.hpp"
#include "worker/request_builder.hpp"
#include "zmqspdy/http_error.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

namespace {

/// The body of a request that was made by hand.
class WholeBody final : public BodySource {
  public:
    explicit WholeBody(std::string body) : body_{std::move(body)} {}
    std::string_view next() override { return std::exchange(given_, true) ? std::string_view{} : body_; }
    bool cancelled() const noexcept override { return false; }

  private:
    std::string body_;
    bool given_ = false;
};

std::string_view first_value(std::string_view joined) {
    return joined.substr(0, joined.find('\0'));
}

}  // namespace

bool BodySource::sleep_for(std::chrono::milliseconds duration) {
    static constexpr std::chrono::milliseconds kStep{5};
    const auto end = std::chrono::steady_clock::now() + duration;
    while (!cancelled()) {
        const auto left = end - std::chrono::steady_clock::now();
        if (left <= left.zero())
            return true;
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kStep));
    }
    return false;
}

struct Request::State {
    spdy::HeaderBlock block;  // host and scheme point into it
    std::string method;
    std::string target;
    std::string_view host;
    std::string_view scheme;
    spdy::Priority priority = spdy::kDefaultPriority;
    std::shared_ptr<BodySource> source;
    RequestBuilder::Params params;
    mutable std::once_flag fields_once;
    mutable Fields fields;  // made when somebody wants to see them

    /// What a request that was moved away looks like.
    static const State& none() {
        static const State state;
        return state;
    }
};

Request::Request(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

Request::Request(std::string method, std::string target, const Fields& headers, std::string body)
    : state_{std::make_shared<State>()} {
    state_->method = std::move(method);
    state_->target = std::move(target);
    state_->source = std::make_shared<WholeBody>(std::move(body));
    state_->block.add(":scheme", "http");
    for (const auto& [name, value] : headers) {
        if (name.empty() || name.find('\0') != std::string::npos || value.find('\0') != std::string::npos)
            throw std::invalid_argument("a header needs a name, and no NUL in it or in its value");
        const std::string lower = serving::to_lower(name);
        state_->block.add(lower == "host" ? ":host" : lower, value);
    }
    state_->host = first_value(state_->block.find(":host").value_or(""));
    state_->scheme = "http";
}

std::variant<Request, RequestBuilder::BadRequest> RequestBuilder::build(spdy::HeaderBlock headers,
                                                                        spdy::Priority priority,
                                                                        std::shared_ptr<BodySource> source) {
    auto state = std::make_shared<Request::State>();
    state->block = std::move(headers);
    const spdy::HeaderBlock& block = state->block;
    const auto method = block.find(":method");
    const auto path = block.find(":path");
    const auto host = block.find(":host");
    const auto scheme = block.find(":scheme");
    if (!method || !path || !host || !scheme || !block.find(":version"))
        return BadRequest{"the request lacks one of :method, :path, :version, :host, :scheme"};
    if (!serving::is_token(*method))
        return BadRequest{"the method is not a token"};
    if (path->empty() || (path->front() != '/' && *path != "*") || !serving::is_field_value(*path))
        return BadRequest{"the path must begin with '/' and have no control characters"};
    state->method = *method;
    state->target = *path;
    state->host = first_value(*host);
    state->scheme = first_value(*scheme);
    state->priority = priority;
    state->source = std::move(source);
    return Request{std::move(state)};
}

void RequestBuilder::set_params(Request& request, Params params) noexcept {
    request.state_->params = std::move(params);
}

Request RequestBuilder::share(const Request& request) noexcept {
    return Request{request.state_};
}

const std::string& Request::method() const noexcept {
    return (state_ ? *state_ : State::none()).method;
}

const std::string& Request::target() const noexcept {
    return (state_ ? *state_ : State::none()).target;
}

std::string_view Request::path() const noexcept {
    const std::string_view whole = target();
    return whole.substr(0, whole.find('?'));
}

std::string_view Request::query() const noexcept {
    const std::string_view whole = target();
    const auto mark = whole.find('?');
    return mark == std::string_view::npos ? std::string_view{} : whole.substr(mark + 1);
}

std::string_view Request::host() const noexcept {
    return state_ ? state_->host : std::string_view{};
}

std::string_view Request::scheme() const noexcept {
    return state_ ? state_->scheme : std::string_view{};
}

std::string_view Request::client_address() const noexcept {
    return state_ ? RequestBuilder::client_address(state_->block) : std::string_view{};
}

std::string_view RequestBuilder::client_address(const spdy::HeaderBlock& headers) noexcept {
    // httpd adds its own word at the end, whatever the client has sent.
    std::string_view last = headers.find("x-forwarded-for").value_or("");
    last.remove_prefix(last.find_last_of(std::string_view{"\0,", 2}) + 1);  // npos + 1 is 0
    return serving::trim(last);
}

std::string Request::param(std::string_view name) const {
    if (state_) {
        for (const auto& [key, value] : state_->params) {
            if (key == name)
                return value;
        }
    }
    return {};
}

std::optional<std::string> Request::query_param(std::string_view name) const {
    std::string_view rest = query();
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        const auto equals = pair.find('=');
        if (serving::percent_decode(pair.substr(0, equals), serving::Plus::is_space) != name)
            continue;
        const auto value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        return serving::percent_decode(value, serving::Plus::is_space);
    }
    return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
    if (!state_ || name.empty() || name.front() == ':')
        return std::nullopt;
    const std::string lower = serving::to_lower(name);
    const auto joined = state_->block.find(lower == "host" ? ":host" : std::string_view{lower});
    if (!joined)
        return std::nullopt;
    return first_value(*joined);
}

const Request::Fields& Request::headers() const noexcept {
    static const Fields kNone;
    if (!state_)
        return kNone;
    std::call_once(state_->fields_once, [this] {
        Fields fields;
        if (const auto host = state_->block.find(":host"))
            fields.emplace_back("host", first_value(*host));
        for (const auto& [name, joined] : state_->block) {
            if (name.front() == ':')
                continue;
            spdy::for_each_value(
                joined, [&fields, key = name](std::string_view value) { fields.emplace_back(key, value); });
        }
        state_->fields = std::move(fields);
    });
    return state_->fields;
}

Request::Body Request::body() {
    if (!state_)
        throw std::logic_error("the request has been moved away");
    return Body{*state_->source};
}

std::string Request::text(std::size_t limit) {
    std::string whole;
    for (const std::string_view chunk : body()) {
        if (chunk.size() > limit - whole.size())
            throw HttpError{413, "the request body is longer than " + std::to_string(limit) + " bytes"};
        whole.append(chunk);
    }
    return whole;
}

Request::Fields Request::trailers() const {
    return state_ ? state_->source->trailers() : Fields{};
}

int Request::priority() const noexcept {
    return (state_ ? *state_ : State::none()).priority;
}

void Request::early_hints(const Fields& fields) {
    Response checked;
    for (const auto& [name, value] : fields)
        checked.header(name, value);
    if (state_)
        state_->source->send_interim(103, checked.headers());
}

std::stop_token Request::stop_token() const {
    return state_ ? state_->source->stop_token() : std::stop_token{};
}

std::stop_token Request::drain_token() const {
    return state_ ? state_->source->drain_token() : std::stop_token{};
}

bool Request::cancelled() const noexcept {
    return state_ && state_->source->cancelled();
}

bool Request::sleep_for(std::chrono::milliseconds duration) const {
    if (!state_)
        throw std::logic_error("the request has been moved away");
    return state_->source->sleep_for(duration);
}

}  // namespace zmqspdy
