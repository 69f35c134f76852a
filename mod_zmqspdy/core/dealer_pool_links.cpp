// The pool's links: made, flushed, watched over, and what they report.
#include "mod_zmqspdy/core/dealer_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace zmqspdy::router {

namespace {

using Clock = std::chrono::steady_clock;

// One line for each leave is the registry's to write; of ours only what keeps happening is news: a worker that is still
// announced while sessions with it fail.
constexpr unsigned kNewsworthyFailures = 3;

std::string quoted_name(const WorkerRecord& worker) {
    return "worker '" + std::string(worker.name_view()) + "'";
}
// How long a worker that had no room for a request is left alone with it.
constexpr std::chrono::milliseconds kRefusalPause{20};

}  // namespace

WorkerLink* DealerPool::link_to(const Candidate& candidate) {
    const auto id = candidate.record.id;
    if (const auto found = links_.find(id); found != links_.end())
        return found->second.get();
    try {
        LinkOptions options{.window = options_.window,
                            .compression = options_.compression,
                            .relay_endpoint = options_.relay_endpoint,
                            .memory = memory_,
                            .number = ++link_count_};
        WorkerLink::Owner& owner = *this;  // the base is private: only we may give it away
        auto link = std::make_unique<WorkerLink>(owner, *context_, candidate, options);
        poller_.add(link->socket_fd(), make_token(Token::socket, id));
        poller_.add(link->monitor_fd(), make_token(Token::monitor, id));
        log_dials_.line("dials " + quoted_name(candidate.record));
        return links_.emplace(id, std::move(link)).first->second.get();
    } catch (const std::exception& error) {
        eject(candidate.record, quoted_name(candidate.record) + " cannot be dialled at " +
                                    std::string(candidate.record.endpoint_view()) + ": " + error.what());
        return nullptr;
    }
}

void DealerPool::flush_links() {
    // Sending may bring answers, and answers may make more to send; each link settles its own before it
    // returns.
    while (!dirty_.empty()) {
        for (WorkerLink* const link : std::exchange(dirty_, {})) {
            link->listed = false;
            if (!link->lost())
                link->drive_io();
            if (link->lost() || (link->closing() && link->streams() == 0))
                reap(*link);
        }
        // Once all that are lost are gone: a request must not be tried on the next of them.
        if (dirty_.empty())
            dispatch_queue();
    }
}

void DealerPool::reap(WorkerLink& link) {
    const auto id = link.worker().id;
    if (link.lost()) {
        if (link.connection_ended() && link.worker().relayed != 0)
            lose_relayed_links();
        eject(link.worker(), "lost " + quoted_name(link.worker()) + ": " + link.why_lost(), link.was_up());
        report_out_of_reach(link);
    } else if (link.worker_went_away()) {
        outliers_.went_away(id);
    }
    poller_.remove(link.socket_fd());
    poller_.remove(link.monitor_fd());
    std::erase(dirty_, &link);
    links_.erase(id);
}

void DealerPool::report_out_of_reach(const WorkerLink& link) {
    // Until then the registry would have missed a worker that is not there at all.
    const auto period = options_.heartbeat * transport::kMissedHeartbeats;
    const auto id = link.worker().id;
    if (link.worker().relayed == 0 && outliers_.is_out_of_reach(id, kNewsworthyFailures, period))
        table_.set_undialable(link.slot(), id);
}

void DealerPool::eject(const WorkerRecord& worker, const std::string& what, bool reached) {
    const auto [failures, pause] = outliers_.failed(worker.id, reached);
    if (failures != kNewsworthyFailures)
        return log_lost_.line(what);
    log_ejected_.line(what + "; it failed " + std::to_string(failures) +
                      " times in a row, and gets nothing for " + std::to_string(pause.count()) +
                      " ms, then longer with each failure, until a request succeeds");
}

void DealerPool::drop_links_of_departed_workers() {
    for (const auto& [id, link] : links_) {
        // What a worker that has left still owes us it may be about to finish; the end of its connection, or the
        // registry in its name, tells if not.
        if (!snapshot_.find(id) && link->streams() == 0)
            link->lose("it has left while idle");
    }
    outliers_.forget_all_but(snapshot_);
}

void DealerPool::lose_relayed_links() {
    for (const auto& [id, link] : links_) {
        if (link->worker().relayed == 0)
            continue;
        link->watch();  // it may have been up without our knowing it yet, and what it was sent have run
        if (!link->lost())
            link->end_connection();
    }
}

transport::LogBudget::Write DealerPool::at(LogLevel level) const {
    return [log = log_, level](const std::string& line) { log(level, line); };
}

void DealerPool::beat(Clock::time_point now) {
    next_beat_ = now + options_.heartbeat;
    for (const auto& [id, link] : links_)
        link->beat(now, options_.heartbeat);
    for (auto* const budget : {&log_dials_, &log_lost_, &log_ejected_, &log_serves_again_})
        budget->settle(now);
    // The sockets of those that were given up are closed before anybody else gets their requests: a worker that was only
    // slow to take our connection must not get them as well.
    flush_links();
}

