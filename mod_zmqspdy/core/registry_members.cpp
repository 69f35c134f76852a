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
zmq::message_t (*goaway_of(const Member& member))() {
    return member.draining ? nothing_processed : fate_unknown;
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

Registry::MemberPtr Registry::find(const std::string& routing_id, std::span<zmq::message_t> parts) {
    if (const auto found = members_.find(routing_id); found != members_.end()) {
        // Once in a long while the first message does not tell.
        if (auto& address = found->second->address; address.empty())
            address = peer_address(parts);
        return found->second;
    }
    if (members_.size() >= announced_.size() + kMaxUnannounced)
        return nullptr;
    auto member = std::make_shared<Member>(routing_id, peer_address(parts));
    members_.emplace(routing_id, member);
    return member;
}

bool Registry::receive_from_worker() {
    std::array<zmq::message_t, 3> parts;
    const auto count = transport::receive(workers_, parts);
    if (!count)
        return false;
    const std::string routing_id = parts[0].to_string();
    const auto member = find(routing_id, std::span{parts}.first(std::min(*count, parts.size())));
    if (!member)
        return true;
    member->heard(Clock::now());
    if (*count != parts.size()) {
        member->session.go_away(spdy::GoAwayCode::protocol_error);
        (void)flush(*member);
        drop(routing_id, "sent a message of " + std::to_string(*count - 1) + " parts instead of two");
    } else if (parts[1].empty()) {
        on_control(member, parts[2]);
    } else {
        on_relayed(*member, parts[1], std::move(parts[2]));
    }
    return true;
}

void Registry::on_control(const MemberPtr& member, const zmq::message_t& frames) {
    std::vector<spdy::Event> events;
    const auto fault = member->session.receive(transport::bytes_of(frames), events);
    for (const auto& event : events) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event)) {
            if (transport::is_identity_question(opened->headers))
                member->session.reply(opened->stream, transport::to_headers(identity()), true);
            else
                on_announcement(*member, *opened);
        } else if (const auto* headers = std::get_if<spdy::HeadersReceived>(&event)) {
            on_update(*member, *headers);
        } else if (std::holds_alternative<spdy::GoAwayReceived>(event)) {
            member->draining = true;
            publish(*member);
        }
        const auto* data = std::get_if<spdy::DataReceived>(&event);
        if (data && data->fin && member->announcement_stream == data->stream)
            leave(*member, "left", goaway_of(*member));
        const auto* reset = std::get_if<spdy::StreamReset>(&event);
        if (reset && member->announcement_stream == reset->stream)
            leave(*member, "left", fate_unknown);
    }
    const bool broken = fault || !member->session.at_frame_boundary();
    if (broken && !fault)
        member->session.go_away(spdy::GoAwayCode::protocol_error);
    if (flush(*member) && broken)
        drop(member->routing_id,
             "broke SPDY: " + std::string(fault ? fault->why : "a frame split over two messages"));
}

transport::AnnouncementReply Registry::identity() const {
    return {.status = 200, .reason = {}, .router = options_.identity, .heartbeat = options_.heartbeat};
}

void Registry::on_announcement(Member& member, const spdy::StreamOpened& event) {
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
        member.announcement = std::get<transport::Announcement>(std::move(parsed));
        refusal = settle_endpoint(member.announcement, member.address, options_.insecure);
    }
    if (!refusal)
        refusal = enter_table(member);
    if (refusal) {
        log_refused_.line("refused a worker from " + member.address + ": " + refusal->why);
        member.last_refused = Clock::now();
        reply.status = refusal->status;
        reply.reason = refusal->why;
        member.session.reply(event.stream, transport::to_headers(reply), true);
        return;
    }
    reply.warning = warn_if_mixed(member);
    member.announcement_stream = event.stream;
    member.session.reply(event.stream, transport::to_headers(reply), false);
}

std::string Registry::warn_if_mixed(const Member& member) {
    Mixture found;
    for (const auto& [id, other] : announced_) {
        if (other.get() == &member || other->draining)
            continue;
        found = compare(member.announcement, other->announcement);
        if (found.is_mixed())
            break;
    }
    if (mixed_.size() > table_.size().workers)
        mixed_.clear();  // of services that have no worker any more
    if (!found.is_mixed()) {
        mixed_.erase(member.announcement.service);
    } else if (auto& last = mixed_[member.announcement.service]; last != found.kind) {
        // Once, however many workers of the two there are.
        last = found.kind;
        log_mixed_.line(found.sentence);
    }
    return found.sentence;
}

void Registry::on_update(Member& member, const spdy::HeadersReceived& event) {
    if (!member.slot || member.announcement_stream != event.stream)
        return;
    auto announcement = member.announcement;
    auto error = transport::update(announcement, event.headers);
    if (!error)
        error = settle_endpoint(announcement, member.address, options_.insecure);
    if (!error)
        error = change(member, std::move(announcement));
    if (error)
        log_wrong_update_.line("worker '" + member.announcement.name +
                               "' sent a wrong update, ignored: " + error->why);
    else
        (void)warn_if_mixed(member);
    if (event.fin)
        leave(member, "left", goaway_of(member));
}

void Registry::drop(const std::string& routing_id, const std::string& how) {
    const auto found = members_.find(routing_id);
    if (found == members_.end())
        return;
    const auto member = found->second;
    members_.erase(found);
    if (member->slot)
        leave(*member, how, fate_unknown);
    else if (!member->announcement_stream)
        log_dropped_.line("dropped a connection from " + member->address + " that " + how);
}

bool Registry::flush(Member& member) {
    if (member.session.output_size() == 0)
        return true;
    const zmq::message_t id(member.routing_id.data(), member.routing_id.size());
    // [routing id][empty peer][frames]: the empty one says that the registry itself speaks.
    auto result = transport::SendResult::sent;
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        if (!workers_.send(zmq::const_buffer(id.data(), id.size()), more)) {
            result = transport::SendResult::full;
        } else {
            const zmq::message_t registry;
            result =
                transport::send(workers_, &registry, transport::to_message(member.session.take_output()));
        }
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
        result = transport::SendResult::unreachable;
    }
    if (result == transport::SendResult::sent)
        return true;
    drop(member.routing_id, member.draining ? "left"
                            : result == transport::SendResult::full
                                ? "is gone: it does not read what it is sent"
                                : "is gone: its connection ended");
    return false;
}

}  // namespace zmqspdy::router
