#include "worker/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace zmqspdy::serving {

Log::Log(std::string who, int fd) : who_{std::move(who)}, fd_{fd} {}

void Log::line(std::string_view text) const noexcept {
    // One write(2) for each line, so that lines of several threads and processes do not mix.
    std::array<char, 1024> line;
    const auto append = [&line](std::size_t at, std::string_view part) {
        const std::size_t size = std::min(part.size(), line.size() - 1 - at);
        std::transform(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size),
                       line.begin() + static_cast<std::ptrdiff_t>(at),
                       [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f' ? '?' : c; });
        return at + size;
    };
    std::size_t size = append(0, who_);
    size = append(size, ": ");
    size = append(size, text);
    line[size++] = '\n';
    // A log that cannot be written has nowhere to say so.
    [[maybe_unused]] const auto written = ::write(fd_, line.data(), size);
}

}  // namespace zmqspdy::serving
