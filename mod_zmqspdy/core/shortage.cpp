#include "mod_zmqspdy/core/shortage.hpp"

namespace zmqspdy::router {

namespace {

/// "1 worker is" or "3 workers are".
std::string workers(std::uint64_t count, std::string_view does, std::string_view do_) {
    return std::to_string(count) + (count == 1 ? " worker " : " workers ") +
           std::string(count == 1 ? does : do_);
}

std::string nobody(bool elsewhere, std::string_view service) {
    if (!elsewhere)
        return "no worker is announced: start one with the address in ZmqSpdyListen as its --router";
    if (service.empty())
        return "no worker without a service is announced, only workers of services (ZmqSpdyService)";
    return "no worker of the service '" + std::string(service) +
           "' is announced, only others (ZmqSpdyService)";
}

}  // namespace

Cause cause_of(const Shortage& shortage) noexcept {
    if (shortage.looked == 0)
        return Cause::turn;
    if (shortage.full != 0)
        return Cause::full;
    if (shortage.failing != 0)
        return Cause::unreachable;
    if (shortage.lost != 0)
        return Cause::lost;
    if (shortage.drained != 0)
        return Cause::drained;
    if (shortage.leaving != 0)
        return Cause::leaving;
    return shortage.elsewhere != 0 ? Cause::no_service : Cause::no_worker;
}

std::string_view word_for(Cause cause) noexcept {
    switch (cause) {
        case Cause::turn:
            return "turn";
        case Cause::no_worker:
            return "no-worker";
        case Cause::no_service:
            return "no-service";
        case Cause::full:
            return "full";
        case Cause::drained:
            return "drained";
        case Cause::leaving:
            return "leaving";
        case Cause::lost:
            return "lost";
        case Cause::unreachable:
            return "unreachable";
    }
    return "turn";
}

std::string describe(const Shortage& shortage, std::string_view service, std::string_view last) {
    if (shortage.looked == 0)
        return "those who came before it wait as well";
    std::string text;
    const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
    if (shortage.lost != 0)
        add("worker '" + std::string(last) + "' was lost over it" +
            (shortage.lost > 1 ? ", " + std::to_string(shortage.lost) + " workers in all" : ""));
    if (shortage.full != 0)
        add(workers(shortage.full, "has", "have") + " as many requests as " +
            (shortage.full == 1 ? "it takes" : "they take"));
    if (shortage.failing != 0)
        add(workers(shortage.failing, "is", "are") + " announced, but cannot be talked to");
    if (shortage.drained != 0)
        add(workers(shortage.drained, "is", "are") + " drained (zmqspdyctl resume)");
    if (shortage.leaving != 0)
        add(workers(shortage.leaving, "is", "are") + " leaving");
    if (shortage.full + shortage.failing + shortage.drained + shortage.leaving == 0)
        add(shortage.lost != 0 ? "no other is announced" : nobody(shortage.elsewhere != 0, service));
    else if (!service.empty())
        text += " (service '" + std::string(service) + "')";
    return text;
}

}  // namespace zmqspdy::router
