// Takes requests from the sessions, within the worker's capacity, and finds them their handlers. I/O thread
// only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "worker/access_log.hpp"
#include "worker/application.hpp"
#include "worker/handler_pool.hpp"
#include "worker/log.hpp"
#include "worker/outbox.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::serving {

class Dispatcher {
  public:
    Dispatcher(std::shared_ptr<const Application> application, std::uint32_t capacity,
               std::shared_ptr<Outbox> outbox)
        : application_{std::move(application)}, capacity_{capacity}, outbox_{std::move(outbox)} {}

    [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
    /// Bytes of a request's body that may come before its handler has read them. A large window costs a long upload
    /// fewer messages and wake-ups; where many requests are taken at once, what they may hold together counts for more.
    [[nodiscard]] std::uint32_t body_window() const noexcept {
        return std::clamp(kHeldBodies / capacity_, kLeastWindow, kMostWindow);
    }
    [[nodiscard]] const Log& log() const noexcept { return application_->log(); }
    [[nodiscard]] const std::shared_ptr<Outbox>& outbox() const noexcept { return outbox_; }

    /// False: as many requests as the capacity allows are queued or being handled, over all sessions.
    [[nodiscard]] bool has_room() const noexcept { return accepted_ < capacity_; }

    /// From now on each request gets a line there.
    void log_accesses(std::unique_ptr<AccessLog> log) noexcept { access_log_ = std::move(log); }
    /// Writes that line when it ends. Must not outlive this.
    [[nodiscard]] AccessEntry access_entry(const spdy::HeaderBlock& request) const {
        return access_log_ ? AccessEntry{*access_log_, request} : AccessEntry{};
    }

    /// The answer, if there is one at once: from a handler that runs on this thread, or an error. Otherwise
    /// nothing, and the request is queued for the pool.
    [[nodiscard]] std::optional<Response> start(const std::shared_ptr<RequestContext>& context,
                                                spdy::StreamOpened opened);
    /// Hands what is queued to the pool: after a batch of input, when bodies that came along are there as
    /// well.
    void submit(HandlerPool& pool);
    /// A command has ended a request.
    void ended() noexcept { --accepted_; }

    /// Streams whose answer is not wholly sent, over all sessions.
    void stream_opened() noexcept { ++unanswered_; }
    void stream_answered() noexcept { --unanswered_; }

    /// From now on new sessions are told to go elsewhere.
    void drain() noexcept { drain_.request_stop(); }
    [[nodiscard]] bool is_draining() const noexcept { return drain_.stop_requested(); }
    /// See Request::drain_token().
    [[nodiscard]] std::stop_token drain_token() const noexcept { return drain_.get_token(); }
    /// How many requests are left.
    [[nodiscard]] std::size_t open_requests() const noexcept {
        return std::max<std::size_t>(accepted_, unanswered_);
    }
    /// No handler has anything left to answer.
    [[nodiscard]] bool all_ended() const noexcept { return accepted_ == 0; }
    /// Nobody waits for anything.
    [[nodiscard]] bool is_idle() const noexcept { return accepted_ == 0 && unanswered_ == 0; }

  private:
    static constexpr std::uint32_t kLeastWindow = 256 * 1024;
    static constexpr std::uint32_t kMostWindow = 1024 * 1024;
    static constexpr std::uint32_t kHeldBodies = 256 * kMostWindow;

    const std::shared_ptr<const Application> application_;
    const std::uint32_t capacity_;
    const std::shared_ptr<Outbox> outbox_;
    std::unique_ptr<AccessLog> access_log_;
    std::vector<std::unique_ptr<Job>> queued_;
    std::uint32_t accepted_ = 0;
    std::size_t unanswered_ = 0;
    std::stop_source drain_;
};

}  // namespace zmqspdy::serving
