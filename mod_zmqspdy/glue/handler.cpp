#include "mod_zmqspdy/glue/handler.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "mod_zmqspdy/core/request_fields.hpp"
#include "mod_zmqspdy/core/worker_link.hpp"
#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/request_headers.hpp"
#include "mod_zmqspdy/glue/routing.hpp"
#include "mod_zmqspdy/glue/upstream_request.hpp"

namespace zmqspdy::glue {

namespace {

int refuse(request_rec* r, int status, const char* why) {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s", r->uri, why);
    return status;
}

/// OPTIONS says how far it may go (RFC 9110 section 7.6.2): the answer, where that is not to a worker.
std::optional<int> end_of_forwards(request_rec* r) {
    const char* const field = apr_table_get(r->headers_in, "Max-Forwards");
    if (r->method_number != M_OPTIONS || !field)
        return std::nullopt;
    const auto forwards = router::parse_max_forwards(field);
    if (!forwards)
        return refuse(r, HTTP_BAD_REQUEST, "Max-Forwards is no decimal number");
    if (*forwards > 0)
        return std::nullopt;
    ap_set_content_length(r, 0);
    return OK;
}

/// What no session takes is nothing to wait or retry for. The status says what is too large.
int refuse_headers(request_rec* r, const spdy::HeaderBlock& headers) {
    constexpr auto kMost = router::WorkerLink::kMaxHeaderBytes;
    if (headers.plain().size() > kMost && headers.find(":path").value_or("").size() > kMost / 2)
        return refuse(r, HTTP_REQUEST_URI_TOO_LARGE, "the request's target is longer than a session allows");
    return refuse(r, HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                  "the request's headers are larger, or more, than a session allows (64 KiB, 256 names)");
}

spdy::Priority priority(const request_rec* r, const DirConfig& config) {
    if (const auto& priority = config.given<setting::Priority>())
        return static_cast<spdy::Priority>(*priority);
    const char* const asked = apr_table_get(r->headers_in, "Priority");
    return asked ? router::parse_urgency(asked).value_or(spdy::kDefaultPriority) : spdy::kDefaultPriority;
}

/// The request for a worker, or the status it is refused with before one is troubled.
std::variant<router::RequestHead, int> request_head(request_rec* r, const DirConfig& config) {
    // httpd takes "chunked" for the coding wherever it stands in the list; but what else was applied the worker would
    // not learn, and whoever is in front of us may have read it in another way.
    const char* const coding = apr_table_get(r->headers_in, "Transfer-Encoding");
    if (coding && ap_cstr_casecmp(coding, "chunked") != 0) {
        r->connection->keepalive = AP_CONN_CLOSE;
        return refuse(r, HTTP_NOT_IMPLEMENTED, "the request has a transfer coding other than chunked");
    }
    auto headers = make_request_headers(r, config);
    if (const auto* const wrong = std::get_if<std::string>(&headers))
        return refuse(r, HTTP_BAD_REQUEST, wrong->c_str());
    router::RequestHead head;
    head.headers = std::get<spdy::HeaderBlock>(std::move(headers));
    if (!router::WorkerLink::takes(head.headers))
        return refuse_headers(r, head.headers);
    head.service = config.get<setting::Service>();
    head.priority = priority(r, config);
    head.has_body = has_request_body(r);
    head.idempotent = is_idempotent(r);
    head.retries = config.get<setting::Retries>();
    head.response_buffer = config.get<setting::ResponseBuffer>();
    head.replay_limit = config.get<setting::ReplayBuffer>();
    // httpd's own filter judges what comes; here nothing has.
    const apr_off_t limit = ap_get_limit_req_body(r);
    if (head.has_body && limit > 0 && announced_length(r).value_or(0) > limit)
        return refuse(r, HTTP_REQUEST_ENTITY_TOO_LARGE,
                      "the request body is longer than LimitRequestBody allows");
    return head;
}

}  // namespace

int serve(request_rec* r) {
    if (!r->handler || std::strcmp(r->handler, kHandlerName) != 0)
        return DECLINED;
    // TRACE is about the path to httpd, CONNECT about another server: neither is a worker's.
    if (r->method_number == M_TRACE || r->method_number == M_CONNECT)
        return HTTP_METHOD_NOT_ALLOWED;
    if (const auto answered = end_of_forwards(r))
        return *answered;
    router::DealerPool* const pool = server_config(r->server).pool;
    if (!pool) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "%s: this httpd child has no dealer pool; see its start in the log", r->uri);
        return unavailable(r, "broken", "The server cannot pass requests on at the moment.");
    }
    const DirConfig& config = dir_config(r);
    auto head = request_head(r, config);
    if (const int* const status = std::get_if<int>(&head))
        return *status;
    return UpstreamRequest(r, *pool, config, std::get<router::RequestHead>(std::move(head))).run();
}

}  // namespace zmqspdy::glue
