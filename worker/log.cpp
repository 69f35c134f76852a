#include "worker/log.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "worker/log_line.hpp"

namespace zmqspdy::serving {

Log::Log(std::string who, int fd, LogLevel least) : who_{std::move(who)}, fd_{fd}, least_{least} {}

void Log::line(LogLevel level, std::string_view text) const noexcept {
    if (level < least_)
        return;
    const LogLine line{std::chrono::system_clock::now(), level, who_, text};
    // One write(2) for each line, so that lines of several threads and processes do not mix. A log that cannot be
    // written has nowhere to say so.
    [[maybe_unused]] const auto written = ::write(fd_, line.bytes().data(), line.bytes().size());
}

}  // namespace zmqspdy::serving
