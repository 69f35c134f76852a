// The threads that handlers run on.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "transport/parker.hpp"
#include "worker/application.hpp"
#include "worker/request_context.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy::serving {

/// A request and all that is needed to answer it. On the heap, so that a streamed response may refer to the
/// request.
struct Job {
    Request request;
    std::shared_ptr<RequestContext> context;
    Task task;
    std::optional<Response> response;  ///< from a handler that ran already, but not yet delivered
    std::optional<Request> known =
        std::nullopt;  ///< the same request, for the time when the handler has moved its own away
};

/// Threads are made when all others are busy, up to a limit, and stay. Of the idle ones the last to become so
/// is woken, whose caches are warm. One is woken at a time and wakes the next if there is work left: when
/// jobs are short the first one does most of them, and few wake-ups are paid for. The more urgent jobs go first
/// (Request::priority()), equals in the order they came. A thread that a job ends (pthread_exit) is replaced. While the system
/// has no threads to give, jobs wait.
///
/// The threads share what they need, `run` included, so that those whose jobs do not end can be left to themselves.
class HandlerPool {
  public:
    using Clock = std::chrono::steady_clock;

    HandlerPool(std::size_t most_threads, std::function<void(Job&)> run);
    /// Waits until all jobs are done, unless end() was called.
    ~HandlerPool();
    HandlerPool(const HandlerPool&) = delete;
    HandlerPool& operator=(const HandlerPool&) = delete;

    /// Takes all of `jobs`.
    void submit(std::vector<std::unique_ptr<Job>>& jobs);
    /// When to try again to get a thread, with retry(); never, unless jobs wait for one that could not be had.
    [[nodiscard]] Clock::time_point retry_at() const noexcept;
    void retry();
    /// Drops what no thread has begun and waits for the others until `deadline`. Returns how many threads are still busy
    /// then: they are left to themselves, and end when their jobs do.
    [[nodiscard]] std::size_t end(Clock::time_point deadline);

  private:
    class Crew;
    std::shared_ptr<Crew> crew_;
};

}  // namespace zmqspdy::serving
