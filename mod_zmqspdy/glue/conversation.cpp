#include "mod_zmqspdy/glue/conversation.hpp"

#include <apr_portable.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/glue/message_bucket.hpp"
#include "mod_zmqspdy/glue/request_headers.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"

namespace zmqspdy::glue {

namespace {

// Answers that come within this time cost no more than a futex; only then is the client watched as well.
constexpr std::chrono::milliseconds kFastAnswer{50};
// Where the client cannot be polled: how often to ask httpd whether it is still there.
constexpr std::chrono::milliseconds kTick{20};
// While the request waits for a worker: how often to see whether it still does.
constexpr std::chrono::milliseconds kQueueLook{250};
constexpr apr_size_t kReadSize = 64 * 1024;

router::RequestHead request_head(request_rec* r, const DirConfig& config) {
    router::RequestHead head;
    head.headers = make_request_headers(r);
    head.service = config.service_or_default();
    head.has_body = ap_request_has_body(r) != 0;
    head.idempotent = is_idempotent(r);
    head.retries = config.retries_or_default();
    return head;
}

}  // namespace

Conversation::Conversation(request_rec* r, router::DealerPool& pool, const DirConfig& config)
    : r_{r},
      pool_{pool},
      config_{config},
      exchange_{std::make_shared<router::Exchange>(request_head(r, config))},
      out_{apr_brigade_create(r->pool, r->connection->bucket_alloc)},
      client_{r->connection->master ? nullptr : ap_get_conn_socket(r->connection)},
      last_progress_{Clock::now()},
      request_complete_{!exchange_->head.has_body} {}

Conversation::~Conversation() {
    give_up();
    apr_brigade_destroy(out_);
    if (in_)
        apr_brigade_destroy(in_);
}

void Conversation::give_up() {
    if (!std::exchange(over_, true)) {
        (void)exchange_->abandon();
        pool_.cancel(exchange_);
    }
}

int Conversation::run() {
    // A session would not take it, whichever worker's: not something to wait or retry for.
    if (exchange_->head.headers.plain().size() > spdy::SessionOptions{}.max_header_bytes) {
        over_ = true;
        return error(HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                     "the request's headers are larger than a session allows");
    }
    pool_.submit(exchange_);
    while (true) {
        // A worker has the request: a client that waits for 100 Continue may send its body. Not later: once the response
        // has begun, which some handlers let happen before they read, it would be too late.
        if (r_->expecting_100 && may_read_body())
            send_continue(r_);
        if (auto result = take_events())
            return *result;
        if (may_read_body()) {
            if (auto result = send_request_body())
                return *result;
            if (!client_blocks_)
                continue;
        }
        const bool in_time = wait();
        if (r_->connection->aborted)
            return client_left();
        if (in_time)
            client_blocks_ = false;
        else if (auto result = on_deadline())
            return *result;
    }
}

// The response.

std::optional<int> Conversation::take_events() {
    auto list = exchange_->inbox.take_all();
    while (list) {
        last_progress_ = Clock::now();
        if (auto result = on(*list)) {
            transport::MpscQueue<Event>::discard(std::move(list));
            return result;
        }
        list = std::move(list->next);
    }
    if (APR_BRIGADE_EMPTY(out_))
        return std::nullopt;
    return pass_on(false);
}

std::optional<int> Conversation::on(Event& event) {
    switch (event.kind) {
        case Event::Kind::interim:
            return on_interim(event);
        case Event::Kind::head:
            if (auto result = on_head(event))
                return result;
            break;
        case Event::Kind::data:
            if (auto result = on_data(event))
                return result;
            break;
        case Event::Kind::trailers:
            if (const auto wrong = router::check_trailers(event.headers))
                return refuse_response(wrong->c_str());
            set_trailers(r_, event.headers);
            break;
        case Event::Kind::end:
            break;
        case Event::Kind::failed:
            over_ = true;
            return on_failed(event);
    }
    if (!event.fin)
        return std::nullopt;
    over_ = true;
    return end_of_response();
}

std::optional<int> Conversation::on_interim(const Event& event) {
    const auto checked = router::check_response(event.headers);
    if (const auto* wrong = std::get_if<std::string>(&checked))
        return refuse_response(wrong->c_str());
    const auto& head = std::get<router::ResponseHead>(checked);
    if (head.status >= 200)
        return refuse_response("a final status came as an interim response");
    send_interim_response(r_, event.headers, head);
    return std::nullopt;
}

std::optional<int> Conversation::on_head(const Event& event) {
    apr_table_setn(r_->notes, "zmqspdy-worker", worker());
    const auto checked = router::check_response(event.headers);
    if (const auto* wrong = std::get_if<std::string>(&checked))
        return refuse_response(wrong->c_str());
    const auto& head = std::get<router::ResponseHead>(checked);
    if (head.status < 200)
        return refuse_response("an interim status came as the final response");
    set_response_head(r_, event.headers, head);
    head_set_ = true;
    bodiless_ = r_->header_only || head.status == HTTP_NO_CONTENT || head.status == HTTP_NOT_MODIFIED;
    if (bodiless_) {
        // Whatever the worker sends behind it is not the client's.
        if (!event.fin)
            give_up();
        return end_of_response();
    }
    length_left_ = head.content_length;
    // The headers themselves must not wait for the first byte of the body, but go with it where it is here.
    if (!event.fin && !event.next && exchange_->inbox.empty())
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(out_->bucket_alloc));
    return std::nullopt;
}

