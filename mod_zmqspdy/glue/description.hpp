// Directives in words, for their users.
#pragma once

#include <concepts>
#include <string>

#include "mod_zmqspdy/glue/settings.hpp"

namespace zmqspdy::glue {

/// All of it Markdown.
struct Description {
    std::string name;
    std::string argument;
    std::string standard;  ///< empty: nothing
    std::string context;
    std::string meaning;
};

/// As httpd's configuration spells it: `500ms`, `30s`, `10min`, `1h`.
[[nodiscard]] inline std::string to_text(Milliseconds time) {
    const auto count = time.count();
    if (count % 1000 != 0 || count == 0)
        return std::to_string(count) + "ms";
    if (count % 60'000 != 0 || count == 60'000)
        return std::to_string(count / 1000) + "s";
    if (count % 3'600'000 != 0)
        return std::to_string(count / 60'000) + "min";
    return std::to_string(count / 3'600'000) + "h";
}
[[nodiscard]] inline std::string to_text(bool on) {
    return on ? "`on`" : "`off`";
}
[[nodiscard]] inline std::string to_text(const char* text) {
    return "`" + std::string(text) + "`";
}
template <std::integral Number>
[[nodiscard]] std::string to_text(Number number) {
    return std::to_string(number);
}

/// The values that a number or a time may have, `LEAST to MOST`; empty for other kinds.
template <typename Of>
[[nodiscard]] std::string range() {
    if constexpr (requires { Of::least; })
        return to_text(Of::least) + " to " + to_text(Of::most);
    else
        return {};
}

template <typename Of>
[[nodiscard]] Description describe() {
    Description result{
        .name = Of::name, .argument = Of::argument, .standard = {}, .context = {}, .meaning = Of::meaning};
    if constexpr (requires { Of::unset; })
        result.standard = Of::unset;
    else
        result.standard = to_text(Of::standard);
    switch (Of::context) {
        case Context::server:
            result.context = "server";
            break;
        case Context::location:
            result.context = "location";
            break;
        case Context::directory:
            result.context = "directory";
            break;
    }
    // That of most times is said above the table.
    if (const auto limits = range<Of>(); !limits.empty() && limits != range<setting::Time>())
        result.meaning += " (" + limits + ")";
    return result;
}

}  // namespace zmqspdy::glue
