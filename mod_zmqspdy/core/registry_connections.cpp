// What workers say to the registry: they announce themselves, change their mind, leave.
#include <algorithm>
#include <array>
#include <utility>

#include "mod_zmqspdy/core/goaway_messages.hpp"
#include "mod_zmqspdy/core/mixed_service.hpp"
#include "mod_zmqspdy/core/registry.hpp"
#include "transport/message.hpp"

namespace zmqspdy::router {

namespace {

// Connections that have spoken but not announced a worker.
constexpr std::size_t kMaxUnannounced = 128;

/// Of a worker that ends its announcement by itself. One that drained before has finished what it took; another may have
/// begun with anything.
zmq::message_t (*goaway_of(const WorkerConnection& connection))() {
    return connection.draining ? nothing_processed : fate_unknown;
}

/// Where a message comes from; empty when libzmq does not say. A worker of whom that is not known is not believed to be local.
std::string peer_address(std::span<zmq::message_t> parts) {
    for (zmq::message_t& part : parts) {
        try {
            return part.gets("Peer-Address");
        } catch (const zmq::error_t&) {
            continue;  // the next part may have it
        }
    }
    return {};
}

}  // namespace

Registry::ConnectionPtr Registry::find_or_admit(const std::string& routing_id,
                                                std::span<zmq::message_t> parts) {
    if (const auto found = connections_.find(routing_id); found != connections_.end()) {
        // Once in a long while the first message does not tell.
        if (auto& address = found->second->address; address.empty())
            address = peer_address(parts);
        return found->second;
    }
    if (connections_.size() >= announced_.size() + kMaxUnannounced)
        return nullptr;
    auto connection = std::make_shared<WorkerConnection>(routing_id, peer_address(parts));
    connections_.emplace(routing_id, connection);
    return connection;
}

bool Registry::receive_from_worker() {
    std::array<zmq::message_t, 3> parts;
    const auto count = transport::receive(workers_, parts);
    if (!count)
        return false;
    const std::string routing_id = parts[0].to_string();
    const auto connection = find_or_admit(routing_id, std::span{parts}.first(std::min(*count, parts.size())));
    if (!connection)
        return true;
    connection->heard(Clock::now());
    if (*count != parts.size()) {
        connection->session.go_away(spdy::GoAwayCode::protocol_error);
        (void)flush(*connection);
        drop(routing_id, "sent a message of " + std::to_string(*count - 1) + " parts instead of two");
    } else if (parts[1].empty()) {
        on_control(connection, parts[2]);
    } else {
        on_relayed(*connection, parts[1], std::move(parts[2]));
    }
    return true;
}

void Registry::on_control(const ConnectionPtr& connection, const zmq::message_t& frames) {
    std::vector<spdy::Event> events;
    const auto fault = connection->session.receive(transport::bytes_of(frames), events);
    for (const auto& event : events) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event)) {
            if (transport::is_identity_question(opened->headers))
                connection->session.reply(opened->stream, transport::to_headers(identity()), true);
            else
                on_announcement(*connection, *opened);
        } else if (const auto* headers = std::get_if<spdy::HeadersReceived>(&event)) {
            on_update(*connection, *headers);
        } else if (std::holds_alternative<spdy::GoAwayReceived>(event)) {
            connection->draining = true;
            publish(*connection);
        }
        const auto* data = std::get_if<spdy::DataReceived>(&event);
        if (data && data->fin && connection->announcement_stream == data->stream)
            leave(*connection, "left", goaway_of(*connection));
        const auto* reset = std::get_if<spdy::StreamReset>(&event);
        if (reset && connection->announcement_stream == reset->stream)
            leave(*connection, "left", fate_unknown);
    }
    const bool broken = fault || !connection->session.at_frame_boundary();
    if (broken && !fault)
        connection->session.go_away(spdy::GoAwayCode::protocol_error);
    if (flush(*connection) && broken)
        drop(connection->routing_id,
             "broke SPDY: " + std::string(fault ? fault->why : "a frame split over two messages"));
}

