// What the log says of one router: what is new, and only that.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/log_budget.hpp"
#include "worker/link_trouble.hpp"
#include "worker/log.hpp"

namespace zmqspdy::serving {

/// I/O thread only.
class RouterNews {
  public:
    using Clock = std::chrono::steady_clock;

    /// `router` as lines name it; `log` outlives this.
    RouterNews(const Log& log, std::string router)
        : log_{[this, &log](const std::string& line) { log.line(level_, line); }},
          router_{std::move(router)} {}
    RouterNews(const RouterNews&) = delete;
    RouterNews& operator=(const RouterNews&) = delete;

    /// `service`: of the worker; empty: none. `warning`: what the router has to say about it; empty: nothing.
    void announced(const std::string& service, const std::string& warning);
    void refused(const std::string& reason, std::chrono::seconds pause);
    /// The router has said `why` nobody there reaches this worker's endpoint, and is asked to relay instead.
    void out_of_reach(std::string_view why);
    /// The last that the log has is a refusal.
    [[nodiscard]] bool is_refused() const noexcept { return said_ == Said::refused; }
    /// A connection that was one to a router has ended.
    void lost(std::string_view why, Clock::time_point now);
    /// A connection did not come about, or was none to a router. Each kind is worth a line once, until the router has
    /// answered; a router that was lost is looked for silently at first, since most are back within moments.
    void failed(Trouble trouble, Clock::time_point now);

    /// Now and then: tells how many lines were left out.
    void settle() { log_.settle(); }

    /// A failure that has no line yet. Whoever owns the links decides whether it gets one.
    [[nodiscard]] bool has_unsaid() const noexcept { return unsaid_.has_value(); }
    void say();
    void forget() noexcept { unsaid_.reset(); }

  private:
    enum class Said : std::uint8_t { nothing, announced, refused, lost };

    void line(LogLevel level, std::string text);

    transport::LogBudget log_;         // a router that comes and goes is no reason to fill a disk
    LogLevel level_ = LogLevel::info;  // of the last line, which is the one that the budget may hold back
    const std::string router_;
    Said said_ = Said::nothing;
    std::string reason_;  // of the refusal that the log has
    std::string warning_;
    Clock::time_point lost_at_;
    std::uint32_t said_troubles_ = 0;  // a bit for each
    std::optional<Trouble> unsaid_;
};

}  // namespace zmqspdy::serving
