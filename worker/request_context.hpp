// One request and its response, where the thread that handles it and the I/O thread meet.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <zmq.hpp>

#include "transport/growing_queue.hpp"
#include "transport/parker.hpp"
#include "worker/outbox.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy::serving {

class ChildSession;

/// Body bytes on their way to a handler: a piece of a message that is kept for it, or a copy.
struct BodyChunk {
    std::unique_ptr<BodyChunk> next;
    zmq::message_t message;  ///< keeps `bytes` alive
    std::string copy;        ///< or this does
    std::string_view bytes;
    bool last = false;
    std::optional<spdy::HeaderBlock> trailers;  ///< with the last
};

/// Shared by the I/O thread, the job, and the Request wherever the handler takes it.
class RequestContext final : public BodySource,
                             public Writer,
                             public std::enable_shared_from_this<RequestContext> {
  public:
    struct Traits {
        bool is_head = false;           ///< the response has no body
        bool has_body = false;          ///< the request has, or may have
        bool expects_continue = false;  ///< the client waits for a 100 before it sends it
        std::size_t body_window;        ///< of the stream
    };
    RequestContext(std::shared_ptr<Outbox> outbox, Traits traits, std::stop_token drain) noexcept
        : outbox_{std::move(outbox)},
          drain_{std::move(drain)},
          is_head_{traits.is_head},
          to_be_asked_for_{traits.has_body && traits.expects_continue},
          report_at_{traits.body_window / 2},
          body_ended_{!traits.has_body} {}

    // The handler's side. Body and writer may be two threads, each must be one.

    [[nodiscard]] std::string_view next() override;
    [[nodiscard]] bool cancelled() const noexcept override { return cancelled_.load(); }
    [[nodiscard]] bool sleep_for(std::chrono::milliseconds duration) override;
    [[nodiscard]] bool write(std::string_view chunk) override;
    void trailer(std::string_view name, std::string_view value) override;
    [[nodiscard]] std::stop_token stop_token() override;
    [[nodiscard]] std::stop_token drain_token() override { return drain_; }
    [[nodiscard]] bool draining() const noexcept override { return drain_.stop_requested(); }
    [[nodiscard]] Fields trailers() const override;
    void send_interim(int status, const Fields& fields) override;

    [[nodiscard]] bool is_head() const noexcept { return is_head_; }
    /// True for the first caller: the thread that calls the handler next, or the I/O thread, which gives the request back
    /// unprocessed.
    [[nodiscard]] bool claim() noexcept { return !claimed_.exchange(true); }
    /// Each request is ended exactly once, by one of answer(), finish() and break_off(), cancelled or not:
    /// that is what the capacity counts.
    void answer(spdy::HeaderBlock headers, std::string body,
                std::optional<spdy::HeaderBlock> trailers = std::nullopt) {
        post(SendResponse{std::move(headers), std::move(body), std::move(trailers)});
    }
    void begin(spdy::HeaderBlock headers);
    void finish() { post(EndResponse{std::move(own_trailers_)}); }
    void break_off(spdy::ResetCode code) { post(AbortResponse{code}); }

    // The I/O thread's side.

    struct Address {
        ChildSession* session = nullptr;  ///< null: nobody waits for the answer any more
        spdy::StreamId stream = 0;
    };
    Address address;

    void deliver(std::unique_ptr<BodyChunk> chunk) noexcept;
    /// Adds to the last chunk, if that is a copy which the handler has not taken yet: small pieces that wait for it must not
    /// cost a chunk each. False: deliver() another.
    [[nodiscard]] bool add_to_last(std::string_view bytes);
    /// Nobody waits for the answer any more.
    void cancel() noexcept;
    /// The rest of the body will not come.
    void stop_body() noexcept;
    /// So much of what was written is on its way; kWriteCost more for each WriteBody once its command is done.
    void sent(std::size_t bytes) noexcept;

    /// What a write costs beside its bytes until the I/O thread has taken it.
    static constexpr std::size_t kWriteCost = 256;
    /// What write() holds back at most, as that counts.
    static constexpr std::size_t kUnsentLimit = std::size_t{256} * 1024;

  private:
    void post(decltype(Command::what) what);
    void ask_for_body();

    std::shared_ptr<Outbox> outbox_;
    const std::stop_token drain_;  // the worker's
    std::atomic<bool> claimed_{false};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> body_stopped_{false};
    std::atomic<std::size_t> unsent_{0};
    transport::GrowingQueue<BodyChunk> inbox_;
    transport::Parker reader_;
    transport::Parker writer_;
    transport::Parker sleeper_;
    const bool is_head_;
    std::atomic<bool> to_be_asked_for_;  ///< nobody has told the client to send its body
    std::mutex stop_mutex_;
    bool stopped_ = false;
    std::stop_source stop_{std::nostopstate};  ///< made when somebody asks for a token

    // The writer's alone.
    std::optional<spdy::HeaderBlock> own_trailers_;

    // The reader's alone.
    /// Half the window: the session tells the peer of no less, so more words from us would change nothing.
    const std::size_t report_at_;
    bool body_ended_;
    std::size_t taken_ = 0;  ///< dealt with, and not reported yet
    std::unique_ptr<BodyChunk> current_;
    std::unique_ptr<BodyChunk> ready_;
    std::optional<spdy::HeaderBlock> trailers_;
};

}  // namespace zmqspdy::serving
