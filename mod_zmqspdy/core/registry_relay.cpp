// What the registry carries between children and workers that cannot be dialled.
#include <array>
#include <utility>

#include "mod_zmqspdy/core/goaway_messages.hpp"
#include "mod_zmqspdy/core/registry.hpp"
#include "mod_zmqspdy/core/relay_id.hpp"
#include "transport/message.hpp"

namespace zmqspdy::router {

void Registry::on_relayed(WorkerConnection& connection, zmq::message_t& link, zmq::message_t frames) {
    // A worker may answer only those links that name it.
    if (!connection.slot || RelayId::worker_of(link.to_string_view()) != connection.worker)
        return;
    if (transport::send(children_, &link, std::move(frames)) != transport::SendResult::sent)
        forget_link(link.to_string());
}

bool Registry::receive_from_child() {
    std::array<zmq::message_t, 2> parts;
    const auto count = transport::receive(children_, parts);
    if (!count)
        return false;
    const auto worker = RelayId::worker_of(parts[0].to_string_view());
    if (!worker || *count != parts.size())
        return true;
    const auto found = announced_.find(*worker);
    if (found == announced_.end()) {
        // A link that it had used was told when it left, which is what the child reads first.
        (void)transport::send(children_, &parts[0], nothing_processed());
        return true;
    }
    const ConnectionPtr connection = found->second;
    links_.emplace(parts[0].to_string(), *worker);
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        const zmq::const_buffer id(connection->routing_id.data(), connection->routing_id.size());
        if (!workers_.send(id, more) ||
            transport::send(workers_, &parts[0], std::move(parts[1])) != transport::SendResult::sent) {
            drop(connection->routing_id, "is gone: it does not read what it is sent");
            (void)transport::send(children_, &parts[0], fate_unknown());
        }
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
        // First out of the table, so that the child does not try it again.
        drop(connection->routing_id, connection->draining ? "left" : "is gone: its connection ended");
        (void)transport::send(children_, &parts[0], fate_unknown());
    }
    return true;
}

void Registry::forget_link(const std::string& link) {
    const auto found = links_.find(link);
    if (found == links_.end())
        return;
    const auto worker = announced_.find(found->second);
    links_.erase(found);
    if (worker == announced_.end())
        return;
    const ConnectionPtr connection = worker->second;
    const zmq::message_t id(connection->routing_id.data(), connection->routing_id.size());
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        const zmq::message_t peer(link.data(), link.size());
        if (workers_.send(zmq::const_buffer(id.data(), id.size()), more))
            (void)transport::send(workers_, &peer, fate_unknown());
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
    }
}

void Registry::probe_children() {
    std::vector<std::string> left;
    for (const auto& [link, worker] : links_) {
        const zmq::message_t id(link.data(), link.size());
        if (transport::send(children_, &id, zmq::message_t{}) != transport::SendResult::sent)
            left.push_back(link);
    }
    for (const auto& link : left)
        forget_link(link);
}

}  // namespace zmqspdy::router