std::optional<int> Conversation::on_data(Event& event) {
    if (length_left_) {
        if (event.payload.size() > *length_left_) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_,
                          "worker '%s' sent more than the Content-Length it announced; the rest is cut off",
                          worker());
            event.payload = event.payload.first(*length_left_);
            length_left_ = 0;
            if (!event.payload.empty())
                APR_BRIGADE_INSERT_TAIL(
                    out_, make_message_bucket(std::move(event.message), event.payload, out_->bucket_alloc));
            give_up();
            return end_of_response();
        }
        *length_left_ -= event.payload.size();
    }
    unreported_ += event.payload.size();
    APR_BRIGADE_INSERT_TAIL(out_,
                            make_message_bucket(std::move(event.message), event.payload, out_->bucket_alloc));
    return std::nullopt;
}

std::optional<int> Conversation::end_of_response() {
    if (!bodiless_ && length_left_.value_or(0) != 0)
        return abort_response("sent less than the Content-Length it announced");
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_eos_create(out_->bucket_alloc));
    if (auto result = pass_on(true))
        return result;
    return OK;
}

std::optional<int> Conversation::pass_on(bool last) {
    if (!head_set_)
        return std::nullopt;
    // No further frame waits: what is here must reach the client now.
    if (!last && exchange_->inbox.empty() && !APR_BUCKET_IS_FLUSH(APR_BRIGADE_LAST(out_)))
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(out_->bucket_alloc));
    committed_ = true;
    const auto status = ap_pass_brigade(r_->output_filters, out_);
    apr_brigade_cleanup(out_);
    if (status != APR_SUCCESS || r_->connection->aborted)
        return client_left();
    if (!over_ && unreported_ >= pool_.window() / 4)
        pool_.consumed(exchange_, std::exchange(unreported_, 0));
    return std::nullopt;
}

std::optional<int> Conversation::on_failed(const Event& event) {
    switch (event.failure) {
        case router::Failure::queue_full:
            apr_table_setn(r_->err_headers_out, "Retry-After", "1");
            return error(HTTP_SERVICE_UNAVAILABLE,
                         "too many requests wait for a worker (ZmqSpdyQueueLength)");
        case router::Failure::shutting_down:
            return error(HTTP_SERVICE_UNAVAILABLE, "this httpd child is ending");
        case router::Failure::worker_lost:
            return abort_response("was lost while it had the request");
        case router::Failure::no_worker_left:
            return error(HTTP_BAD_GATEWAY, "every worker that was tried was lost over it (ZmqSpdyRetries)");
        case router::Failure::worker_reset:
            return abort_response(
                apr_psprintf(r_->pool, "gave the request up (%s)", spdy::to_string(event.code).data()));
        case router::Failure::protocol:
        case router::Failure::none:
            break;
    }
    return abort_response("broke the protocol");
}

// The request body.

bool Conversation::may_read_body() const {
    return !request_complete_ && !over_ && !queued() && exchange_->body_backlog.load() < pool_.window();
}

std::optional<int> Conversation::send_request_body() {
    client_blocks_ = false;
    if (!in_)
        in_ = apr_brigade_create(r_->pool, r_->connection->bucket_alloc);
    // Not blocking: the response may flow while the client still sends.
    const auto status =
        ap_get_brigade(r_->input_filters, in_, AP_MODE_READBYTES, APR_NONBLOCK_READ, kReadSize);
    if (APR_STATUS_IS_EAGAIN(status) || (status == APR_SUCCESS && APR_BRIGADE_EMPTY(in_))) {
        client_blocks_ = true;
        return std::nullopt;
    }
    if (status != APR_SUCCESS) {
        // Never a FIN: what was cut off must not look complete to the worker.
        give_up();
        const int code = ap_map_http_request_error(status, HTTP_BAD_REQUEST);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r_, "the request body broke off; the worker was told");
        return committed_ ? abort_response(nullptr) : code;
    }
    std::vector<std::byte> bytes;
    bool fin = false;
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(in_); bucket != APR_BRIGADE_SENTINEL(in_) && !fin;
         bucket = APR_BUCKET_NEXT(bucket)) {
        fin = APR_BUCKET_IS_EOS(bucket);
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        const char* data = nullptr;
        apr_size_t length = 0;
        if (apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) {
            give_up();
            return committed_ ? abort_response(nullptr) : HTTP_BAD_REQUEST;
        }
        const auto* const first = reinterpret_cast<const std::byte*>(data);
        bytes.insert(bytes.end(), first, first + length);
    }
    apr_brigade_cleanup(in_);
    if (bytes.empty() && !fin) {
        client_blocks_ = true;
        return std::nullopt;
    }
    last_progress_ = Clock::now();
    request_complete_ = fin;
    exchange_->body_backlog.fetch_add(bytes.size());
    pool_.body(exchange_, std::move(bytes), fin);
    return std::nullopt;
}

