// What an upstream request waits for, and how long.
#include <apr_portable.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "mod_zmqspdy/glue/half_close.hpp"
#include "mod_zmqspdy/glue/response_headers.hpp"
#include "mod_zmqspdy/glue/upstream_request.hpp"

namespace zmqspdy::glue {

namespace {

// Answers that come within this time cost no more than a futex; only then is the client watched as well.
constexpr std::chrono::milliseconds kFastAnswer{50};
// Where the client cannot be polled: how soon to ask httpd for more of its body, longer each time that nothing has come.
constexpr std::chrono::milliseconds kFirstReadTick{1};
constexpr std::chrono::milliseconds kLastReadTick{20};
// On HTTP/2: how often to ask whether the stream still is there, unless the pipe of its input tells.
constexpr std::chrono::milliseconds kAbortTick{100};
// While the request waits for a worker, nobody wakes its thread when one takes it: it looks again when that worker's time
// could be over, but no more often than this.
constexpr std::chrono::milliseconds kQueueLook{10};
// While a client sends nothing: how often to ask httpd's input filters again, some of which keep time (mod_reqtimeout).
constexpr std::chrono::milliseconds kReadAgain{500};

/// Readable when mod_http2 has something of the request's body, its end, or the end of the stream; -1 where there is no such
/// thing: a request without a body, or an older httpd.
int input_pipe(conn_rec* connection) {
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 129)
    apr_pollfd_t input{};
    apr_os_file_t pipe = -1;
    if (ap_get_pollfd_from_conn(connection, &input, nullptr) == APR_SUCCESS &&
        input.desc_type == APR_POLL_FILE && apr_os_file_get(&pipe, input.desc.f) == APR_SUCCESS)
        return pipe;
#else
    (void)connection;
#endif
    return -1;
}

/// Takes what `pipe`, which is readable, has said so far; what it was about is looked at afterwards.
void drain(int pipe) {
    std::array<char, 512> signals;
    (void)!read(pipe, signals.data(), signals.size());
}

}  // namespace

bool UpstreamRequest::queued() const {
    return submitted_ && exchange_->stage.load() == router::Exchange::Stage::queued;
}

bool UpstreamRequest::something_to_do() const {
    return !exchange_->inbox.empty() || (!client_blocks_ && may_read_body());
}

UpstreamRequest::Clock::time_point UpstreamRequest::deadline() const {
    if (queued())
        return std::min(end_, exchange_->queued_since.load() + config_.get<setting::QueueTimeout>());
    if (client_blocks_)  // it is its turn: the worker may be waiting for it as well
        return std::min(end_, quiet_since() + std::chrono::microseconds(r_->server->timeout));
    return std::min(end_, quiet_since() + patience());
}

UpstreamRequest::Clock::time_point UpstreamRequest::quiet_since() const {
    return std::max(acted_at_, exchange_->heard_at.load());
}

UpstreamRequest::Clock::duration UpstreamRequest::patience() const {
    const auto silence = config_.get<setting::Timeout>();
    return head_set_ ? silence : config_.given<setting::FirstByteTimeout>().value_or(silence);
}

UpstreamRequest::Clock::time_point UpstreamRequest::next_look() const {
    auto next = std::min(deadline(), continue_due());
    if (client_blocks_ && may_read_body())
        next = std::min(next, Clock::now() + kReadAgain);
    if (queued())
        next = std::min(next, Clock::now() + std::max<Clock::duration>(patience(), kQueueLook));
    return next;
}

bool UpstreamRequest::wait() {
    const bool read_client = client_blocks_ && may_read_body();
    if (!read_client && wait_on_futex(std::min(next_look(), Clock::now() + kFastAnswer)))
        return true;
    if (queued() && !std::exchange(wait_logged_, true))
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "%s: no worker is free; the request waits", r_->uri);
    return wait_on_descriptors(next_look()) || Clock::now() < deadline();
}

bool UpstreamRequest::wait_on_futex(Clock::time_point until) {
    const auto ready = [this] { return something_to_do(); };
    // Only for the beginning of a response: a stream would spin all the time, and pass on less at once.
    if (request_complete_ && !head_set_)
        return pool_.adaptive_wait().wait_until(exchange_->parker, until, ready);
    return exchange_->parker.wait_until(until, ready);
}

int UpstreamRequest::client_descriptor() const {
    if (!client_)
        return input_pipe(r_->connection);
    apr_os_sock_t socket = -1;
    apr_os_sock_get(&socket, client_);
    return socket;
}

