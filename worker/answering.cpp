#include "worker/answering.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "transport/log_budget.hpp"
#include "worker/forced_unwind.hpp"
#include "zmqspdy/http_error.hpp"

namespace zmqspdy::serving {

namespace {

std::string name_of(const Request& request) {
    if (!RequestBuilder::is_here(request))
        return "a request that was moved to another thread";
    return transport::quoted(std::string(request.method()) + " " + std::string(request.path()));
}

/// Of the exception that is being handled.
std::string current_reason() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

Response refusal(const HttpError& error) {
    return Response::text(std::string(error.what()) + "\n").status(error.status());
}

void produce(Exchange& exchange, const Response::Stream& stream, const std::string& name, const Log& log) {
    try {
        stream(exchange);
    } catch (const BodyAborted&) {
        return exchange.break_off(spdy::ResetCode::internal_error);  // the client has left: nothing to log
    } catch (const ForcedUnwind&) {
        exchange.break_off(spdy::ResetCode::internal_error);
        throw;
    } catch (...) {
        log.line(LogLevel::error, name + ": the streamed response broke off: " + current_reason());
        return exchange.break_off(spdy::ResetCode::internal_error);
    }
    exchange.finish();
}

void deliver_named(const std::shared_ptr<Exchange>& exchange, Response response, const std::string& name,
                   const Log& log);

void answer(Exchange& exchange, spdy::HeaderBlock headers, bool has_body, Response response) {
    if (!has_body)
        return exchange.answer(std::move(headers), {});
    auto trailers = encode_trailers(response);
    exchange.answer(std::move(headers), std::move(response).body(), std::move(trailers));
}

/// What a Responder points to. It may outlive the worker, so it has a log of its own.
class Promise final : public Responder::Target {
  public:
    Promise(std::shared_ptr<Exchange> exchange, std::string name, const Log& log)
        : exchange_{std::move(exchange)}, name_{std::move(name)}, log_{log} {}
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() override {
        if (answered_.load())
            return;
        try {
            log_.line(LogLevel::error, name_ + ": the responder was dropped without an answer");
            respond(internal_error());
        } catch (const std::exception& error) {
            // Out of memory. The router's timeout answers the client.
            log_.line(LogLevel::error, error.what());
        }
    }

    void respond(Response response) override {
        if (!answered_.exchange(true))
            deliver_named(exchange_, std::move(response), name_, log_);
    }
    bool cancelled() const noexcept override { return exchange_->cancelled(); }

  private:
    std::shared_ptr<Exchange> exchange_;
    std::string name_;
    Log log_;
    std::atomic<bool> answered_{false};
};

void deliver_named(const std::shared_ptr<Exchange>& exchange, Response response, const std::string& name,
                   const Log& log) {
    if (const auto* later = response.as_later()) {
        const auto promise = std::make_shared<Promise>(exchange, name, log);
        try {
            (*later)(Responder{promise});
        } catch (const HttpError& error) {
            promise->respond(refusal(error));
        } catch (const ForcedUnwind&) {
            promise->respond(internal_error());
            throw;
        } catch (...) {
            log.line(LogLevel::error, name + ": " + current_reason());
            promise->respond(internal_error());
        }
        return;
    }
    auto [headers, has_body] = encode(response, exchange->is_head(), log);
    const auto* stream = response.as_stream();  // after encode(), which may change it
    if (stream != nullptr && has_body) {
        for (const auto& [key, value] : response.trailers())
            exchange->trailer(key, value);
        exchange->begin(std::move(headers));
        produce(*exchange, *stream, name, log);
        return;
    }
    answer(*exchange, std::move(headers), has_body, std::move(response));
}

}  // namespace

Response call_handler(const Route& route, Request& request, const Log& log) {
    try {
        return route.handler(request);
    } catch (const HttpError& error) {
        return refusal(error);  // the client's doing, or meant for it: nothing to log
    } catch (const BodyAborted&) {
        return internal_error();  // nobody will see it
    } catch (const ForcedUnwind&) {
        throw;  // the thread ends, and with it what the caller does
    } catch (...) {
        log.line(LogLevel::error, name_of(request) + ": " + current_reason());
        return internal_error();
    }
}

Response not_found() {
    return Response::text("Not Found\n").status(404);
}

Response method_not_allowed(const std::string& allow) {
    return Response::text("Method Not Allowed\n").status(405).header("allow", allow);
}

Response bad_request(std::string_view why) {
    return Response::text("Bad Request: " + std::string(why) + "\n").status(400);
}

Response internal_error() {
    return Response::text("Internal Server Error\n").status(500);
}

Encoded encode(Response& response, bool is_head, const Log& log) {
    const int status = response.status();
    const bool may_have_body = status != 204 && status != 304;
    Encoded encoded{{}, may_have_body && !is_head};
    encoded.headers.add(":status", std::to_string(status));
    encoded.headers.add(":version", "HTTP/1.1");
    bool has_length = false;
    for (const auto& [name, value] : response.headers()) {
        if (name == "content-length") {
            if (status == 204)
                continue;  // RFC 9110, 8.6
            has_length = true;
        }
        encoded.headers.add(name, value);
    }
    // An empty body means nothing in the answer to HEAD: its handler need not have made one.
    // Behind a length HTTP/1.1 has no trailers.
    const bool is_whole = response.as_stream() == nullptr && response.trailers().empty() &&
                          !(is_head && response.body().empty());
    if (!has_length && may_have_body && is_whole)
        encoded.headers.add("content-length", std::to_string(response.body().size()));
    if (encoded.headers.plain().size() > kMaxHeaderBytes) {
        log.line(LogLevel::error, "a response has more than " + std::to_string(kMaxHeaderBytes) +
                                      " bytes of headers: answered 500");
        response = internal_error();
        return encode(response, is_head, log);
    }
    return encoded;
}

std::optional<spdy::HeaderBlock> encode_trailers(const Response& response) {
    if (response.trailers().empty())
        return std::nullopt;
    spdy::HeaderBlock trailers;
    for (const auto& [name, value] : response.trailers())
        trailers.add(name, value);
    return trailers;
}

spdy::HeaderBlock encode_interim(int status, const Response::Fields& fields) {
    spdy::HeaderBlock headers;
    headers.add(":status", std::to_string(status));
    headers.add(":version", "HTTP/1.1");
    for (const auto& [name, value] : fields)
        headers.add(name, value);
    return headers;
}

void check_trailer(std::string_view name, std::string_view value) {
    (void)Response{}.trailer(name, value);
}

void add_fields(Response::Fields& fields, const spdy::HeaderBlock& block) {
    for (const spdy::Header header : block) {
        if (header.name.front() == ':')
            continue;
        spdy::for_each_value(header.value, [&](std::string_view value) {
            fields.emplace_back(std::string(header.name), std::string(value));
        });
    }
}

void deliver(const std::shared_ptr<Exchange>& exchange, Response response, const Request& request,
             const Log& log) {
    if (response.as_later() == nullptr && response.as_stream() == nullptr) {
        // The usual case needs no name for the log.
        auto [headers, has_body] = encode(response, exchange->is_head(), log);
        answer(*exchange, std::move(headers), has_body, std::move(response));
        return;
    }
    deliver_named(exchange, std::move(response), name_of(request), log);
}

}  // namespace zmqspdy::serving
