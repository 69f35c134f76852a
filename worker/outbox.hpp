// What other threads ask of the I/O thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "transport/doorbell.hpp"
#include "transport/mpsc_queue.hpp"
#include "zmqspdy/spdy/frame.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::serving {

class RequestContext;

/// The whole response: it leaves in one message as far as the window allows. Ends the request.
struct SendResponse {
    spdy::HeaderBlock headers;
    std::string body;
    std::optional<spdy::HeaderBlock> trailers;
};
/// A 1xx response; nothing when the response has begun.
struct SendInterim {
    spdy::HeaderBlock headers;
};
/// The response begins; WriteBody and EndResponse follow.
struct StartResponse {
    spdy::HeaderBlock headers;
};
struct WriteBody {
    std::string bytes;
};
/// The response is whole. Ends the request.
struct EndResponse {
    std::optional<spdy::HeaderBlock> trailers;
};
/// The response will not become whole, or there is none. Ends the request.
struct AbortResponse {
    spdy::ResetCode code;
};
/// The handler has dealt with so many bytes of the request's body.
struct BodyConsumed {
    std::size_t bytes;
};

struct Command {
    std::unique_ptr<Command> next;
    std::shared_ptr<RequestContext> context;
    std::variant<SendResponse, SendInterim, StartResponse, WriteBody, EndResponse, AbortResponse,
                 BodyConsumed>
        what;

    [[nodiscard]] bool ends_request() const noexcept {
        return std::holds_alternative<SendResponse>(what) || std::holds_alternative<EndResponse>(what) ||
               std::holds_alternative<AbortResponse>(what);
    }
};

/// post() from any thread; the rest from the I/O thread.
class Outbox {
  public:
    /// Does nothing once the outbox is closed.
    void post(std::unique_ptr<Command> command) noexcept {
        queue_.push(std::move(command));
        // A command keeps its context, which keeps this outbox: what nobody takes would keep all three for
        // ever.
        if (closed_.load(std::memory_order_seq_cst))
            Queue::discard(queue_.take_all());
        else
            doorbell_.ring();
    }

    [[nodiscard]] std::unique_ptr<Command> take_all() noexcept { return queue_.take_all(); }
    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
    [[nodiscard]] transport::Doorbell& doorbell() noexcept { return doorbell_; }

    void close() noexcept {
        closed_.store(true, std::memory_order_seq_cst);
        Queue::discard(queue_.take_all());
    }

  private:
    using Queue = transport::MpscQueue<Command>;

    Queue queue_;
    transport::Doorbell doorbell_;
    std::atomic<bool> closed_{false};
};

}  // namespace zmqspdy::serving
