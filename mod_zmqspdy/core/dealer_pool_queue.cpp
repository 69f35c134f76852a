// The pool's queue: who waits, who is next, and which worker gets it.
#include <sys/eventfd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "mod_zmqspdy/core/dealer_pool.hpp"

namespace zmqspdy::router {

namespace {

using Clock = std::chrono::steady_clock;

// While requests wait: how often to look for a worker even if nobody has rung.
constexpr std::chrono::milliseconds kQueueTick{50};
// How long a free place is left to another child whose request has waited longer. It may not be able to take it, and is
// then passed over: so many positions are remembered for that.
constexpr std::chrono::milliseconds kDeferral{10};
constexpr std::size_t kMostPassedOver = 64;

QueuePosition position_of(const Exchange& exchange) {
    return {exchange.head.priority, exchange.arrived, exchange.head.service};
}

}  // namespace

void DealerPool::enqueue(std::shared_ptr<Exchange> exchange) {
    const auto goes_before = [](const auto& one, const auto& other) {
        return std::tie(one->head.priority, one->arrived) < std::tie(other->head.priority, other->arrived);
    };
    const auto place = std::upper_bound(queue_.begin(), queue_.end(), exchange, goes_before);
    queue_.insert(place, std::move(exchange));
}

void DealerPool::dispatch_queue() {
    if (!queue_may_move_ || queue_.empty())
        return;
    queue_may_move_ = false;
    const auto now = Clock::now();
    next_look_ = now + kQueueTick;
    const bool was_waiting = !waiters_.empty();
    std::vector<std::string_view> moved;
    for (Deferral& deferral : deferrals_)
        deferral.goes_on = false;
    // Where one request of a service finds no worker, the next one of it will not either, unless it may use
    // one that the first has tried already.
    std::vector<std::pair<std::string_view, Shortage>> without_worker;
    const auto shortage_of = [&without_worker](std::string_view service) {
        return std::find_if(without_worker.begin(), without_worker.end(),
                            [service](const auto& known) { return known.first == service; });
    };
    std::deque<std::shared_ptr<Exchange>> still_waiting;
    auto queue = std::exchange(queue_, {});
    for (auto& exchange : queue) {
        const std::string_view service = exchange->head.service;
        const auto known = shortage_of(service);
        const bool hopeless = known != without_worker.end();
        if (hopeless)
            exchange->shortage.store(known->second, std::memory_order_relaxed);
        if (!hopeless && !defer_to_other_child(exchange) && dispatch(exchange)) {
            if (was_waiting && std::find(moved.begin(), moved.end(), service) == moved.end())
                moved.push_back(service);
            service_queues_.leave(service);
            continue;
        }
        if (exchange->pool.ended) {
            service_queues_.leave(service);
            continue;
        }
        if (exchange->pool.tried.empty() && exchange->pool.refused.empty() && !hopeless)
            without_worker.emplace_back(service, exchange->shortage.load(std::memory_order_relaxed));
        still_waiting.push_back(std::move(exchange));
    }
    // Dispatching itself may have sent some back: a link that failed at once.
    auto sent_back = std::exchange(queue_, std::move(still_waiting));
    for (auto& exchange : sent_back)
        enqueue(std::move(exchange));
    std::erase_if(deferrals_, [](const Deferral& deferral) { return !deferral.goes_on; });
    for (const Deferral& deferral : deferrals_)
        next_look_ = std::min(next_look_, deferral.until);
    publish_waiters();
    // What this child did not need of the places that were left to it.
    const auto has_some_left = [&](std::string_view service) {
        return shortage_of(service) == without_worker.end();
    };
    if (std::any_of(moved.begin(), moved.end(), has_some_left))
        wake_other_children();
}

bool DealerPool::defer_to_other_child(const std::shared_ptr<Exchange>& exchange) {
    const auto position = table_.first_before(options_.child, position_of(*exchange), passed_over_);
    const auto& service = exchange->head.service;
    const bool has_place =
        position && choose_worker(snapshot_, table_, service, [this, &exchange](const auto& candidate) {
            return may_use(candidate, *exchange);
        });
    if (!has_place) {
        std::erase_if(deferrals_,
                      [&service](const Deferral& deferral) { return deferral.to.is_for(service); });
        return false;
    }
    const auto now = Clock::now();
    const auto known =
        std::find_if(deferrals_.begin(), deferrals_.end(),
                     [&position](const Deferral& deferral) { return deferral.to == *position; });
    if (known == deferrals_.end()) {
        std::erase_if(deferrals_,
                      [&service](const Deferral& deferral) { return deferral.to.is_for(service); });
        deferrals_.push_back({*position, now + kDeferral});
        wake_other_children();
        return true;
    }
    if (now < known->until)
        return known->goes_on = true;
    deferrals_.erase(known);
    if (passed_over_.size() == kMostPassedOver)
        passed_over_.erase(passed_over_.begin());
    passed_over_.push_back(*position);
    return defer_to_other_child(exchange);
}

bool DealerPool::dispatch(const std::shared_ptr<Exchange>& exchange) {
    Shortage shortage;
    const auto eligible = [this, &exchange, &shortage](const Candidate& candidate) {
        const auto found = obstacle(candidate, *exchange);
        shortage.full += found == Obstacle::full ? 1 : 0;
        shortage.leaving += found == Obstacle::leaving ? 1 : 0;
        shortage.failing += found == Obstacle::failing ? 1 : 0;
        return found == Obstacle::none;
    };
    // Each round that fails puts its worker on the list of those to avoid, so this ends.
    while (const Candidate* const candidate = reserve_worker(snapshot_, table_, options_.child,
                                                             exchange->head.service, eligible, &shortage)) {
        exchange->heard_at.store(Clock::now());  // before the stage: who sees the one sees the other
        auto queued = Exchange::Stage::queued;
        if (!exchange->stage.compare_exchange_strong(queued, Exchange::Stage::sent)) {
            table_.release(candidate->slot, options_.child);
            exchange->pool.ended = true;
            return false;  // the request thread has given up meanwhile
        }
        if (start(exchange, *candidate)) {
            if (exchange->head.has_body && !exchange->pool.body_complete)
                notify_later(exchange);  // its thread waits for this before it reads the body
            return true;
        }
        exchange->stage.store(Exchange::Stage::queued);
        table_.release(candidate->slot, options_.child);
    }
    shortage.lost = exchange->pool.tried.size();
    exchange->shortage.store(shortage, std::memory_order_relaxed);
    return false;
}

bool DealerPool::start(const std::shared_ptr<Exchange>& exchange, const Candidate& candidate) {
    WorkerLink* const link = link_to(candidate);
    if (!link)
        return false;
    exchange->set_worker_name(candidate.record.name_view());
    ++exchange->pool.attempts;
    exchange->pool.tried.push_back({candidate.record.id, candidate.record.instance});
    if (link->open(exchange)) {
        ++in_flight_;
        return true;
    }
    --exchange->pool.attempts;
    exchange->pool.tried.pop_back();
    (void)outliers_.failed(candidate.record.id);
    return false;
}

DealerPool::Obstacle DealerPool::obstacle(const Candidate& candidate, const Exchange& exchange) const {
    const auto id = candidate.record.id;
    // A relayed worker has another id once another registry knows it, and still is the one that had the request.
    const auto& tried = exchange.pool.tried;
    if (std::any_of(tried.begin(), tried.end(), [&](const auto& one) {
            return one.worker == id || (one.instance != 0 && one.instance == candidate.record.instance);
        }))
        return Obstacle::had_it;
    const auto& refused = exchange.pool.refused;
    if (std::find(refused.begin(), refused.end(), id) != refused.end() &&
        Clock::now() < exchange.pool.refused_until)
        return Obstacle::full;
    if (const auto link = links_.find(id); link != links_.end()) {
        if (link->second->lost())
            return Obstacle::failing;
        return link->second->closing() ? Obstacle::leaving : Obstacle::none;
    }
    if (!outliers_.is_ejected(id))
        return Obstacle::none;
    return outliers_.has_left(id) ? Obstacle::leaving : Obstacle::failing;
}

void DealerPool::refuse_for_length(const std::shared_ptr<Exchange>& exchange, Failure failure) {
    // Nobody has looked for a worker for it: what the others of its service wait for, it would have waited for.
    const auto alike = std::find_if(
        queue_.begin(), queue_.end(),
        [&service = exchange->head.service](const auto& other) { return other->head.service == service; });
    if (alike != queue_.end())
        exchange->shortage.store((*alike)->shortage.load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
    fail(exchange, failure);
}

void DealerPool::publish_waiters() {
    std::vector<QueuePosition> waiters;
    std::vector<std::string_view> services;
    for (const auto& exchange : queue_) {
        const std::string_view service = exchange->head.service;
        if (waiters.size() == WorkerTable::kWaiters)
            break;
        if (std::find(services.begin(), services.end(), service) == services.end()) {
            services.push_back(service);
            waiters.push_back(position_of(*exchange));
        }
    }
    if (waiters != waiters_) {
        waiters_ = std::move(waiters);
        table_.publish_waiters(options_.child, waiters_);
    }
    if (waiting_ == queue_.empty()) {
        waiting_ = !queue_.empty();
        table_.set_waiting(options_.child, waiting_);
        // Whoever gave a place back before they could know of this did not ring.
        if (waiting_)
            next_look_ = Clock::now();
    }
}

void DealerPool::wake_other_children() const {
    if (options_.wakeup_fd >= 0 && table_.anyone_waiting_beside(options_.child))
        (void)eventfd_write(options_.wakeup_fd, 1);
}

std::chrono::milliseconds DealerPool::sleep_time() const {
    if (!queue_.empty()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_look_ - Clock::now());
        return std::clamp(left, std::chrono::milliseconds{0}, kQueueTick);
    }
    if (in_flight_ == 0)
        return std::chrono::milliseconds{-1};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min(next_beat_, ending_.next_look()) -
                                                                   Clock::now());
    return std::max(left, std::chrono::milliseconds{0});
}

}  // namespace zmqspdy::router
