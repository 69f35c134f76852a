#include "mod_zmqspdy/core/mixed_service.hpp"

#include <algorithm>

namespace zmqspdy::router {

namespace {

using transport::Announcement;

bool differ(const std::string& one, const std::string& other) {
    return !one.empty() && !other.empty() && one != other;
}

std::string quoted(const Announcement& worker, const std::string& what) {
    return "'" + worker.name + "' runs " + what;
}

}  // namespace

Mixture compare(const Announcement& newcomer, const Announcement& other) {
    if (newcomer.service != other.service)
        return {};
    const std::string service = newcomer.service.empty()
                                    ? "workers without a service"
                                    : "workers of the service '" + newcomer.service + "'";
    if (differ(newcomer.program, other.program))
        return {
            "program " + std::min(newcomer.program, other.program) + "\n" +
                std::max(newcomer.program, other.program),
            service + " are different programs: " + quoted(newcomer, newcomer.program) + ", " +
                quoted(other, other.program) +
                "; each gets requests that are meant for the other: stop one, or give it a service of its "
                "own (--service NAME, ZmqSpdyService NAME)"};
    if (newcomer.program == other.program && differ(newcomer.version, other.version))
        return {"version " + std::min(newcomer.version, other.version) + "\n" +
                    std::max(newcomer.version, other.version),
                service + " are different versions of " +
                    (newcomer.program.empty() ? "a program" : newcomer.program) + ": " +
                    quoted(newcomer, newcomer.version) + ", " + quoted(other, other.version) +
                    "; both answer until one is stopped"};
    return {};
}

}  // namespace zmqspdy::router