transport::AnnouncementReply Registry::identity() const {
    return {.status = 200, .reason = {}, .router = options_.identity, .heartbeat = options_.heartbeat};
}

void Registry::on_announcement(WorkerConnection& connection, const spdy::StreamOpened& event) {
    transport::AnnouncementReply reply;
    reply.heartbeat = options_.heartbeat;
    reply.router = options_.identity;
    auto parsed = transport::parse_announcement(event.headers);
    const auto* error = std::get_if<transport::AnnouncementError>(&parsed);
    std::optional<transport::AnnouncementError> refusal;
    if (error) {
        refusal = *error;
    } else if (event.fin) {
        refusal = {400, "the announcement's stream must stay open for as long as the worker serves"};
    } else {
        connection.announcement = std::get<transport::Announcement>(std::move(parsed));
        refusal = settle_endpoint(connection.announcement, connection.address, options_.insecure);
    }
    if (!refusal)
        refusal = enter_table(connection);
    if (refusal) {
        log_refused_.line("refused a worker from " + connection.address + ": " + refusal->why);
        connection.last_refused = Clock::now();
        reply.status = refusal->status;
        reply.reason = refusal->why;
        connection.session.reply(event.stream, transport::to_headers(reply), true);
        return;
    }
    reply.warning = warn_if_mixed(connection);
    connection.announcement_stream = event.stream;
    connection.session.reply(event.stream, transport::to_headers(reply), false);
}

std::string Registry::warn_if_mixed(const WorkerConnection& connection) {
    Mixture found;
    for (const auto& [id, other] : announced_) {
        if (other.get() == &connection || other->draining)
            continue;
        found = compare(connection.announcement, other->announcement);
        if (found.is_mixed())
            break;
    }
    if (mixed_.size() > table_.size().workers)
        mixed_.clear();  // of services that have no worker any more
    if (!found.is_mixed()) {
        mixed_.erase(connection.announcement.service);
    } else if (auto& last = mixed_[connection.announcement.service]; last != found.kind) {
        // Once, however many workers of the two there are.
        last = found.kind;
        log_mixed_.line(found.sentence);
    }
    return found.sentence;
}

void Registry::on_update(WorkerConnection& connection, const spdy::HeadersReceived& event) {
    if (!connection.slot || connection.announcement_stream != event.stream)
        return;
    auto announcement = connection.announcement;
    auto error = transport::update(announcement, event.headers);
    if (!error)
        error = settle_endpoint(announcement, connection.address, options_.insecure);
    if (!error)
        error = change(connection, std::move(announcement));
    if (error)
        log_wrong_update_.line("worker '" + connection.announcement.name +
                               "' sent a wrong update, ignored: " + error->why);
    else
        (void)warn_if_mixed(connection);
    if (event.fin)
        leave(connection, "left", goaway_of(connection));
}

void Registry::drop(const std::string& routing_id, const std::string& how) {
    const auto found = connections_.find(routing_id);
    if (found == connections_.end())
        return;
    const auto connection = found->second;
    connections_.erase(found);
    if (connection->slot)
        leave(*connection, how, fate_unknown);
    else if (!connection->announcement_stream)
        log_dropped_.line("dropped a connection from " + connection->address + " that " + how);
}

bool Registry::flush(WorkerConnection& connection) {
    if (connection.session.output_size() == 0)
        return true;
    const zmq::message_t id(connection.routing_id.data(), connection.routing_id.size());
    // [routing id][empty peer][frames]: the empty one says that the registry itself speaks.
    auto result = transport::SendResult::sent;
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        if (!workers_.send(zmq::const_buffer(id.data(), id.size()), more)) {
            result = transport::SendResult::full;
        } else {
            const zmq::message_t registry;
            result =
                transport::send(workers_, &registry, transport::to_message(connection.session.take_output()));
        }
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
        result = transport::SendResult::unreachable;
    }
    if (result == transport::SendResult::sent)
        return true;
    drop(connection.routing_id, connection.draining ? "left"
                                : result == transport::SendResult::full
                                    ? "is gone: it does not read what it is sent"
                                    : "is gone: its connection ended");
    return false;
}

}  // namespace zmqspdy::router
