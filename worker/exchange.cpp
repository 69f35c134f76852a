#include "worker/exchange.hpp"

#include <algorithm>

namespace zmqspdy::serving {

namespace {

using std::chrono::steady_clock;

constexpr steady_clock::time_point kNever = steady_clock::time_point::max();
/// A quarter of a stream window: rarely enough to be cheap, often enough for the peer never to run dry.
constexpr std::size_t kConsumeStep = std::size_t{64} * 1024;
/// A writer that had to wait goes on when this little is left, so that it does not wake up for each chunk.
constexpr std::size_t kLowWater = Exchange::kUnsentLimit / 2;
constexpr std::size_t kLargestPiece = std::size_t{64} * 1024;

}  // namespace

void Exchange::post(decltype(Command::what) what) {
    auto command = std::make_unique<Command>();
    command->exchange = shared_from_this();
    command->what = std::move(what);
    outbox_->post(std::move(command));
}

std::string_view Exchange::next() {
    if (current_) {
        taken_ += current_->bytes.size();
        current_.reset();
    }
    if (body_ended_)
        return {};
    if (taken_ >= kConsumeStep)
        post(Consumed{std::exchange(taken_, 0)});
    if (!ready_) {
        reader_.wait_until(kNever, [this] { return body_stopped_.load() || !inbox_.empty(); });
        ready_ = inbox_.take_all();
    }
    if (body_stopped_.load() || !ready_)
        throw BodyAborted{};
    current_ = std::move(ready_);
    ready_ = std::move(current_->next);
    body_ended_ = current_->last;
    return current_->bytes;
}

bool Exchange::sleep_for(std::chrono::milliseconds duration) {
    const auto now = steady_clock::now();
    const auto end = duration < kNever - now ? now + duration : kNever;
    return !sleeper_.wait_until(end, [this] { return cancelled(); });
}

bool Exchange::write(std::string_view chunk) {
    while (!chunk.empty()) {
        if (unsent_.load() >= kUnsentLimit)
            writer_.wait_until(kNever, [this] { return cancelled() || unsent_.load() <= kLowWater; });
        if (cancelled())
            return false;
        const auto piece = chunk.substr(0, kLargestPiece);
        chunk.remove_prefix(piece.size());
        unsent_.fetch_add(piece.size());
        post(Chunk{std::string(piece)});
    }
    return !cancelled();
}

void Exchange::deliver(std::unique_ptr<BodyChunk> chunk) noexcept {
    inbox_.push(std::move(chunk));
    reader_.notify();
}

void Exchange::cancel() noexcept {
    cancelled_.store(true);
    writer_.notify();
    sleeper_.notify();
    stop_body();
}

void Exchange::stop_body() noexcept {
    body_stopped_.store(true);
    reader_.notify();
}

void Exchange::sent(std::size_t bytes) noexcept {
    const std::size_t before = unsent_.fetch_sub(bytes);
    if (before > kLowWater && before - bytes <= kLowWater)
        writer_.notify();
}

}  // namespace zmqspdy::serving