bool UpstreamRequest::wait_on_tick(Clock::time_point until) {
    Clock::duration tick = kAbortTick;
    if (client_blocks_ && may_read_body()) {
        tick = std::clamp<Clock::duration>(Clock::now() - acted_at_, kFirstReadTick, kLastReadTick);
    }
    return exchange_->parker.wait_until(std::min(until, Clock::now() + tick),
                                        [this] { return something_to_do(); });
}

bool UpstreamRequest::wait_on_descriptors(Clock::time_point until) {
    const int client = client_descriptor();
    if (client >= 0 && !event_fd_)
        event_fd_ = transport::FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (client < 0 || !event_fd_)  // nothing to poll, or this process is out of descriptors
        return wait_on_tick(until);
    exchange_->parker.prepare(event_fd_.get());
    const bool read_client = client_blocks_ && may_read_body();
    const bool worker_spoke = something_to_do();
    // A pipe says that its stream has ended a moment before the connection does.
    if (!client_ && !read_client)
        until = std::min(until, Clock::now() + kAbortTick);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int timeout = worker_spoke ? 0 : static_cast<int>(std::clamp<decltype(left)>(left, 0, 60000));
    const short leaves = client_ && !half_closed_ ? POLLRDHUP : 0;
    const short speaks = !client_ || read_client ? POLLIN : 0;
    std::array<pollfd, 2> descriptors{
        {{event_fd_.get(), POLLIN, 0}, {client, static_cast<short>(leaves | speaks), 0}}};
    const int ready = poll(descriptors.data(), descriptors.size(), timeout);
    exchange_->parker.awake();
    if (ready <= 0)
        return worker_spoke;
    if (!client_ && descriptors[1].revents != 0)
        drain(client);
    // While its request body is still being read, reading tells.
    if (client_ && !read_client)
        on_client(descriptors[1].revents);
    return true;
}

void UpstreamRequest::on_client(short revents) {
    const bool reset = (revents & (POLLHUP | POLLERR)) != 0;
    if (!reset && (revents & POLLRDHUP) == 0)
        return;
    half_closed_ = !reset && (!config_.get<setting::AbortOnClose>() || send_early_byte(r_));
    if (half_closed_)
        log_half_close();
    else
        r_->connection->aborted = 1;
}

void UpstreamRequest::log_half_close() {
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r_, "%s: the client closed its sending side; it may still wait",
                  r_->uri);
}

void UpstreamRequest::look_for_half_close() {
    if (!client_ || half_closed_)
        return;
    apr_os_sock_t socket = -1;
    apr_os_sock_get(&socket, client_);
    pollfd descriptor{socket, POLLRDHUP, 0};
    half_closed_ = poll(&descriptor, 1, 0) == 1 && descriptor.revents == POLLRDHUP;
    if (half_closed_)
        log_half_close();
}

std::optional<int> UpstreamRequest::on_deadline() {
    const bool out_of_time = Clock::now() >= end_;
    if (queued()) {
        if (!exchange_->abandon())
            return std::nullopt;  // a worker took it at the last moment
        return no_worker_free(out_of_time ? "ZmqSpdyRequestTimeout" : "ZmqSpdyQueueTimeout");
    }
    if (Clock::now() < deadline())
        return std::nullopt;  // the same: its time has just begun
    if (client_blocks_ && (!out_of_time || !submitted_)) {
        give_up();
        return committed_ ? abort_response("request-body", nullptr)
                          : error(HTTP_REQUEST_TIME_OUT, "request-body",
                                  "the client stopped sending the request body");
    }
    const char* const what = out_of_time ? "had not finished within ZmqSpdyRequestTimeout"
                             : head_set_ ? "was silent for longer than ZmqSpdyTimeout"
                             : config_.given<setting::FirstByteTimeout>()
                                 ? "did not answer within ZmqSpdyFirstByteTimeout"
                                 : "did not answer within ZmqSpdyTimeout";
    const char* const reason = out_of_time ? "request-timeout" : head_set_ ? "timeout" : "first-byte-timeout";
    give_up();
    if (committed_)
        return abort_response(reason, what);
    clear_response_head(r_);
    return error(HTTP_GATEWAY_TIME_OUT, reason, apr_psprintf(r_->pool, "worker '%s' %s", worker(), what));
}

}  // namespace zmqspdy::glue
