#include "call.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "eventually.hpp"
#include "headers.hpp"

using namespace zmqspdy::router;
using Clock = std::chrono::steady_clock;

Call::Call(DealerPool& pool, RequestHead head)
    : pool_{pool}, exchange_{std::make_shared<Exchange>(std::move(head))} {
    pool_.submit(exchange_);
}

bool Call::queued() const {
    return exchange_->stage.load() == Exchange::Stage::queued;
}

bool Call::send(std::string_view text, bool fin, std::optional<zmqspdy::spdy::HeaderBlock> trailers) {
    const auto deadline = Clock::now() + kPatience;
    do {
        const bool ready = exchange_->parker.wait_until(deadline, [this] {
            return !exchange_->inbox.empty() || (!queued() && exchange_->body_backlog < pool_.window());
        });
        take();
        if (over() || !ready)
            return false;
        if (queued() || exchange_->body_backlog >= pool_.window())
            continue;
        const auto piece = text.substr(0, pool_.window() - exchange_->body_backlog);
        text.remove_prefix(piece.size());
        exchange_->body_backlog += piece.size();
        const bool last = fin && text.empty();
        pool_.body(exchange_, bytes(piece), last, last ? std::move(trailers) : std::nullopt);
    } while (!text.empty());
    return true;
}

bool Call::await_head() {
    const auto deadline = Clock::now() + kPatience;
    while (status.empty() && !over() &&
           exchange_->parker.wait_until(deadline, [this] { return !exchange_->inbox.empty(); }))
        take();
    return !status.empty();
}

bool Call::await_body(std::size_t size) {
    const auto deadline = Clock::now() + kPatience;
    while (body.size() < size && !over() &&
           exchange_->parker.wait_until(deadline, [this] { return !exchange_->inbox.empty(); }))
        take();
    return body.size() >= size;
}

bool Call::await_end() {
    const auto deadline = Clock::now() + kPatience;
    while (!over() && exchange_->parker.wait_until(deadline, [this] { return !exchange_->inbox.empty(); }))
        take();
    return over();
}

void Call::cancel() {
    (void)exchange_->abandon();
    pool_.cancel(exchange_);
}

void Call::take() {
    for (auto event = exchange_->inbox.take_all(); event; event = std::move(event->next)) {
        switch (event->kind) {
            case ResponseEvent::Kind::interim:
                interim.emplace_back(event->headers.find(":status").value_or(""));
                break;
            case ResponseEvent::Kind::head:
                status = event->headers.find(":status").value_or("");
                break;
            case ResponseEvent::Kind::data:
                body += text(event->payload);
                if (reads_)
                    pool_.consumed(exchange_, event->payload.size());
                break;
            case ResponseEvent::Kind::trailers:
                trailer = event->headers.find("checksum").value_or("");
                break;
            case ResponseEvent::Kind::end:
                break;
            case ResponseEvent::Kind::failed:
                failure = event->failure;
                code = event->code;
                break;
        }
        complete = complete || event->fin;
    }
}

std::string Call::outcome() {
    if (!await_end())
        return "no end";
    if (failure != Failure::none)
        return (status.empty() ? "" : status + " then ") + to_string(failure);
    return status + " " + body;
}

std::string to_string(Failure failure) {
    switch (failure) {
        case Failure::none:
            return "none";
        case Failure::worker_lost:
            return "worker_lost";
        case Failure::worker_reset:
            return "worker_reset";
        case Failure::protocol:
            return "protocol";
        case Failure::excess:
            return "excess";
        case Failure::service_queue_full:
            return "service_queue_full";
        case Failure::overstayed:
            return "overstayed";
        case Failure::no_worker_left:
            return "no_worker_left";
        case Failure::queue_full:
            return "queue_full";
        case Failure::shutting_down:
            return "shutting_down";
    }
    return "?";
}

RequestHead get_request(std::string_view path, unsigned retries) {
    RequestHead head;
    head.headers = get(path);
    head.idempotent = true;
    head.retries = retries;
    return head;
}

RequestHead post_request(std::string_view path, unsigned retries) {
    RequestHead head;
    head.headers = post(path);
    head.has_body = true;
    head.retries = retries;
    return head;
}

RequestHead put_request(std::string_view path, unsigned retries) {
    auto head = post_request(path, retries);
    head.idempotent = true;
    return head;
}
