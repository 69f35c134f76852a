// An upstream request's body, from httpd's input filters to the pool.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "mod_zmqspdy/core/worker_link.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/request_headers.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"
#include "mod_zmqspdy/glue/upstream_request.hpp"

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

bool UpstreamRequest::may_read_body() const {
    return !request_complete_ && !over_ && !queued() && exchange_->body_backlog.load() < pool_.window();
}

UpstreamRequest::Clock::time_point UpstreamRequest::continue_due() const {
    const bool expected = r_->expecting_100 && !head_set_ && may_read_body();
    return expected ? quiet_since() + kContinuePatience : Clock::time_point::max();
}

bool UpstreamRequest::wants_whole_body() const {
    // A client that waits for 100 Continue sends nothing before the worker has said what it thinks of the headers; and without
    // a length nobody knows how long the worker would have to do without what is here.
    const auto length = announced_length(r_);
    return !request_complete_ && !r_->expecting_100 && length &&
           static_cast<std::uint64_t>(*length) <= config_.get<setting::RequestBuffer>();
}

std::optional<int> UpstreamRequest::submit() {
    std::vector<std::byte> bytes;
    std::optional<spdy::HeaderBlock> trailers;
    bool fin = false;
    bool waited = false;
    if (wants_whole_body()) {
        // An input filter may make more of it (mod_deflate): that is passed on as it comes.
        const std::size_t most = config_.get<setting::RequestBuffer>();
        while (!fin && bytes.size() < most) {
            const auto before = bytes.size();
            if (auto result = read_body(bytes, fin, most))
                return result;
            if (bytes.size() != before)
                acted_at_ = Clock::now();
            if (fin || !client_blocks_)
                continue;
            waited = true;
            if (auto result = wait_for_more())
                return result;
        }
        if (auto result = fin ? read_trailers(trailers) : std::nullopt)
            return result;
    }
    if (waited) {
        acted_at_ = Clock::now();
        exchange_->arrived = acted_at_;
        exchange_->queued_since.store(acted_at_);
    }
    request_complete_ = request_complete_ || fin;
    exchange_->body_backlog.fetch_add(bytes.size());
    submitted_ = true;
    if (fin) {
        pool_.submit(exchange_, std::move(bytes), std::move(trailers));
        return std::nullopt;
    }
    pool_.submit(exchange_);
    if (!bytes.empty())
        pool_.body(exchange_, std::move(bytes), false);
    return std::nullopt;
}

std::optional<int> UpstreamRequest::send_request_body() {
    if (Clock::now() >= continue_due())
        send_continue(r_);
    std::vector<std::byte> bytes;
    bool fin = false;
    if (auto result = read_body(bytes, fin, kHandOver))
        return result;
    if (bytes.empty() && !fin)
        return std::nullopt;
    r_->expecting_100 = 0;  // it did not wait for it
    acted_at_ = Clock::now();
    request_complete_ = fin;
    exchange_->body_backlog.fetch_add(bytes.size());
    std::optional<spdy::HeaderBlock> trailers;
    if (auto result = fin ? read_trailers(trailers) : std::nullopt)
        return result;
    pool_.body(exchange_, std::move(bytes), fin, std::move(trailers));
    return std::nullopt;
}

std::optional<int> UpstreamRequest::read_trailers(std::optional<spdy::HeaderBlock>& trailers) {
    trailers = make_request_trailers(r_);
    if (!trailers || router::WorkerLink::takes(*trailers))
        return std::nullopt;
    give_up();
    return committed_ ? abort_response("request-trailers", nullptr)
                      : error(HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "request-trailers",
                              "the request's trailers are larger than a session allows");
}

std::optional<int> UpstreamRequest::read_body(std::vector<std::byte>& bytes, bool& fin, std::size_t most) {
    client_blocks_ = false;
    // httpd reads some kilobytes at a time; each hand-over may wake the pool, and makes a frame.
    while (!fin && !client_blocks_ && bytes.size() < most) {
        const auto status = read_body_once(bytes, fin, most);
        if (status == APR_SUCCESS)
            continue;
        // Never a FIN: what was cut off must not look complete to the worker.
        give_up();
        note_reason(r_, "request-body");
        const int code = ap_map_http_request_error(status, HTTP_BAD_REQUEST);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r_, "the request body broke off%s",
                      submitted_ ? "; the worker was told" : "");
        return committed_ ? abort_response("request-body", nullptr) : code;
    }
    return std::nullopt;
}

apr_status_t UpstreamRequest::read_body_once(std::vector<std::byte>& bytes, bool& fin, std::size_t most) {
    if (!in_)
        in_ = apr_brigade_create(r_->pool, r_->connection->bucket_alloc);
    // Not blocking: the response may flow while the client still sends.
    const auto status = ap_get_brigade(r_->input_filters, in_, AP_MODE_READBYTES, APR_NONBLOCK_READ,
                                       static_cast<apr_off_t>(most - bytes.size()));
    if (APR_STATUS_IS_EAGAIN(status)) {
        client_blocks_ = true;
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS)
        return status;
    const auto before = bytes.size();
    if (before != 0)
        bytes.reserve(most + kOneRead);  // more than one read: likely as much as we take
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
