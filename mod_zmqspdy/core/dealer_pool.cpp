#include "mod_zmqspdy/core/dealer_pool.hpp"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <utility>

#include "mod_zmqspdy/core/log_relay.hpp"

namespace zmqspdy::router {

namespace {

using Clock = std::chrono::steady_clock;

// httpd's signals are for its own threads.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

DealerPool::DealerPool(WorkerTable table, PoolOptions options, Log log)
    : table_{table},
      options_{std::move(options)},
      log_{std::move(log)},
      log_dials_{at(LogLevel::info)},
      log_lost_{at(LogLevel::info)},
      log_ejected_{at(LogLevel::warning)},
      log_serves_again_{at(LogLevel::notice)},
      snapshot_{options_.slow_start},
      service_queues_{table_, options_.child, options_.service_queue_length},
      ending_{options_.is_ending, options_.ending_limit},
      memory_{std::make_shared<MemoryBudget>(options_.response_memory)} {
    poller_.add(doorbell_.fd(), make_token(Token::doorbell));
    if (options_.wakeup_fd >= 0)
        poller_.add(options_.wakeup_fd, make_token(Token::wakeup));
    if (options_.log_fd >= 0)
        poller_.add(options_.log_fd, make_token(Token::log));
    thread_ = std::thread([this] { run(); });
}

DealerPool::~DealerPool() {
    if (thread_.joinable())
        (void)stop(std::chrono::hours(1));
}

void DealerPool::begin_stop() noexcept {
    stopping_.store(true);
    doorbell_.ring();
}

bool DealerPool::stop(std::chrono::milliseconds patience) noexcept {
    begin_stop();
    const bool ended = end_.wait_until(Clock::now() + patience, [this] { return ended_.load(); });
    if (thread_.joinable()) {
        if (ended)
            thread_.join();
        else
            thread_.detach();
    }
    return ended;
}

// Any thread.

void DealerPool::post(std::unique_ptr<Command> command) {
    commands_.push(std::move(command));
    doorbell_.ring();
    if (closed_.load())
        refuse_commands();
}

void DealerPool::refuse_commands() {
    // Their exchanges were never the pool's, so this touches nothing but what any thread may.
    for (auto list = commands_.take_all(); list; list = std::move(list->next)) {
        if (list->kind != Command::Kind::submit)
            continue;
        auto event = std::make_unique<ResponseEvent>();
        event->kind = ResponseEvent::Kind::failed;
        event->failure = Failure::shutting_down;
        list->exchange->inbox.push(std::move(event));
        list->exchange->parker.notify();
    }
}

void DealerPool::submit(std::shared_ptr<Exchange> exchange, std::optional<std::vector<std::byte>> whole_body,
                        std::optional<spdy::HeaderBlock> trailers) {
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::submit;
    command->exchange = std::move(exchange);
    if (whole_body) {
        command->bytes = std::move(*whole_body);
        command->fin = true;
        command->trailers = std::move(trailers);
    }
    post(std::move(command));
}

void DealerPool::body(std::shared_ptr<Exchange> exchange, std::vector<std::byte> bytes, bool fin,
                      std::optional<spdy::HeaderBlock> trailers) {
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::body;
    command->exchange = std::move(exchange);
    command->bytes = std::move(bytes);
    command->fin = fin;
    command->trailers = std::move(trailers);
    post(std::move(command));
}

void DealerPool::consumed(std::shared_ptr<Exchange> exchange, std::size_t size) {
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::consumed;
    command->exchange = std::move(exchange);
    command->size = size;
    post(std::move(command));
}

void DealerPool::cancel(std::shared_ptr<Exchange> exchange) {
    auto command = std::make_unique<Command>();
    command->kind = Command::Kind::cancel;
    command->exchange = std::move(exchange);
    post(std::move(command));
}

// The pool's thread.

void DealerPool::run() noexcept {
    try {
        block_signals();
        pthread_setname_np(pthread_self(), "zmqspdy-pool");
        context_.emplace(1);
        // Three sockets a link: the DEALER and both ends of its monitor.
        context_->set(zmq::ctxopt::max_sockets, static_cast<int>(table_.size().workers * 3 + 16));
        // libzmq opens what its threads need with the first socket, and aborts when it cannot: not in the middle of a crowd of
        // clients that has taken the descriptors.
        const zmq::socket_t first{*context_, zmq::socket_type::pair};
        next_beat_ = Clock::now() + options_.heartbeat;
        loop();
    } catch (const std::exception& error) {
        log_(LogLevel::error, std::string("the dealer pool of this child ended: ") + error.what() +
                                  "; its requests fail, and httpd has to replace the child");
        if (options_.on_broken)
            options_.on_broken();
    }
    stopping_.store(true);
    // Whatever is still here must hear of the end; what comes from here on is refused by who brings it.
    closed_.store(true);
    if (!commands_.empty())
        (void)take_commands();
    for (const auto& [id, link] : links_)
        link->lose("this child ends", Failure::shutting_down);
    for (const auto& exchange : std::exchange(queue_, {}))
        fail(exchange, Failure::shutting_down);
    for (const auto& exchange : std::exchange(to_notify_, {}))
        exchange->parker.notify();
    service_queues_.clear();
    publish_waiters();
    dirty_.clear();
    links_.clear();
    context_.reset();
    ended_.store(true);
    end_.notify();
}

void DealerPool::loop() {
    while (!stopping_.load()) {
        if (const auto now = Clock::now(); now >= next_beat_)
            beat(now);
        if (in_flight_ != 0 && ending_.is_over(Clock::now()))
            end_overstayed();
        refresh_snapshot();
        (void)take_commands();
        dispatch_queue();
        flush_links();
        for (const auto& exchange : to_notify_) {
            exchange->pool.to_notify = false;
            exchange->parker.notify();
        }
        to_notify_.clear();
        report_activity();

        doorbell_.about_to_sleep();
        const bool more = !commands_.empty() || !dirty_.empty() || stopping_.load();
        const auto events = poller_.wait(more ? std::chrono::milliseconds{0} : sleep_time());
        doorbell_.awake();
        for (const auto& event : events)
            serve(event);
        if (!queue_.empty() && Clock::now() >= next_look_)
            queue_may_move_ = true;
    }
    for (const auto& [id, link] : links_)
        link->end("this child ends");
}

void DealerPool::serve(const epoll_event& event) {
    const auto what = static_cast<Token>(event.data.u64 & ((1U << kTokenBits) - 1));
    if (what == Token::doorbell)
        return doorbell_.clear();
    if (what == Token::wakeup) {
        // Not read: it is shared with the other children, and edge-triggered.
        queue_may_move_ = true;
        return;
    }
    if (what == Token::log)
        return write_registry_log();
    const auto found = links_.find(event.data.u64 >> kTokenBits);
    if (found == links_.end())
        return;  // an event of a link that has gone meanwhile
    if (what == Token::monitor)
        found->second->watch();
    has_output(*found->second);
}

void DealerPool::write_registry_log() {
    // A child that only finishes what it has writes to files that may have been renamed.
    if (options_.watch->configuration.load() == options_.configuration)
        drain_log(options_.log_fd, log_);
}

bool DealerPool::take_commands() {
    auto list = commands_.take_all();
    const bool any = list != nullptr;
    while (list) {
        auto& exchange = list->exchange;
        switch (list->kind) {
            case Command::Kind::submit:
                if (list->fin)
                    on_body(*list);
                on_submit(std::move(exchange));
                break;
            case Command::Kind::body:
                on_body(*list);
                break;
            case Command::Kind::consumed:
                if (exchange->pool.link)
                    exchange->pool.link->consumed(*exchange, list->size);
                break;
            case Command::Kind::cancel:
                on_cancel(exchange);
                break;
        }
        list = std::move(list->next);
    }
    return any;
}

void DealerPool::on_submit(std::shared_ptr<Exchange> exchange) {
    if (stopping_.load())
        return fail(exchange, Failure::shutting_down);
    if (!WorkerLink::takes(exchange->head.headers))
        return fail(exchange, Failure::no_worker_left);
    // Who comes while nobody waits need not queue.
    if (queue_.empty() && !defer_to_other_child(exchange) && dispatch(exchange))
        return;
    if (exchange->pool.ended)
        return;
    const std::string_view service = exchange->head.service;
    if (queue_.size() >= options_.queue_length || service_queues_.is_full(service)) {
        // Those who came a moment ago need not be waiting.
        refresh_snapshot();
        dispatch_queue();
    }
    if (queue_.size() >= options_.queue_length) {
        // Nobody overtakes those who wait: not here, where the queue is full.
        if (!queue_.empty() || !dispatch(exchange))
            refuse_for_length(exchange, Failure::queue_full);
        return;
    }
    if (!service_queues_.enter(service))
        return refuse_for_length(exchange, Failure::service_queue_full);
    enqueue(std::move(exchange));
    queue_may_move_ = true;
}

void DealerPool::on_body(Command& command) {
    const auto& exchange = command.exchange;
    auto& side = exchange->pool;
    if (side.ended)
        return;
    side.body_complete = command.fin;
    side.trailers = std::move(command.trailers);
    if (side.unsent.empty()) {
        side.unsent = std::move(command.bytes);
    } else {
        // What has gone goes first: a body that always has some left to send would else be kept whole.
        side.unsent.erase(side.unsent.begin(),
                          side.unsent.begin() + static_cast<std::ptrdiff_t>(side.unsent_from));
        side.unsent_from = 0;
        side.unsent.insert(side.unsent.end(), command.bytes.begin(), command.bytes.end());
    }
    if (side.link)
        side.link->send_body(exchange);
}

void DealerPool::on_cancel(const std::shared_ptr<Exchange>& exchange) {
    auto& side = exchange->pool;
    if (side.ended)
        return;
    side.ended = true;
    if (WorkerLink* const link = side.link) {
        link->reset(exchange, spdy::ResetCode::cancel);
        release_slot(*link);
    } else {
        if (std::erase(queue_, exchange) != 0)
            service_queues_.leave(exchange->head.service);
        publish_waiters();
    }
}

void DealerPool::refresh_snapshot() {
    if (!snapshot_.refresh(table_))
        return;
    drop_links_of_departed_workers();
    queue_may_move_ = true;
}

void DealerPool::report_activity() {
    const ChildActivity now{.queued = static_cast<std::uint32_t>(queue_.size()),
                            .streams = static_cast<std::uint32_t>(in_flight_),
                            .sessions = static_cast<std::uint32_t>(links_.size())};
    if (now != reported_)
        table_.report(options_.child, reported_ = now);
}

}  // namespace zmqspdy::router
