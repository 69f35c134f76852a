// The threads that handlers run on.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "transport/parking_spot.hpp"
#include "worker/exchange.hpp"
#include "worker/routes.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy::serving {

/// A request and all that is needed to answer it. On the heap, so that a streamed response may refer to the
/// request.
struct Job {
    Request request;
    std::shared_ptr<Exchange> exchange;
    const Route* route = nullptr;
    std::optional<Response> response;  ///< from a handler that ran already, but not yet delivered
};

/// Threads are made when all others are busy, up to a limit, and stay. Of the idle ones the last to become so
/// is woken, whose caches are warm. One is woken at a time and wakes the next if there is work left: when
/// jobs are short the first one does most of them, and few wake-ups are paid for. The more urgent jobs go first
/// (Request::priority()), equals in the order they came.
class HandlerPool {
  public:
    HandlerPool(std::size_t most_threads, std::function<void(Job&)> run);
    /// Waits until all jobs are done.
    ~HandlerPool();
    HandlerPool(const HandlerPool&) = delete;
    HandlerPool& operator=(const HandlerPool&) = delete;

    /// Takes all of `jobs`. Throws std::system_error when not even one thread can be had.
    void submit(std::vector<std::unique_ptr<Job>>& jobs);

  private:
    struct Member {
        std::thread thread;
        transport::ParkingSpot spot;
        std::atomic<bool> called{false};
    };

    void work(Member& self);
    [[nodiscard]] std::unique_ptr<Job> next_job();
    /// Chooses who has to look at the queue; with the mutex held. The caller notifies it when it has let go.
    [[nodiscard]] Member* call_next();

    const std::size_t most_threads_;
    const std::function<void(Job&)> run_;
    std::mutex mutex_;
    std::array<std::deque<std::unique_ptr<Job>>, 8> queues_;  ///< by priority
    std::size_t queued_ = 0;
    std::list<Member> members_;
    std::vector<Member*> idle_;
    bool calling_ = false;  ///< somebody was called and has not come yet
    bool stopping_ = false;
};

}  // namespace zmqspdy::serving