void DealerPool::end_overstayed() {
    std::size_t ended = 0;
    for (const auto& [id, link] : links_) {
        for (const auto& exchange : link->under_way()) {
            link->reset(exchange, spdy::ResetCode::cancel);
            release_slot(*link);
            fail(exchange, Failure::overstayed);
            ++ended;
        }
    }
    log_(LogLevel::notice, "this child is to end: it gave up " + std::to_string(ended) +
                               (ended == 1 ? " request that is" : " requests that are") +
                               " still at workers (ZmqSpdyGracefulTimeout)");
}

// WorkerLink::Owner

void DealerPool::deliver(const std::shared_ptr<Exchange>& exchange, std::unique_ptr<ResponseEvent> event) {
    if (event->copy.empty() || event->fin)
        exchange->inbox.push(std::move(event));
    else
        exchange->inbox.push_growing(std::move(event));
    notify_later(exchange);
}

void DealerPool::finished(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange) {
    exchange->pool.ended = true;
    if (outliers_.succeeded(link.worker().id) >= kNewsworthyFailures)
        log_serves_again_.line(quoted_name(link.worker()) + " serves again");
    release_slot(link);
}

void DealerPool::undelivered(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange,
                             WorkerLink::Undelivered how) {
    release_slot(link);
    auto& side = exchange->pool;
    const bool is_safe = how.failure == Failure::worker_lost && exchange->head.idempotent &&
                         side.replay.size() <= exchange->head.replay_limit;
    const bool may_repeat = !side.answered && side.replayable && how.failure != Failure::shutting_down &&
                            (how.unprocessed || is_safe);
    if (!may_repeat)
        return fail(exchange, how.failure, how.code);
    if (how.unprocessed) {
        // No attempt: the worker never saw it, and may have it again once it is back.
        side.tried.pop_back();
        --side.attempts;
        if (how.code == spdy::ResetCode::refused_stream) {
            // A full worker: the table's count lags behind its own while it cleans up after a request that was cancelled.
            // Others first, and this one again after a moment, for as long as the request may wait at all.
            if (Clock::now() >= side.refused_until)
                side.refused.clear();
            side.refused.push_back(link.worker().id);
            side.refused_until = Clock::now() + kRefusalPause;
        }
    } else if (side.attempts > exchange->head.retries) {
        return fail(exchange, Failure::no_worker_left);
    } else {
        exchange->queued_since.store(Clock::now());
    }
    // From the start: what was sent goes before what was not.
    side.unsent.erase(side.unsent.begin(),
                      side.unsent.begin() + static_cast<std::ptrdiff_t>(side.unsent_from));
    side.unsent.insert(side.unsent.begin(), side.replay.begin(), side.replay.end());
    side.unsent_from = 0;
    side.replay.clear();
    side.taken = false;
    side.fin_sent = false;
    exchange->stage.store(Exchange::Stage::queued);
    notify_later(exchange);  // another deadline holds now
    service_queues_.come_back(exchange->head.service);
    enqueue(exchange);
    queue_may_move_ = true;
}

void DealerPool::body_taken(const std::shared_ptr<Exchange>& exchange, std::size_t size) {
    // What is sent a second time was counted only once.
    const auto counted = std::min(size, exchange->body_backlog.load());
    const auto before = exchange->body_backlog.fetch_sub(counted);
    // The request thread waits when there is a window's worth; half a window of room is worth waking it for, once.
    const std::size_t half = options_.window / 2;
    if (before > half && before - counted <= half)
        notify_later(exchange);
}

void DealerPool::has_output(WorkerLink& link) {
    if (!std::exchange(link.listed, true))
        dirty_.push_back(&link);
}

void DealerPool::release_slot(const WorkerLink& link) {
    --in_flight_;
    table_.release(link.slot(), options_.child);
    if (!queue_.empty())
        queue_may_move_ = true;
    const auto mine = std::find_if(waiters_.begin(), waiters_.end(), [&link](QueuePosition position) {
        return position.is_for(link.worker().service_view());
    });
    if (mine == waiters_.end() || table_.first_before(options_.child, *mine, {}))
        wake_other_children();
}

void DealerPool::fail(const std::shared_ptr<Exchange>& exchange, Failure failure, spdy::ResetCode code) {
    if (std::exchange(exchange->pool.ended, true))
        return;
    auto event = std::make_unique<ResponseEvent>();
    event->kind = ResponseEvent::Kind::failed;
    event->failure = failure;
    event->code = code;
    deliver(exchange, std::move(event));
}

void DealerPool::notify_later(const std::shared_ptr<Exchange>& exchange) {
    if (!std::exchange(exchange->pool.to_notify, true))
        to_notify_.push_back(exchange);
}

}  // namespace zmqspdy::router
