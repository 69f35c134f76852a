#include "worker/request_context.hpp"

#include <algorithm>

#include "transport/message.hpp"
#include "worker/answering.hpp"

namespace zmqspdy::serving {

namespace {

using std::chrono::steady_clock;

constexpr steady_clock::time_point kNever = steady_clock::time_point::max();
/// A writer that had to wait goes on when this little is left, so that it does not wake up for each chunk.
constexpr std::size_t kLowWater = RequestContext::kUnsentLimit / 2;
constexpr std::size_t kLargestPiece = std::size_t{64} * 1024;

}  // namespace

void RequestContext::post(decltype(Command::what) what) {
    auto command = std::make_unique<Command>();
    command->context = shared_from_this();
    command->what = std::move(what);
    outbox_->post(std::move(command));
}

std::string_view RequestContext::next() {
    if (current_) {
        taken_ += current_->bytes.size();
        current_.reset();
    }
    if (body_ended_)
        return {};
    ask_for_body();
    if (taken_ >= report_at_)
        post(BodyConsumed{std::exchange(taken_, 0)});
    if (!ready_) {
        reader_.wait_until(kNever, [this] { return body_stopped_.load() || !inbox_.empty(); });
        ready_ = inbox_.take_all();
    }
    if (body_stopped_.load() || !ready_)
        throw BodyAborted{};
    current_ = std::move(ready_);
    ready_ = std::move(current_->next);
    body_ended_ = current_->last;
    trailers_ = std::move(current_->trailers);
    return current_->bytes;
}

/// A client that expects 100 Continue holds its body back until somebody wants it.
void RequestContext::ask_for_body() {
    if (to_be_asked_for_.load() && to_be_asked_for_.exchange(false))
        send_interim(100, {});
}

void RequestContext::send_interim(int status, const Fields& fields) {
    post(SendInterim{encode_interim(status, fields)});
}

void RequestContext::begin(spdy::HeaderBlock headers) {
    // What produces the body may read the request's, and with the final status it would be too late to ask.
    ask_for_body();
    post(StartResponse{std::move(headers)});
}

void RequestContext::trailer(std::string_view name, std::string_view value) {
    check_trailer(name, value);
    if (!own_trailers_)
        own_trailers_.emplace();
    own_trailers_->add(name, value);
}

RequestContext::Fields RequestContext::trailers() const {
    Fields fields;
    if (trailers_)
        add_fields(fields, *trailers_);
    return fields;
}

std::stop_token RequestContext::stop_token() {
    std::stop_source source{std::nostopstate};
    bool stopped = false;
    {
        const std::lock_guard lock{stop_mutex_};
        if (!stop_.stop_possible())
            stop_ = std::stop_source{};
        source = stop_;
        stopped = stopped_;
    }
    if (stopped)
        source.request_stop();
    return source.get_token();
}

bool RequestContext::sleep_for(std::chrono::milliseconds duration) {
    const auto now = steady_clock::now();
    const auto end = duration < kNever - now ? now + duration : kNever;
    return !sleeper_.wait_until(end, [this] { return cancelled(); });
}

bool RequestContext::write(std::string_view chunk) {
    while (!chunk.empty()) {
        if (unsent_.load() >= kUnsentLimit)
            writer_.wait_until(kNever, [this] { return cancelled() || unsent_.load() <= kLowWater; });
        if (cancelled())
            return false;
        const auto piece = chunk.substr(0, kLargestPiece);
        chunk.remove_prefix(piece.size());
        unsent_.fetch_add(piece.size() + kWriteCost);
        post(WriteBody{std::string(piece)});
    }
    return !cancelled();
}

void RequestContext::deliver(std::unique_ptr<BodyChunk> chunk) noexcept {
    if (chunk->last || chunk->copy.empty())
        inbox_.push(std::move(chunk));
    else
        inbox_.push_growing(std::move(chunk));
    reader_.notify();
}

bool RequestContext::add_to_last(std::string_view bytes) {
    return inbox_.top_up([bytes](BodyChunk& last) {
        if (last.copy.size() + bytes.size() > transport::kGrownPiece)
            return false;
        last.bytes = last.copy.append(bytes);
        return true;
    });
}

void RequestContext::cancel() noexcept {
    std::stop_source source{std::nostopstate};
    {
        const std::lock_guard lock{stop_mutex_};
        stopped_ = true;
        source = stop_;
    }
    // Before the handler can see it otherwise: it may return at once, and its callbacks are to have run.
    source.request_stop();
    cancelled_.store(true);
    writer_.notify();
    sleeper_.notify();
    stop_body();
}

void RequestContext::stop_body() noexcept {
    body_stopped_.store(true);
    reader_.notify();
}

void RequestContext::sent(std::size_t bytes) noexcept {
    const std::size_t before = unsent_.fetch_sub(bytes);
    if (before > kLowWater && before - bytes <= kLowWater)
        writer_.notify();
}

}  // namespace zmqspdy::serving
