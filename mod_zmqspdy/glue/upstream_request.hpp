// One request of a client, from its handler's thread: body to the worker, response to the client, and all
// that may go wrong in between.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mod_zmqspdy/core/dealer_pool.hpp"
#include "mod_zmqspdy/core/exchange.hpp"
#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"
#include "transport/file_descriptor.hpp"

namespace zmqspdy::glue {

/// Lives on the request thread's stack. Whatever way it ends, the exchange is over for the pool as well.
class UpstreamRequest {
  public:
    UpstreamRequest(request_rec* r, router::DealerPool& pool, const DirConfig& config,
                    router::RequestHead head);
    ~UpstreamRequest();
    UpstreamRequest(const UpstreamRequest&) = delete;
    UpstreamRequest& operator=(const UpstreamRequest&) = delete;

    /// Serves the request and returns what an httpd handler returns.
    int run();

  private:
    int forward();
    /// For the access log: who answered, or had the request last.
    void note_worker();
    using Clock = std::chrono::steady_clock;
    using Event = router::ResponseEvent;

    // Each of these returns the handler's result once the request is over.
    std::optional<int> take_events();
    std::optional<int> on(Event& event);
    std::optional<int> on_interim(const Event& event);
    std::optional<int> on_head(const Event& event);
    std::optional<int> on_data(Event& event);
    std::optional<int> on_trailers(const Event& event);
    std::optional<int> on_failed(const Event& event);
    std::optional<int> end_of_response();
    std::optional<int> pass_on(bool last);
    [[nodiscard]] apr_status_t pass_down();
    /// Asks for a worker: at once, or when a body of no more than ZmqSpdyRequestBuffer is here, so that a client that sends
    /// slowly holds no worker's place.
    std::optional<int> submit();
    std::optional<int> send_request_body();
    std::optional<int> on_deadline();
    /// Whether all of the request body is waited for before a worker is asked for.
    [[nodiscard]] bool wants_whole_body() const;
    /// Appends what is there of the request body, up to `most` bytes in all; not that and no end: client_blocks_.
    std::optional<int> read_body(std::vector<std::byte>& bytes, bool& fin, std::size_t most);
    [[nodiscard]] apr_status_t read_body_once(std::vector<std::byte>& bytes, bool& fin, std::size_t most);
    /// Those behind a body that has ended.
    std::optional<int> read_trailers(std::optional<spdy::HeaderBlock>& trailers);

    /// Waits; then either something may have happened, or this is the end.
    std::optional<int> wait_for_more();
    // These return whether something may have happened before the deadline.
    bool wait();
    bool wait_on_futex(Clock::time_point until);
    bool wait_on_descriptors(Clock::time_point until);
    bool wait_on_tick(Clock::time_point until);
    /// What becomes readable when the client sends something; -1 when there is nothing that does.
    [[nodiscard]] int client_descriptor() const;
    /// Judges what poll() says of the client's socket.
    void on_client(short revents);
    /// Before the response begins: afterwards nothing tells a client that half-closes from one that leaves.
    void look_for_half_close();
    void log_half_close();
    [[nodiscard]] bool something_to_do() const;
    [[nodiscard]] bool may_read_body() const;
    [[nodiscard]] Clock::time_point deadline() const;
    /// Since when neither the worker nor this thread has done anything for the other.
    [[nodiscard]] Clock::time_point quiet_since() const;
    /// The longest silence of the worker that is allowed now.
    [[nodiscard]] Clock::duration patience() const;
    /// When to tell a client that expects it to send its body, if the worker has not said so by then.
    [[nodiscard]] Clock::time_point continue_due() const;
    /// When to look at everything again although nothing has been heard.
    [[nodiscard]] Clock::time_point next_look() const;
    [[nodiscard]] bool queued() const;

    // `reason` is the word for the access log, `why` the sentence for the error log.
    int refuse_response(const char* why);
    int error(int status, const char* reason, const char* why);
    int abort_response(const char* reason, const char* why);
    /// 503: no worker was free, for `limit` to expire or the queue to be full.
    int no_worker_free(const char* limit);
    int client_left();
    /// An output filter returned `status` while the client is still there.
    int filter_failed(apr_status_t status);
    /// What has gone out is not what the worker has to say: mod_cache must not keep it.
    void forbid_caching();
    void give_up();
    [[nodiscard]] const char* worker() const;

    request_rec* r_;
    router::DealerPool& pool_;
    const DirConfig& config_;
    std::shared_ptr<router::Exchange> exchange_;
    apr_bucket_brigade* out_;
    apr_bucket_brigade* in_ = nullptr;
    apr_socket_t* client_;  ///< null where the request has no socket of its own (HTTP/2)
    transport::FileDescriptor event_fd_;

    /// When the worker last got something from here: of the body, or room for more of the response. The time that the
    /// client takes to read, while this thread is blocked in httpd's output, is not the worker's.
    Clock::time_point acted_at_;
    const Clock::time_point end_;  ///< ZmqSpdyRequestTimeout
    bool submitted_ = false;       ///< the pool has the exchange
    bool over_ = false;            ///< the pool knows that nothing more is wanted
    bool head_set_ = false;        ///< r_ holds the worker's status and headers
    bool committed_ = false;       ///< something has gone down the filters: no error page any more
    bool bodiless_ = false;        ///< HEAD, 204, 304
    std::optional<std::uint64_t> length_left_;
    bool held_for_range_ = false;  ///< passed on when it is complete, for httpd to take a part of it
    std::size_t trailer_lines_ = 0;
    std::size_t unreported_ = 0;    ///< response bytes the client has taken that the pool does not know of
    bool request_complete_ = true;  ///< the last byte of the request body has been handed over
    bool wait_logged_ = false;
    bool client_blocks_ = false;  ///< the client has sent nothing to read
    ap_filter_t* unread_body_ = nullptr;
    bool half_closed_ = false;  ///< the client sends no more, but may wait for the response
};

}  // namespace zmqspdy::glue
