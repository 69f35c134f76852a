// What a handler answers: a whole body, a stream, or a promise to answer later.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zmqspdy {

class Response;

/// Writes a streamed body. Used by one thread at a time.
class Writer {
  public:
    virtual ~Writer() = default;
    /// Sends `chunk`, at once as far as the receiver's window allows, waiting for the window otherwise.
    /// False when nobody listens any more: return then. Holds back no more than about 256 KiB.
    [[nodiscard]] virtual bool write(std::string_view chunk) = 0;
    /// Adds a field to those that follow the body; see Response::trailer().
    virtual void trailer(std::string_view name, std::string_view value) = 0;
    /// True once nobody listens any more. Any thread.
    [[nodiscard]] virtual bool cancelled() const noexcept = 0;
    /// True once the worker has been told to end: what never ends by itself had better return, see Request::drain_token().
    /// Any thread.
    [[nodiscard]] virtual bool draining() const noexcept { return false; }
};

/// Answers one request from any thread; when the last copy is dropped without an answer, it answers 500.
class Responder {
  public:
    class Target {
      public:
        virtual ~Target() = default;
        virtual void respond(Response response) = 0;
        [[nodiscard]] virtual bool cancelled() const noexcept = 0;
    };
    explicit Responder(std::shared_ptr<Target> target) noexcept : target_{std::move(target)} {}

    /// The first call counts, later ones do nothing. Any Response will do; the producer of a stream runs
    /// before send() returns. Any thread.
    void send(Response response);
    [[nodiscard]] bool cancelled() const noexcept { return target_->cancelled(); }

  private:
    std::shared_ptr<Target> target_;
};

/// Copied and moved freely; status() and header() can be chained: Response::text("no\n").status(403).
class Response {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;
    using Stream = std::function<void(Writer&)>;
    using Later = std::function<void(Responder)>;

    Response() = default;  ///< 200 with an empty body

    [[nodiscard]] static Response text(std::string body);  ///< text/plain, UTF-8
    [[nodiscard]] static Response html(std::string body);  ///< text/html, UTF-8
    [[nodiscard]] static Response json(std::string body);  ///< application/json
    [[nodiscard]] static Response bytes(std::string_view content_type, std::string body);
    /// Sends the client to `location`, a URI or a path, percent-encoded already: 302, or 301, 303, 307 or 308 (RFC 9110 section 15.4). Throws
    /// std::invalid_argument for another status, and for a location that is empty or no field value.
    [[nodiscard]] static Response redirect(std::string_view location, int status = 302);
    /// `produce` is called on the handler's thread (after Responder::send() on the caller's) once the headers
    /// are on their way; its end ends the body, what it throws breaks the response off (the client sees that
    /// it is not whole). It may use the Request by reference. It is not called for HEAD, 204 and 304, which
    /// have no body.
    [[nodiscard]] static Response stream(std::string_view content_type, Stream produce);
    /// `start` is called with a Responder to keep; the handler's thread is free again when it returns. The
    /// request counts against the capacity until it is answered.
    [[nodiscard]] static Response later(Later start);

    /// 200 to 599; throws std::invalid_argument otherwise.
    Response& status(int code) &;
    Response&& status(int code) &&;
    /// Adds a header; Content-Type and Content-Length replace what is there. Throws std::invalid_argument
    /// when `name` is not a token or `value` has control characters, and for names that only httpd may set:
    /// Connection, Transfer-Encoding, Keep-Alive, Proxy-Connection, Upgrade, Trailer, TE, HTTP2-Settings.
    Response& header(std::string_view name, std::string_view value) &;
    Response&& header(std::string_view name, std::string_view value) &&;

    /// Adds a field that follows the body (RFC 9110 section 6.5), for clients that take such: all of HTTP/2, and those of
    /// HTTP/1.1 that say `TE: trailers`; httpd drops it for others. Throws std::invalid_argument as header() does, and
    /// for fields that must be known before the body: about framing, routing, authentication, conditions, caching or the
    /// content's form (section 6.5.1).
    Response& trailer(std::string_view name, std::string_view value) &;
    Response&& trailer(std::string_view name, std::string_view value) &&;

    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] const Fields& headers() const noexcept { return headers_; }
    [[nodiscard]] const Fields& trailers() const noexcept { return trailers_; }
    /// The whole body; empty for streams and promises.
    [[nodiscard]] const std::string& body() const& noexcept;
    [[nodiscard]] std::string body() && noexcept;
    [[nodiscard]] const Stream* as_stream() const noexcept { return std::get_if<Stream>(&body_); }
    [[nodiscard]] const Later* as_later() const noexcept { return std::get_if<Later>(&body_); }

  private:
    int status_ = 200;
    Fields headers_;
    Fields trailers_;
    std::variant<std::string, Stream, Later> body_;
};

}  // namespace zmqspdy
