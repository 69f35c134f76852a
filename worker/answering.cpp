#include "worker/answering.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "worker/thread_end.hpp"
#include "zmqspdy/http_error.hpp"

namespace zmqspdy::serving {

namespace {

void produce(RequestContext& context, const Response::Stream& stream, const Request& request,
             const Log& log) {
    try {
        stream(context);
    } catch (const BodyAborted&) {
        return context.break_off(spdy::ResetCode::internal_error);  // the client has left: nothing to log
    } catch (...) {
        if (thread_is_ending()) {
            context.break_off(spdy::ResetCode::internal_error);
            throw;
        }
        log.line(LogLevel::error,
                 name_of(request) + ": the streamed response broke off: " + current_reason());
        return context.break_off(spdy::ResetCode::internal_error);
    }
    context.finish();
}

void answer(RequestContext& context, spdy::HeaderBlock headers, bool has_body, Response response) {
    if (!has_body)
        return context.answer(std::move(headers), {});
    auto trailers = encode_trailers(response);
    context.answer(std::move(headers), std::move(response).body(), std::move(trailers));
}

/// Begins and produces a stream, or answers with a body that is whole.
void send(RequestContext& context, Response response, const Request& request, const Log& log) {
    auto [headers, has_body] = encode(response, context.is_head(), log);
    const auto* stream = response.as_stream();  // after encode(), which may change it
    if (stream != nullptr && has_body) {
        for (const auto& [key, value] : response.trailers())
            context.trailer(key, value);
        context.begin(std::move(headers));
        return produce(context, *stream, request, log);
    }
    answer(context, std::move(headers), has_body, std::move(response));
}

/// What a Responder points to. It may outlive the worker.
class Promise final : public Responder::Target {
  public:
    Promise(std::shared_ptr<RequestContext> context, Request request,
            std::shared_ptr<const Application> application)
        : context_{std::move(context)}, request_{std::move(request)}, application_{std::move(application)} {}
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() override {
        if (answered_.load())
            return;
        try {
            application_->log().line(LogLevel::error,
                                     name_of(request_) + ": the responder was dropped without an answer");
            respond(application_->refuse(request_, {internal_error(), {}}));
        } catch (const std::exception& error) {
            // Out of memory. The router's timeout answers the client.
            application_->log().line(LogLevel::error, error.what());
        }
    }

    void respond(Response response) override {
        if (answered_.exchange(true))
            return;
        if (response.as_later() == nullptr && !context_->cancelled())
            response = application_->finish(request_, std::move(response));
        deliver(context_, std::move(response), std::move(request_), application_);
    }
    bool cancelled() const noexcept override { return context_->cancelled(); }

  private:
    std::shared_ptr<RequestContext> context_;
    Request request_;
    std::shared_ptr<const Application> application_;
    std::atomic<bool> answered_{false};
};

}  // namespace

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
        response = plain_page(internal_error());
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

void deliver(const std::shared_ptr<RequestContext>& context, Response response, Request request,
             const std::shared_ptr<const Application>& application) {
    const auto* later = response.as_later();
    if (later == nullptr)
        return send(*context, std::move(response), request, application->log());
    const auto promise = std::make_shared<Promise>(context, RequestBuilder::share(request), application);
    try {
        (*later)(Responder{promise});
    } catch (...) {
        if (thread_is_ending()) {
            promise->respond(plain_page(internal_error()));
            throw;
        }
        promise->respond(application->refuse_current(request));
    }
}

}  // namespace zmqspdy::serving
