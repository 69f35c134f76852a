// One request and its response, handed between the request's own thread and the dealer pool's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "mod_zmqspdy/core/read_ahead.hpp"
#include "mod_zmqspdy/core/shortage.hpp"
#include "mod_zmqspdy/core/worker_table.hpp"
#include "transport/growing_queue.hpp"
#include "transport/parker.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::router {

/// What the request thread decides before it submits an exchange.
struct RequestHead {
    spdy::HeaderBlock headers;
    std::string service;
    spdy::Priority priority = spdy::kDefaultPriority;
    bool has_body = false;    ///< body() will be called until its `fin`
    bool idempotent = false;  ///< RFC 9110 section 9.2.2: may be sent again when a worker dies over it
    unsigned retries = 2;     ///< how many more workers may be tried
    /// Bytes of the request body that are kept until the response begins, in case another worker must take over; with
    /// more it cannot be sent again.
    std::size_t replay_limit = std::size_t{64} * 1024;
    /// Bytes of the response that may be here before the client has read them, if the rest of it fits: see ReadAhead.
    std::size_t response_buffer = 0;
};

/// Why an exchange ended without the worker's FIN.
enum class Failure : std::uint8_t {
    none,
    worker_lost,     ///< the worker died, hung or left while it had the request
    worker_reset,    ///< the worker gave the stream up (RST_STREAM)
    protocol,        ///< the worker broke SPDY
    excess,          ///< the worker sent more interim responses or trailers than WorkerLink::kMaxFieldBytes
    no_worker_left,  ///< it may be sent again, but ran out of retries
    queue_full,      ///< ZmqSpdyQueueLength requests wait already
    service_queue_full,  ///< ZmqSpdyServiceQueueLength requests of its service wait already, over all children
    shutting_down,       ///< this child ends
    overstayed,  ///< this child is to end, and has waited for it as long as ZmqSpdyGracefulTimeout says
};

/// One thing that happened to the response, in order.
struct ResponseEvent {
    enum class Kind : std::uint8_t {
        interim,   ///< `headers`: a 1xx
        head,      ///< `headers`: the final status
        data,      ///< `payload`, a view into `message`, or into `copy` when that is null
        trailers,  ///< `headers`
        end,       ///< nothing but the end
        failed,    ///< `failure`: nothing more will come
    };
    Kind kind = Kind::end;
    bool fin = false;  ///< the response is complete; with any kind but interim and failed
    /// The next event comes at once, from the same message: what belongs together can be passed on together.
    bool followed = false;
    Failure failure = Failure::none;
    spdy::ResetCode code = spdy::ResetCode::cancel;  ///< with worker_reset
    spdy::HeaderBlock headers;
    spdy::Bytes payload;
    std::shared_ptr<const zmq::message_t> message;
    std::vector<std::byte> copy;
    std::unique_ptr<ResponseEvent> next;
};

class WorkerLink;

/// Shared by the two threads. Members say which side may touch them.
class Exchange {
  public:
    explicit Exchange(RequestHead request) : head{std::move(request)} {}

    /// Written before submission, read-only afterwards, but for `headers`, which the pool drops once they
    /// cannot be needed again.
    RequestHead head;

    enum class Stage : std::uint8_t {
        queued,     ///< no worker has it
        sent,       ///< a worker has it, or may have
        abandoned,  ///< the request thread gave up while it was queued
    };
    std::atomic<Stage> stage{Stage::queued};
    /// Its place among those that wait, also when it comes back into the queue. Written before submission.
    std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
    /// When it was queued last: at submission, or when a worker was lost over it. The wait for a worker counts from here.
    std::atomic<std::chrono::steady_clock::time_point> queued_since{arrived};
    /// When its worker took it, or last did something for it: sent a frame of its stream, or made room for the request's
    /// body. The pool stamps it as it happens, since the request thread may be late to look.
    std::atomic<std::chrono::steady_clock::time_point> heard_at{arrived};

    /// While it is queued: why, as the pool saw it last. Read by the request thread.
    std::atomic<Shortage> shortage{Shortage{}};

    /// Request thread: gives up an exchange that still waits for a worker. False when a worker has it
    /// already.
    [[nodiscard]] bool abandon() noexcept {
        auto expected = Stage::queued;
        return stage.compare_exchange_strong(expected, Stage::abandoned);
    }

    // To the request thread.
    transport::GrowingQueue<ResponseEvent> inbox;
    transport::Parker parker;
    /// Bytes of the request body handed to the pool and not yet taken by the session.
    std::atomic<std::size_t> body_backlog{0};

    /// What the pool's thread alone touches.
    struct PoolSide {
        WorkerLink* link = nullptr;
        spdy::StreamId stream = 0;
        std::vector<std::byte> unsent;              ///< body that the windows do not let through yet
        std::size_t unsent_from = 0;                ///< how much of `unsent` has gone
        bool body_complete = false;                 ///< the last byte has been handed over
        std::optional<spdy::HeaderBlock> trailers;  ///< to be sent behind the body
        bool fin_sent = false;
        std::vector<std::byte> replay;  ///< body sent so far, in case it must be sent again
        bool replayable = true;         ///< `replay` holds all of it
        bool taken = false;             ///< the worker has said something about it, and no longer refuses it
        bool answered = false;          ///< the head of the response has been seen
        bool ended = false;             ///< the last event is in the inbox
        ReadAhead read_ahead;
        std::size_t field_bytes = 0;  ///< of HEADERS, as WorkerLink::kMaxFieldBytes counts them
        bool to_notify = false;
        unsigned attempts = 0;
        struct Tried {
            WorkerId worker;
            std::uint64_t instance;  ///< WorkerRecord's
        };
        std::vector<Tried> tried;       ///< had it and were lost or gave it up: never again
        std::vector<WorkerId> refused;  ///< had no room for it: not before refused_until
        std::chrono::steady_clock::time_point refused_until;
    } pool;

    /// Name of the worker that has it, or had it last; empty before any had. Any thread.
    [[nodiscard]] std::string worker_name() const {
        const std::lock_guard lock(worker_name_mutex_);
        return worker_name_;
    }
    void set_worker_name(std::string_view name) {
        const std::lock_guard lock(worker_name_mutex_);
        worker_name_ = name;
    }

  private:
    mutable std::mutex worker_name_mutex_;
    std::string worker_name_;
};

}  // namespace zmqspdy::router
