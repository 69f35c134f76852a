#include "mod_zmqspdy/glue/upstream_request.hpp"

#include <apr_portable.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <utility>

#include "mod_zmqspdy/core/shortage.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"

namespace zmqspdy::glue {

namespace {

// No status of HTTP's: what nginx, and those who read its logs, know for this.
constexpr int kClientClosedRequest = 499;

/// From now on the end of this connection is a reset: its peer sees that something is missing.
void end_with_reset(apr_socket_t* client) {
    apr_os_sock_t socket = -1;
    apr_os_sock_get(&socket, client);
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/// When a request is given up, whatever its worker does.
std::chrono::steady_clock::time_point end_of(std::chrono::steady_clock::time_point arrived,
                                             const std::optional<Milliseconds>& limit) {
    return limit ? arrived + *limit : std::chrono::steady_clock::time_point::max();
}

}  // namespace

UpstreamRequest::UpstreamRequest(request_rec* r, router::DealerPool& pool, const DirConfig& config,
                                 router::RequestHead head)
    : r_{r},
      pool_{pool},
      config_{config},
      exchange_{std::make_shared<router::Exchange>(std::move(head))},
      out_{apr_brigade_create(r->pool, r->connection->bucket_alloc)},
      client_{r->connection->master ? nullptr : ap_get_conn_socket(r->connection)},
      acted_at_{exchange_->arrived},
      end_{end_of(exchange_->arrived, config.given<setting::RequestTimeout>())},
      request_complete_{!exchange_->head.has_body} {}

UpstreamRequest::~UpstreamRequest() {
    give_up();
    apr_brigade_destroy(out_);
    if (in_)
        apr_brigade_destroy(in_);
}

void UpstreamRequest::give_up() {
    if (!std::exchange(over_, true) && submitted_) {
        (void)exchange_->abandon();
        pool_.cancel(exchange_);
    }
}

int UpstreamRequest::run() {
    const int result = forward();
    note_worker();
    // httpd reads the rest of a body, however long that takes, before it sends an error page, unless the connection ends.
    if (ap_is_HTTP_ERROR(result) && !request_complete_)
        r_->connection->keepalive = AP_CONN_CLOSE;
    return result;
}

void UpstreamRequest::note_worker() {
    if (const std::string name = exchange_->worker_name(); !name.empty())
        apr_table_set(r_->notes, "zmqspdy-worker", name.c_str());
}

int UpstreamRequest::forward() {
    if (auto result = submit())
        return *result;
    while (true) {
        if (auto result = take_events())
            return *result;
        if (may_read_body()) {
            if (auto result = send_request_body())
                return *result;
            if (!client_blocks_)
                continue;
        }
        if (auto result = wait_for_more())
            return *result;
    }
}

std::optional<int> UpstreamRequest::wait_for_more() {
    const bool in_time = wait();
    if (r_->connection->aborted)
        return client_left();
    if (!in_time)
        return on_deadline();
    client_blocks_ = false;
    return std::nullopt;
}

std::optional<int> UpstreamRequest::on_failed(const Event& event) {
    switch (event.failure) {
        case router::Failure::queue_full:
            return no_worker_free("ZmqSpdyQueueLength");
        case router::Failure::service_queue_full:
            return no_worker_free("ZmqSpdyServiceQueueLength");
        case router::Failure::shutting_down:
            if (committed_)
                return abort_response("ending", "was given up: this httpd child is ending");
            return error(unavailable(r_, "ending", "The server is about to restart."), "ending",
                         "this httpd child is ending");
        case router::Failure::overstayed:
            if (committed_)
                return abort_response("graceful-timeout", nullptr);
            clear_response_head(r_);
            return error(unavailable(r_, "graceful-timeout", "The server is about to restart."),
                         "graceful-timeout",
                         "this httpd child is to end, and ZmqSpdyGracefulTimeout is over");
        case router::Failure::worker_lost:
            return abort_response("lost", "was lost while it had the request");
        case router::Failure::no_worker_left:
            return error(HTTP_BAD_GATEWAY, "lost",
                         "every worker that was tried was lost over it (ZmqSpdyRetries)");
        case router::Failure::worker_reset:
            return abort_response("reset", apr_psprintf(r_->pool, "gave the request up (%s)",
                                                        std::string(spdy::to_string(event.code)).c_str()));
        case router::Failure::excess:
            return abort_response("bad-response",
                                  "sent more interim responses or trailers than a response may have");
        case router::Failure::protocol:
        case router::Failure::none:
            break;
    }
    return abort_response("protocol", "broke the protocol");
}

int UpstreamRequest::no_worker_free(const char* limit) {
    const router::Shortage shortage = exchange_->shortage.load();
    const auto cause = router::cause_of(shortage);
    const std::string why = router::describe(shortage, exchange_->head.service, exchange_->worker_name());
    const bool busy = cause == router::Cause::full || cause == router::Cause::turn;
    const bool child_full = std::strcmp(limit, "ZmqSpdyQueueLength") == 0;
    const bool service_full = std::strcmp(limit, "ZmqSpdyServiceQueueLength") == 0;
    const char* const word = child_full     ? "queue-full"
                             : service_full ? "service-queue-full"
                                            : router::word_for(cause).data();
    const int status = unavailable(r_, word,
                                   busy ? "All workers that could answer this request are busy."
                                        : "No worker that could answer this request is there.");
    return error(status, word,
                 apr_psprintf(r_->pool, "%s (%s): %s",
                              child_full     ? "too many requests wait for a worker"
                              : service_full ? "too many requests of the service wait for a worker"
                                             : "no worker was free in time",
                              limit, why.c_str()));
}

int UpstreamRequest::refuse_response(const char* why) {
    give_up();
    return abort_response("bad-response",
                          apr_psprintf(r_->pool, "sent a response that cannot be passed on: %s", why));
}

int UpstreamRequest::error(int status, const char* reason, const char* why) {
    give_up();
    note_reason(r_, reason);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_, "%s: %s", r_->uri, why);
    return status;
}

int UpstreamRequest::abort_response(const char* reason, const char* why) {
    give_up();
    note_reason(r_, reason);
    if (why)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_, "%s: worker '%s' %s", r_->uri, worker(), why);
    apr_brigade_cleanup(out_);
    if (!committed_) {
        clear_response_head(r_);
        return HTTP_BAD_GATEWAY;
    }
    forbid_caching();
    // The client has part of it already: it must see that the rest is missing. httpd's chunk filter leaves
    // out the last chunk when it meets this bucket, and the connection is not used again.
    r_->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(out_,
                            ap_bucket_error_create(HTTP_BAD_GATEWAY, nullptr, r_->pool, out_->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_eos_create(out_->bucket_alloc));
    if (pass_down() == AP_FILTER_ERROR)
        return AP_FILTER_ERROR;  // a filter had kept all of it back: httpd has answered with an error page instead
    // Where the body ends with the connection (HTTP/1.0), only a reset tells the two ends apart. A subrequest's part of
    // the page is not the whole of it: the bucket above tells its page.
    if (client_ && !r_->main && !r_->chunked && !apr_table_get(r_->headers_out, "Content-Length")) {
        end_with_reset(client_);
        r_->connection->aborted = 1;  // httpd closes without lingering
    }
    return DONE;
}

void UpstreamRequest::forbid_caching() {
    for (request_rec* r = r_; r; r = r->main)
        r->no_cache = 1;
}

int UpstreamRequest::client_left() {
    give_up();
    note_reason(r_, "client-left");
    r_->connection->aborted = 1;
    // For the access log: nothing more goes out.
    for (request_rec* r = r_; r; r = r->main)
        r->status = kClientClosedRequest;
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "%s: the client left; the worker was told", r_->uri);
    return DONE;
}

const char* UpstreamRequest::worker() const {
    return apr_pstrdup(r_->pool, exchange_->worker_name().c_str());
}

}  // namespace zmqspdy::glue
