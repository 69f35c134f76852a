// One HTTP request as a handler sees it.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/http_error.hpp"
#include "zmqspdy/number.hpp"

namespace zmqspdy {

/// Where a request's body and its end come from. The worker implements it over a SPDY stream; what a test's own need not
/// have does nothing.
class BodySource {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    virtual ~BodySource() = default;
    /// Waits for the next bytes of the body; a view valid until the next call; empty at the end. Throws
    /// BodyAborted.
    [[nodiscard]] virtual std::string_view next() = 0;
    /// True once nobody waits for the answer any more.
    [[nodiscard]] virtual bool cancelled() const noexcept = 0;
    /// See Request::sleep_for(). This one looks at cancelled() every few milliseconds.
    [[nodiscard]] virtual bool sleep_for(std::chrono::milliseconds duration);
    /// See Request::stop_token().
    [[nodiscard]] virtual std::stop_token stop_token() { return {}; }
    /// See Request::drain_token().
    [[nodiscard]] virtual std::stop_token drain_token() { return {}; }
    /// See Request::trailers().
    [[nodiscard]] virtual Fields trailers() const { return {}; }
    /// See Request::early_hints(). `fields` have been checked.
    virtual void send_interim(int /*status*/, const Fields& /*fields*/) {}
};

/// The client went away, or the request was reset, in the middle of its body.
class BodyAborted : public std::exception {
  public:
    [[nodiscard]] const char* what() const noexcept override { return "the request body was cut off"; }
};

/// Used by one thread at a time, except for cancelled(). Names of headers are matched without regard to case.
/// Lives until the handler has returned and, when that answered with a stream, until the stream's producer
/// has; a handler that needs it for longer (Response::later) moves it away, and it stays valid for as long as
/// it is kept. The body can be read until the answer is complete.
class Request {
  public:
    using Fields = BodySource::Fields;

    /// For tests: Request{"GET", "/hello/you?x=1"}, with headers and a whole body if wanted. Throws
    /// std::invalid_argument for a header with an empty name or a NUL.
    Request(std::string method, std::string target, const Fields& headers = {}, std::string body = {});
    Request(Request&&) noexcept;
    Request& operator=(Request&&) noexcept;
    ~Request();

    [[nodiscard]] const std::string& method() const noexcept;
    [[nodiscard]] const std::string& target() const noexcept;  ///< path and query as they arrived
    [[nodiscard]] std::string_view path() const noexcept;      ///< without the query, percent-encoding kept
    [[nodiscard]] std::string_view query() const noexcept;     ///< behind the first '?', encoding kept
    [[nodiscard]] std::string_view host()
        const noexcept;  ///< with the port if it has one; also header("host")
    /// "http" or "https": how the client reached httpd.
    [[nodiscard]] std::string_view scheme() const noexcept;
    /// The client's address as httpd knows it (mod_remoteip is heeded), without a port; empty for requests made by hand.
    [[nodiscard]] std::string_view client_address() const noexcept;

    /// The value of `:name` or `*name` in the route, percent-decoded; empty when the route has no such name.
    [[nodiscard]] std::string param(std::string_view name) const;
    /// param() as a number, see parse_number(). Throws HttpError 400 when it is none that fits.
    template <Number T>
    [[nodiscard]] T number(std::string_view name) const {
        return required_number<T>(name, param(name));
    }
    /// The first value of `name` in the query, decoded; nothing when absent.
    [[nodiscard]] std::optional<std::string> query_param(std::string_view name) const;
    /// query_param() as a number; nothing when absent. Throws HttpError 400 when it is none that fits.
    template <Number T>
    [[nodiscard]] std::optional<T> query_number(std::string_view name) const {
        const auto text = query_param(name);
        return text ? std::optional<T>{required_number<T>(name, *text)} : std::nullopt;
    }
    /// The first value; nothing when absent.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
    /// One pair for each value, names in lower case, in the order of arrival.
    [[nodiscard]] const Fields& headers() const noexcept;

    /// The body as it arrives, to be walked through once: `for (std::string_view chunk : request.body())`. A
    /// chunk is valid until the next one is asked for. Throws BodyAborted when the client leaves in the
    /// middle.
    class Body;
    [[nodiscard]] Body body();
    /// The whole body, waiting for it; throws HttpError 413 when it is longer than `limit` bytes, and
    /// BodyAborted.
    [[nodiscard]] std::string text(std::size_t limit = std::size_t{16} * 1024 * 1024);
    /// The fields behind the body (RFC 9110 section 6.5), once it has been read to its end; empty before, and when there
    /// are none. Nothing in them is vouched for: they are no part of headers().
    [[nodiscard]] Fields trailers() const;

    /// 0, the most urgent, to 7 (RFC 9218 section 4.1). Requests that wait for a thread are served in this order.
    [[nodiscard]] int priority() const noexcept;

    /// Sends a 103 response with `fields`, typically Link, at once; any number of times before the handler's answer
    /// begins; later, and for Run::on_io_thread, it does nothing (RFC 8297). Throws std::invalid_argument as Response::header() does.
    void early_hints(const Fields& fields);

    /// True once the client has left or the router has given up: stop working. Any thread.
    [[nodiscard]] bool cancelled() const noexcept;
    /// The same as a token, to wait with or to be called by: a std::stop_callback on it runs when the request is
    /// cancelled, on the worker's I/O thread, where everything else stands still meanwhile, or at once when it is
    /// cancelled already. Once the callback's destructor has returned it does not run any more. It must not throw. Any
    /// thread; the token may outlive the request.
    [[nodiscard]] std::stop_token stop_token() const;
    /// The worker's: a stop is requested on it when the worker has been told to end, and this request has
    /// Options::drain_timeout left before it is cancelled. For what never ends by itself. One token for all requests,
    /// callbacks as stop_token()'s. Any thread; the token may outlive the request.
    [[nodiscard]] std::stop_token drain_token() const;
    /// The same as a question. Any thread.
    [[nodiscard]] bool draining() const { return drain_token().stop_requested(); }
    /// Sleeps for `duration`, or less when the request is cancelled meanwhile: then it returns false, else
    /// true.
    [[nodiscard]] bool sleep_for(std::chrono::milliseconds duration) const;

  private:
    template <Number T>
    [[nodiscard]] static T required_number(std::string_view name, const std::string& text) {
        if (const auto value = parse_number<T>(text))
            return *value;
        throw HttpError{400, "'" + std::string(name) + "' is not a number that fits: " + text.substr(0, 40)};
    }

    friend class RequestBuilder;
    struct State;
    explicit Request(std::shared_ptr<State> state) noexcept;
    std::shared_ptr<State> state_;  // shared with the framework only
};

class Request::Body {
  public:
    class Iterator {
      public:
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using pointer = const std::string_view*;
        using reference = std::string_view;

        Iterator() = default;
        explicit Iterator(BodySource& source) : source_{&source}, chunk_{source.next()} {}
        [[nodiscard]] std::string_view operator*() const noexcept { return chunk_; }
        Iterator& operator++() {
            chunk_ = source_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return chunk_.empty(); }

      private:
        BodySource* source_ = nullptr;
        std::string_view chunk_;
    };

    explicit Body(BodySource& source) noexcept : source_{&source} {}
    [[nodiscard]] Iterator begin() const { return Iterator{*source_}; }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  private:
    BodySource* source_;
};

}  // namespace zmqspdy
