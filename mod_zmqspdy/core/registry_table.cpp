// Which worker has which place in the worker table.
#include <utility>

#include "mod_zmqspdy/core/goaway_messages.hpp"
#include "mod_zmqspdy/core/registry.hpp"
#include "transport/message.hpp"

namespace zmqspdy::router {

namespace {

// Whether a connection has ended is asked no more often than this, however often somebody wants its endpoint.
constexpr std::chrono::milliseconds kAskInterval{50};

transport::AnnouncementError taken(const transport::Endpoint& endpoint, std::string_view holder) {
    return {409, "the endpoint " + transport::to_string(endpoint) + " is announced already, by worker '" +
                     std::string(holder) + "'; it is free once that one has left or been silent for " +
                     std::to_string(transport::kMissedHeartbeats) + " heartbeats"};
}

bool is_at(const WorkerRecord& record, const transport::Endpoint& endpoint) {
    const auto parsed = transport::parse_endpoint(record.endpoint_view());
    const auto* const other = std::get_if<transport::Endpoint>(&parsed);
    return other != nullptr && transport::same_place(*other, endpoint);
}

}  // namespace

std::optional<transport::AnnouncementError> Registry::enter_table(WorkerConnection& connection) {
    if (auto refusal = claim_endpoint(connection))
        return refusal;
    const bool known = connection.slot.has_value();
    if (!known) {
        connection.slot = free_slot();
        if (!connection.slot)
            return transport::AnnouncementError{503, "the worker table is full (ZmqSpdyMaxWorkers " +
                                                         std::to_string(table_.size().workers) + ")"};
        connection.worker = ++last_id_;
        connection.joined = to_shared(Clock::now());
    }
    announced_[connection.worker] = connections_.at(connection.routing_id);
    publish(connection);
    const auto& announcement = connection.announcement;
    const std::string where = announcement.endpoint ? transport::to_string(*announcement.endpoint)
                                                    : "relayed from " + connection.address;
    (known ? log_back_ : log_joined_)
        .line("worker '" + announcement.name + (known ? "' is back: " : "' joined: ") + where +
              ", capacity " + std::to_string(announcement.capacity));
    return std::nullopt;
}

std::optional<transport::AnnouncementError> Registry::claim_endpoint(WorkerConnection& connection) {
    const auto& announcement = connection.announcement;
    if (!announcement.endpoint)
        return std::nullopt;
    // One process at one endpoint is one worker, over a new connection or with a new registry: children's sessions with it
    // go on. Anybody else would get the requests, and the place, of the one that is there.
    const auto is_same = [&announcement](std::uint64_t instance) {
        return instance != 0 && instance == announcement.instance;
    };
    if (const auto holder = holder_of(*announcement.endpoint, connection); holder && is_connected(*holder)) {
        if (holder->draining) {
            // Another one in its place: children have said goodbye to the one that drains.
            vacate(*holder);
        } else if (is_same(holder->announcement.instance)) {
            connection.worker = holder->worker;
            connection.joined = holder->joined;
            // The old connection may end without taking the worker along.
            connection.slot = std::exchange(holder->slot, std::nullopt);
        } else {
            return taken(*announcement.endpoint, holder->announcement.name);
        }
        return std::nullopt;
    }
    for (const auto& [slot, orphan] : orphans_) {
        const auto& record = orphan.record;
        if (!is_at(record, *announcement.endpoint))
            continue;
        // Without an instance nobody can tell whether it is the one that the earlier registry knew.
        if (record.instance != 0 && record.draining == 0 && !is_same(record.instance))
            return taken(*announcement.endpoint, record.name_view());
        if (record.draining == 0) {
            connection.slot = slot;
            connection.worker = record.id;
            connection.joined = record.joined;
        } else {
            table_.clear(slot);
        }
        orphans_.erase(slot);
        break;
    }
    return std::nullopt;
}

std::optional<transport::AnnouncementError> Registry::change(WorkerConnection& connection,
                                                             transport::Announcement announcement) {
    const auto place = [](const transport::Announcement& of) {
        return of.endpoint ? transport::to_string(*of.endpoint) : std::string{};
    };
    if (place(announcement) != place(connection.announcement)) {
        if (announcement.endpoint) {
            if (const auto holder = holder_of(*announcement.endpoint, connection);
                holder && is_connected(*holder))
                return taken(*announcement.endpoint, holder->announcement.name);
            for (const auto& [slot, orphan] : orphans_)
                if (is_at(orphan.record, *announcement.endpoint))
                    return taken(*announcement.endpoint, orphan.record.name_view());
        }
        if (connection.announcement.endpoint) {
            // Children know the endpoint by this id; what they have under way there goes on.
            const auto self = announced_.extract(connection.worker);
            connection.worker = ++last_id_;
            announced_[connection.worker] = self.mapped();
            if (!announcement.endpoint)
                log_undialable_.line("worker '" + announcement.name + "' is relayed from " +
                                     connection.address + " from now on, as it asks for");
        }
    }
    connection.announcement = std::move(announcement);
    publish(connection);
    return std::nullopt;
}

void Registry::tell_if_undialable(WorkerConnection& connection) {
    const auto& endpoint = connection.announcement.endpoint;
    if (!connection.slot || !endpoint || connection.draining ||
        connection.told_undialable == connection.worker ||
        !table_.is_undialable(*connection.slot, connection.worker))
        return;
    connection.told_undialable = connection.worker;
    const std::string where = transport::to_string(*endpoint);
    log_undialable_.line("worker '" + connection.announcement.name +
                         "' is announced, but httpd cannot connect to " + where +
                         "; it is told, so that it may ask to be relayed");
    (void)connection.session.headers(*connection.announcement_stream,
                                     transport::undialable("httpd cannot connect to " + where), false);
}

Registry::ConnectionPtr Registry::holder_of(const transport::Endpoint& endpoint,
                                            const WorkerConnection& but) const {
    for (const auto& [worker, connection] : announced_) {
        const auto& theirs = connection->announcement.endpoint;
        if (connection.get() != &but && theirs && transport::same_place(*theirs, endpoint))
            return connection;
    }
    return nullptr;
}

bool Registry::is_connected(WorkerConnection& connection) {
    const auto now = Clock::now();
    if (now - connection.last_asked < kAskInterval)
        return true;
    connection.last_asked = now;
    (void)workers_.get(zmq::sockopt::events);
    connection.session.ping();
    return flush(connection);
}

void Registry::vacate(WorkerConnection& connection) {
    table_.clear(*connection.slot);
    announced_.erase(connection.worker);
    connection.slot.reset();
}

std::optional<std::uint32_t> Registry::free_slot() const {
    std::vector<bool> taken(table_.size().workers);
    for (const auto& [worker, connection] : announced_)
        taken[*connection->slot] = true;
    for (const auto& [slot, orphan] : orphans_)
        taken[slot] = true;
    for (std::uint32_t slot = 0; slot < taken.size(); ++slot) {
        // Somebody may still count requests of the worker that was there.
        if (!taken[slot] && table_.in_flight(slot) == 0)
            return slot;
    }
    return std::nullopt;
}

void Registry::publish(const WorkerConnection& connection) {
    if (!connection.slot)
        return;
    table_.write(*connection.slot, to_record(connection));
    table_changed();
}

void Registry::leave(WorkerConnection& connection, const std::string& how, zmq::message_t (*goaway)()) {
    if (!connection.slot)
        return;
    table_.clear(*connection.slot);
    table_changed();
    log_left_.line("worker '" + connection.announcement.name + "' " + how);
    // Behind all that was relayed for it, so that what it finished is not cut off.
    std::erase_if(links_, [this, &connection, goaway](const auto& link) {
        if (link.second != connection.worker)
            return false;
        const zmq::message_t id(link.first.data(), link.first.size());
        (void)transport::send(children_, &id, goaway());
        return true;
    });
    announced_.erase(connection.worker);
    connection.slot.reset();
}

}  // namespace zmqspdy::router
