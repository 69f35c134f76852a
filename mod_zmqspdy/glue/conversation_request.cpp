// A conversation's request body, from httpd's input filters to the pool.
#include <utility>
#include <vector>

#include "mod_zmqspdy/core/worker_link.hpp"
#include "mod_zmqspdy/glue/conversation.hpp"
#include "mod_zmqspdy/glue/request_headers.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"

namespace zmqspdy::glue {

namespace {

// Of the body in one hand-over to the pool, at most.
constexpr std::size_t kHandOver = std::size_t{128} * 1024;
// What httpd reads from a socket at once.
constexpr std::size_t kOneRead = 8192;
// How long a worker that has the request may keep quiet before a client that waits for 100 Continue is told to send its
// body all the same. Those that know of it say so themselves, or answer at once without the body.
constexpr std::chrono::milliseconds kContinuePatience{250};

}  // namespace

bool Conversation::may_read_body() const {
    return !request_complete_ && !over_ && !queued() && exchange_->body_backlog.load() < pool_.window();
}

Conversation::Clock::time_point Conversation::continue_due() const {
    const bool expected = r_->expecting_100 && !head_set_ && may_read_body();
    return expected ? quiet_since() + kContinuePatience : Clock::time_point::max();
}

std::optional<int> Conversation::send_request_body() {
    client_blocks_ = false;
    if (Clock::now() >= continue_due())
        send_continue(r_);
    std::vector<std::byte> bytes;
    bool fin = false;
    // httpd reads some kilobytes at a time; each hand-over may wake the pool, and makes a frame.
    while (!fin && !client_blocks_ && bytes.size() < kHandOver) {
        const auto status = read_body(bytes, fin);
        if (status == APR_SUCCESS)
            continue;
        // Never a FIN: what was cut off must not look complete to the worker.
        give_up();
        const int code = ap_map_http_request_error(status, HTTP_BAD_REQUEST);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r_, "the request body broke off; the worker was told");
        return committed_ ? abort_response("request-body", nullptr) : code;
    }
    if (bytes.empty() && !fin)
        return std::nullopt;
    r_->expecting_100 = 0;  // it did not wait for it
    acted_at_ = Clock::now();
    request_complete_ = fin;
    exchange_->body_backlog.fetch_add(bytes.size());
    auto trailers = fin ? make_request_trailers(r_) : std::nullopt;
    if (trailers && !router::WorkerLink::takes(*trailers)) {
        give_up();
        return committed_ ? abort_response("request-trailers", nullptr)
                          : error(HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "request-trailers",
                                  "the request's trailers are larger than a session allows");
    }
    pool_.body(exchange_, std::move(bytes), fin, std::move(trailers));
    return std::nullopt;
}

apr_status_t Conversation::read_body(std::vector<std::byte>& bytes, bool& fin) {
    if (!in_)
        in_ = apr_brigade_create(r_->pool, r_->connection->bucket_alloc);
    // Not blocking: the response may flow while the client still sends.
    const auto status = ap_get_brigade(r_->input_filters, in_, AP_MODE_READBYTES, APR_NONBLOCK_READ,
                                       static_cast<apr_off_t>(kHandOver - bytes.size()));
    if (APR_STATUS_IS_EAGAIN(status)) {
        client_blocks_ = true;
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS)
        return status;
    const auto before = bytes.size();
    if (before != 0)
        bytes.reserve(kHandOver + kOneRead);  // more than one read: likely as much as we take
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(in_); bucket != APR_BRIGADE_SENTINEL(in_) && !fin;
         bucket = APR_BUCKET_NEXT(bucket)) {
        fin = APR_BUCKET_IS_EOS(bucket);
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        const char* data = nullptr;
        apr_size_t length = 0;
        if (const auto read = apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ); read != APR_SUCCESS)
            return read;
        const auto* const first = reinterpret_cast<const std::byte*>(data);
        bytes.insert(bytes.end(), first, first + length);
    }
    apr_brigade_cleanup(in_);
    client_blocks_ = !fin && bytes.size() == before;
    return APR_SUCCESS;
}

}  // namespace zmqspdy::glue
