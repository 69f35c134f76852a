#include "mod_zmqspdy/core/service_queues.hpp"

#include <algorithm>

namespace zmqspdy::router {

bool ServiceQueues::enter(std::string_view service) {
    // Counted first, so that no two children can both believe that they have the last place.
    come_back(service);
    if (waiting(service) <= limit_)
        return true;
    leave(service);
    return false;
}

void ServiceQueues::come_back(std::string_view service) {
    Entry& its = entry(service);
    ++its.requests;
    tell(its);
}

void ServiceQueues::leave(std::string_view service) {
    Entry& its = entry(service);
    if (its.requests == 0)
        return;
    --its.requests;
    tell(its);
}

void ServiceQueues::clear() {
    for (Entry& each : entries_) {
        each.requests = 0;
        tell(each);
    }
}

std::uint64_t ServiceQueues::waiting(std::string_view service) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [service](const Entry& each) { return each.service == service; });
    const std::uint64_t here = found == entries_.end() ? 0 : found->requests;
    return here + table_.waiting_beside(child_, service);
}

ServiceQueues::Entry& ServiceQueues::entry(std::string_view service) {
    const auto is_its = [service](const Entry& each) { return each.service == service; };
    if (const auto found = std::find_if(entries_.begin(), entries_.end(), is_its); found != entries_.end())
        return *found;
    const auto is_empty = [](const Entry& each) { return each.requests == 0; };
    auto place = std::find_if(entries_.begin(), entries_.end(), is_empty);
    if (place == entries_.end())
        place = entries_.emplace(entries_.end());
    place->service = service;
    return *place;
}

void ServiceQueues::tell(const Entry& entry) {
    const auto index = static_cast<std::size_t>(&entry - entries_.data());
    if (index < WorkerTable::kWaitingCounts)
        table_.set_waiting_count(child_, index, {entry.service, entry.requests});
}

}  // namespace zmqspdy::router
