// An upstream request's response: the worker's events become brigades.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/glue/message_bucket.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"
#include "mod_zmqspdy/glue/unread_body.hpp"
#include "mod_zmqspdy/glue/upstream_request.hpp"

namespace zmqspdy::glue {

namespace {

// httpd makes a part of a response only if it gets all of it at once. A short one that a client wants a part of waits for
// that, or its worker's pace would decide what comes of it.
constexpr std::size_t kRangedWhole = std::size_t{64} * 1024;

}  // namespace

std::optional<int> UpstreamRequest::take_events() {
    auto list = exchange_->inbox.take_all();
    bool followed = false;
    while (list) {
        followed = list->followed;
        if (auto result = on(*list)) {
            transport::MpscQueue<Event>::discard(std::move(list));
            return result;
        }
        list = std::move(list->next);
    }
    if (APR_BRIGADE_EMPTY(out_) || followed || held_for_range_)
        return std::nullopt;
    return pass_on(false);
}

std::optional<int> UpstreamRequest::on(Event& event) {
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
            if (auto result = on_trailers(event))
                return result;
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

std::optional<int> UpstreamRequest::on_interim(const Event& event) {
    const auto checked = router::check_response(event.headers, field_limits(r_));
    if (const auto* wrong = std::get_if<std::string>(&checked))
        return refuse_response(wrong->c_str());
    const auto& head = std::get<router::ResponseHead>(checked);
    if (head.status >= 200)
        return refuse_response("a final status came as an interim response");
    // The worker wants the body; a client that sends it already needs no word about it.
    if (head.status == HTTP_CONTINUE) {
        if (r_->expecting_100)
            send_continue(r_);
        return std::nullopt;
    }
    send_interim_response(r_, event.headers, head);
    return std::nullopt;
}

std::optional<int> UpstreamRequest::on_head(const Event& event) {
    note_worker();
    const auto checked = router::check_response(event.headers, field_limits(r_));
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
    held_for_range_ = head.status == HTTP_OK && r_->method_number == M_GET && !r_->main &&
                      apr_table_get(r_->headers_in, "Range") &&
                      length_left_.value_or(SIZE_MAX) <= std::min<std::size_t>(kRangedWhole, pool_.window());
    if (held_for_range_)
        return std::nullopt;
    // The headers themselves must not wait for the first byte of the body, but go with it where it is here.
    if (!event.fin && !event.followed && !event.next && exchange_->inbox.empty())
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(out_->bucket_alloc));
    return std::nullopt;
}

std::optional<int> UpstreamRequest::on_data(Event& event) {
    if (length_left_) {
        if (event.payload.size() > *length_left_) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r_,
                          "worker '%s' sent more than the Content-Length it announced; the rest is cut off",
                          worker());
            forbid_caching();
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

std::optional<int> UpstreamRequest::on_trailers(const Event& event) {
    const bool first = trailer_lines_ == 0;
    if (const auto wrong = router::check_trailers(event.headers, field_limits(r_), trailer_lines_))
        return refuse_response(wrong->c_str());
    if (event.headers.empty() || !set_trailers(r_, event.headers, first) || committed_)
        return std::nullopt;
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(out_->bucket_alloc));
    return pass_on(false);
}

std::optional<int> UpstreamRequest::end_of_response() {
    if (!bodiless_ && length_left_.value_or(0) != 0)
        return abort_response("bad-response", "sent less than the Content-Length it announced");
    APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_eos_create(out_->bucket_alloc));
    if (auto result = pass_on(true))
        return result;
    if (!request_complete_)
        flush_connection(r_);
    return OK;
}

apr_status_t UpstreamRequest::pass_down() {
    if (!request_complete_ && !unread_body_)
        unread_body_ = add_unread_body_filter(r_);
    const UnreadBody rest(request_complete_ ? nullptr : unread_body_);
    const auto status = ap_pass_brigade(r_->output_filters, out_);
    apr_brigade_cleanup(out_);
    return status;
}

int UpstreamRequest::filter_failed(apr_status_t status) {
    ap_log_rerror(APLOG_MARK, APLOG_INFO, status == AP_FILTER_ERROR ? APR_SUCCESS : status, r_,
                  "%s: an output filter of httpd refused the response of worker '%s'", r_->uri, worker());
    const bool answered = status == AP_FILTER_ERROR || has_error_page(r_);
    if (!answered && page_of(r_)->sent_bodyct)
        return abort_response("filter", nullptr);
    give_up();
    note_reason(r_, "filter");
    if (answered)
        return AP_FILTER_ERROR;
    clear_response_head(r_);
    return HTTP_INTERNAL_SERVER_ERROR;
}

std::optional<int> UpstreamRequest::pass_on(bool last) {
    if (!head_set_)
        return std::nullopt;
    // No further frame waits: what is here must reach the client now.
    if (!last && exchange_->inbox.empty() && !APR_BUCKET_IS_FLUSH(APR_BRIGADE_LAST(out_)))
        APR_BRIGADE_INSERT_TAIL(out_, apr_bucket_flush_create(out_->bucket_alloc));
    // What is written now shows whether anybody is there. A response that is complete needs no look.
    if (!std::exchange(committed_, true) && !last)
        look_for_half_close();
    const auto status = pass_down();
    // mod_http2 calls the connection of a stream aborted as soon as its client, which has all of it, has closed.
    const bool all_taken = last && status == APR_SUCCESS;
    if (r_->connection->aborted && !all_taken)
        return client_left();
    if (status != APR_SUCCESS)
        return filter_failed(status);
    if (!last && r_->eos_sent) {
        // A filter has ended the response by itself; what the worker still sends has no place in it.
        give_up();
        return OK;
    }
    acted_at_ = Clock::now();
    // The session tells the worker of no less than half a window.
    if (!over_ && unreported_ >= pool_.window() / 2)
        pool_.consumed(exchange_, std::exchange(unreported_, 0));
    return std::nullopt;
}

}  // namespace zmqspdy::glue