// Waiting.

bool Conversation::queued() const {
    return exchange_->stage.load() == router::Exchange::Stage::queued;
}

bool Conversation::something_to_do() const {
    return !exchange_->inbox.empty() || (!client_blocks_ && may_read_body());
}

Conversation::Clock::time_point Conversation::deadline() const {
    if (queued())
        return exchange_->queued_since.load() + config_.queue_timeout_or_default();
    const Clock::duration client = std::chrono::microseconds(r_->server->timeout);
    const Clock::duration worker = config_.timeout_or_default();
    return last_progress_ + (client_blocks_ ? std::min(client, worker) : worker);
}

bool Conversation::wait() {
    const bool was_queued = queued();
    const bool read_client = client_blocks_ && may_read_body();
    bool happened = !read_client && wait_on_futex(std::min(deadline(), Clock::now() + kFastAnswer));
    if (!happened) {
        // Nobody wakes us when a worker takes the request, after which another deadline holds: so look again soon.
        const auto soon = queued() ? Clock::now() + kQueueLook : Clock::time_point::max();
        happened = wait_on_descriptors(std::min(deadline(), soon));
    }
    if (was_queued && !queued())
        last_progress_ = Clock::now();
    return happened || Clock::now() < deadline();
}

bool Conversation::wait_on_futex(Clock::time_point until) {
    return exchange_->parking.wait_until(until, [this] { return something_to_do(); });
}

bool Conversation::wait_on_descriptors(Clock::time_point until) {
    if (!client_)
        return wait_on_futex(std::min(until, Clock::now() + kTick));
    if (!event_fd_)
        event_fd_ = transport::FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    apr_os_sock_t socket = -1;
    apr_os_sock_get(&socket, client_);
    exchange_->parking.prepare(event_fd_.get());
    const bool read_client = client_blocks_ && may_read_body();
    const bool worker_spoke = something_to_do();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int timeout = worker_spoke ? 0 : static_cast<int>(std::clamp<decltype(left)>(left, 0, 60000));
    std::array<pollfd, 2> descriptors{
        {{event_fd_.get(), POLLIN, 0},
         {socket, static_cast<short>(POLLRDHUP | (read_client ? POLLIN : 0)), 0}}};
    const int ready = poll(descriptors.data(), descriptors.size(), timeout);
    exchange_->parking.awake();
    if (ready <= 0)
        return worker_spoke;
    if (descriptors[0].revents != 0) {
        eventfd_t count = 0;
        (void)eventfd_read(event_fd_.get(), &count);
    }
    // A client that closes its side has left: there is no telling it from one that half-closes. While its
    // request body is still being read, reading tells.
    if ((descriptors[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0 && !read_client)
        r_->connection->aborted = 1;
    return true;
}

std::optional<int> Conversation::on_deadline() {
    if (queued()) {
        if (!exchange_->abandon())
            return std::nullopt;  // a worker took it at the last moment
        apr_table_setn(r_->err_headers_out, "Retry-After", "1");
        return error(HTTP_SERVICE_UNAVAILABLE, "no worker was free in time (ZmqSpdyQueueTimeout)");
    }
    if (client_blocks_) {
        give_up();
        return committed_ ? abort_response(nullptr)
                          : error(HTTP_REQUEST_TIME_OUT, "the client stopped sending the request body");
    }
    give_up();
    if (committed_)
        return abort_response("was silent for longer than ZmqSpdyTimeout");
    clear_response_head(r_);
    return error(HTTP_GATEWAY_TIME_OUT,
                 apr_psprintf(r_->pool, "worker '%s' was silent for longer than ZmqSpdyTimeout", worker()));
}

// Ends.

int Conversation::refuse_response(const char* why) {
    give_up();
    return abort_response(apr_psprintf(r_->pool, "sent a response that cannot be passed on: %s", why));
}

int Conversation::error(int status, const char* why) {
    give_up();
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_, "%s: %s", r_->uri, why);
    return status;
}

int Conversation::abort_response(const char* why) {
    give_up();
    if (why)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_, "%s: worker '%s' %s", r_->uri, worker(), why);
    apr_brigade_cleanup(out_);
    if (!committed_) {
        clear_response_head(r_);
        return HTTP_BAD_GATEWAY;
    }
    // The client has part of it already: it must see that the rest is missing. httpd's chunk filter leaves
    // out the last chunk when it meets this bucket, and the connection is not used again.
    r_->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(out_,
                            ap_bucket_error_create(HTTP_BAD_GATEWAY, nullptr, r_->pool, out_->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_eos_create(out_->bucket_alloc));
    (void)ap_pass_brigade(r_->output_filters, out_);
    return DONE;
}

int Conversation::client_left() {
    give_up();
    r_->connection->aborted = 1;
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "%s: the client left; the worker was told", r_->uri);
    return DONE;
}

const char* Conversation::worker() const {
    return apr_pstrdup(r_->pool, exchange_->worker_name().c_str());
}

}  // namespace zmqspdy::glue
