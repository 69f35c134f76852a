#include "mod_zmqspdy/glue/log.hpp"

#include <initializer_list>

namespace zmqspdy::glue {

namespace {

int httpd_level(router::LogLevel level) {
    switch (level) {
        case router::LogLevel::error:
            return APLOG_ERR;
        case router::LogLevel::warning:
            return APLOG_WARNING;
        case router::LogLevel::notice:
            return APLOG_NOTICE;
        case router::LogLevel::info:
            return APLOG_INFO;
        case router::LogLevel::debug:
            return APLOG_DEBUG;
    }
    return APLOG_ERR;
}

}  // namespace

router::Log make_log(server_rec* s) {
    return [s](router::LogLevel level, const std::string& line) {
        ap_log_error(APLOG_MARK, httpd_level(level), 0, s, "%s", line.c_str());
    };
}

router::LogLevel most_wanted_level(const server_rec* s) {
    using router::LogLevel;
    auto wanted = LogLevel::error;
    for (const auto level : {LogLevel::warning, LogLevel::notice, LogLevel::info, LogLevel::debug})
        if (APLOG_MODULE_IS_LEVEL(s, APLOG_MODULE_INDEX, httpd_level(level)))
            wanted = level;
    return wanted;
}

}  // namespace zmqspdy::glue
