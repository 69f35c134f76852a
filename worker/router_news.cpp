#include "worker/router_news.hpp"

#include <utility>

namespace zmqspdy::serving {

namespace {

/// A router that was lost and is back by then gets no line about why it could not be reached.
constexpr std::chrono::seconds kRestartPatience{3};

/// A sentence of the registry's, with what it quotes of ours.
constexpr std::size_t kMostReason = 400;

constexpr std::uint32_t bit(Trouble trouble) {
    return std::uint32_t{1} << static_cast<unsigned>(trouble);
}

}  // namespace

void RouterNews::line(LogLevel level, std::string text) {
    level_ = level;
    log_.line(std::move(text));
}

void RouterNews::announced(const std::string& service, const std::string& warning) {
    if (said_ != Said::announced)
        line(LogLevel::info,
             "announced to " + router_ + (service.empty() ? "" : " for the service '" + service + "'"));
    if (!warning.empty() && warning != warning_)
        line(LogLevel::warning,
             "the router " + router_ + " warns: " + transport::printable(warning, kMostReason));
    warning_ = warning;
    said_ = Said::announced;
    said_troubles_ = 0;
    unsaid_.reset();
}

void RouterNews::refused(const std::string& reason, std::chrono::seconds pause) {
    if (said_ == Said::refused && reason_ == reason)
        return;
    line(LogLevel::warning, "the router " + router_ +
                                " refused the announcement: " + transport::printable(reason, kMostReason) +
                                "; asking again every " + std::to_string(pause.count()) + " s");
    said_ = Said::refused;
    reason_ = reason;
    said_troubles_ = 0;
    unsaid_.reset();
}

void RouterNews::out_of_reach(std::string_view why) {
    line(LogLevel::warning, "the router " + router_ +
                                " does not reach this worker: " + transport::printable(why, kMostReason) +
                                "; from now on its requests come through the worker's own connection to it. "
                                "Give --listen an address "
                                "that the router reaches, or start the worker with --relay");
}

void RouterNews::lost(std::string_view why, Clock::time_point now) {
    if (said_ == Said::lost)
        return;
    const bool had = std::exchange(said_, Said::lost) != Said::nothing;
    lost_at_ = now;
    line(LogLevel::warning, (had ? "lost the router " : "cannot use the router ") + router_ + ": " +
                                std::string(why) + (had ? "; trying again" : "; trying until it answers"));
}

void RouterNews::failed(Trouble trouble, Clock::time_point now) {
    if (said_ == Said::announced || said_ == Said::refused)
        return lost(describe(trouble), now);
    const bool may_be_a_restart = said_ == Said::lost && now - lost_at_ < kRestartPatience;
    if ((said_troubles_ & bit(trouble)) == 0 && !may_be_a_restart)
        unsaid_ = trouble;
}

void RouterNews::say() {
    if (!unsaid_)
        return;
    said_troubles_ |= bit(*unsaid_);
    line(LogLevel::warning,
         "cannot reach the router " + router_ + ": " + describe(*unsaid_) + "; trying until it answers");
    unsaid_.reset();
}

}  // namespace zmqspdy::serving
