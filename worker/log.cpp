#include "worker/log.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "worker/log_line.hpp"

namespace zmqspdy::serving {

Log::Log(std::string who, int fd, LogLevel least)
    : who_{std::move(who)}, output_{std::make_shared<LogOutput>(fd)}, least_{least} {}

void Log::line(LogLevel level, std::string_view text) const noexcept {
    if (level < least_)
        return;
    settle();
    if (!write(level, text))
        output_->lose(1);
}

void Log::settle() const noexcept {
    const std::uint64_t lost = output_->take_lost();
    if (lost != 0 &&
        !write(LogLevel::warning,
               std::to_string(lost) + " lines are missing here: what reads this log was too slow"))
        output_->lose(lost);
}

bool Log::write(LogLevel level, std::string_view text) const noexcept {
    // All at once, so that lines of several threads and processes do not mix.
    const LogLine line{std::chrono::system_clock::now(), level, who_, text};
    return output_->write(line.bytes());
}

}  // namespace zmqspdy::serving
