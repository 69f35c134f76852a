#include "mod_zmqspdy/core/registry.hpp"

#include <malloc.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mod_zmqspdy/core/relay_id.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

namespace zmqspdy::router {

namespace {

enum Token : std::uint64_t { kStop, kWorkers, kChildren, kWorkersMonitor, kChildrenMonitor };

// Connections that have spoken but not announced a worker: how many, and for how long.
constexpr std::size_t kMaxUnannounced = 128;
constexpr std::chrono::seconds kAnnounceWithin{5};

// A connection's end is reported before the socket itself knows of it: so everybody is asked a moment later,
// and once more for good measure. No more often than this, because each question costs its answer.
constexpr std::chrono::milliseconds kProbeDelay{2};
constexpr std::chrono::milliseconds kProbeInterval{50};
constexpr int kProbes = 2;

// A GOAWAY in the name of a peer that is gone. It takes back nothing (every stream may have been processed)
// and its code says that nothing more will come. It may be the first that is heard of that peer, and a
// session begins with SETTINGS.
constexpr std::array<unsigned char, 28> kGone{
    0x80, 3, 0, 4, 0, 0, 0, 4, 0,    0,    0,    0,                  // SETTINGS: none
    0x80, 3, 0, 7, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2};  // GOAWAY

zmq::message_t gone() {
    return zmq::message_t(kGone.data(), kGone.size());
}

// The same for a worker that had finished all it took before it left, or that had left before: nothing that is still open was
// processed, and all of it may be sent to another, whatever the method.
constexpr std::array<unsigned char, 28> kFinished{0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0,  // SETTINGS: none
                                                  0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0,
                                                  0,    0, 0, 0};  // GOAWAY

zmq::message_t finished() {
    return zmq::message_t(kFinished.data(), kFinished.size());
}

}  // namespace

Registry::Registry(WorkerTable table, RegistryOptions options, Log log)
    : table_{table},
      options_{std::move(options)},
      log_{std::move(log)},
      context_{1},
      workers_{context_, zmq::socket_type::router},
      children_{context_, zmq::socket_type::router} {
    transport::set_limits(workers_);
    workers_.set(zmq::sockopt::router_mandatory, true);
    // The parent made this socket, so that a busy port stops httpd's start, and a registry that follows a
    // dead one finds the workers that dialled meanwhile in the backlog.
    workers_.set(zmq::sockopt::use_fd, options_.listen_fd);
    workers_monitor_.emplace(context_, workers_, ZMQ_EVENT_DISCONNECTED);
    workers_.bind(options_.listen);

    transport::set_limits(children_);
    children_.set(zmq::sockopt::router_mandatory, true);
    children_monitor_.emplace(context_, children_, ZMQ_EVENT_DISCONNECTED);
    children_.bind(options_.relay_endpoint);

    poller_.add(workers_.get(zmq::sockopt::fd), kWorkers);
    poller_.add(children_.get(zmq::sockopt::fd), kChildren);
    poller_.add(workers_monitor_->fd(), kWorkersMonitor);
    poller_.add(children_monitor_->fd(), kChildrenMonitor);
    adopt_table();
}

Registry::~Registry() {
    workers_monitor_.reset();
    children_monitor_.reset();
}

void Registry::adopt_table() {
    const auto until = Clock::now() + options_.heartbeat * transport::kMissedHeartbeats;
    for (std::uint32_t slot = 0; slot < table_.size().workers; ++slot) {
        const auto record = table_.read(slot);
        // Workers that children dial never noticed: they keep their place and have some heartbeats to
        // announce themselves again. Relayed ones lost their sessions with the registry that relayed them. A
        // record whose writer died over it reads as 0.
        if (record.id != 0 && record.relayed == 0)
            orphans_[slot] = until;
        else
            table_.clear(slot);
    }
    table_changed();
}

void Registry::run(int stop_fd) {
    poller_.add(stop_fd, kStop);
    next_tick_ = Clock::now();
    while (true) {
        // The descriptors are edge-triggered: look at everything until nothing is left.
        bool more = true;
        while (more) {
            more = watch();
            for (int i = 0; i < 256 && receive_from_worker(); ++i)
                more = true;
            for (int i = 0; i < 256 && receive_from_child(); ++i)
                more = true;
        }
        const auto now = Clock::now();
        if (now >= next_tick_) {
            next_tick_ = now + options_.heartbeat / 2;
            tick(now);
            continue;  // it has sent, which may have swallowed an edge
        }
        if (probes_left_ > 0 && now >= next_probe_) {
            --probes_left_;
            next_probe_ = now + kProbeInterval;
            probe();
            continue;
        }
        table_.report({.pid = getpid(),
                       .connections = static_cast<std::uint32_t>(members_.size()),
                       .relayed_sessions = static_cast<std::uint32_t>(links_.size())});
        const bool alone = members_.empty() && orphans_.empty() && probes_left_ == 0;
        const auto next = probes_left_ > 0 ? std::min(next_probe_, next_tick_) : next_tick_;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
        for (const auto& event : poller_.wait(alone ? std::chrono::milliseconds{-1} : left))
            if (event.data.u64 == kStop)
                return;
    }
}

Registry::MemberPtr Registry::find(const std::string& routing_id, zmq::message_t& part) {
    if (const auto found = members_.find(routing_id); found != members_.end())
        return found->second;
    if (members_.size() >= announced_.size() + kMaxUnannounced)
        return nullptr;
    const char* address = "";
    try {
        address = part.gets("Peer-Address");
    } catch (const zmq::error_t&) {
        // A connection that ended meanwhile has none; it will not be believed to be local then.
    }
    auto member = std::make_shared<Member>(routing_id, address);
    members_.emplace(routing_id, member);
    return member;
}

bool Registry::receive_from_worker() {
    std::array<zmq::message_t, 3> parts;
    const auto count = transport::receive(workers_, parts);
    if (!count)
        return false;
    const std::string routing_id = parts[0].to_string();
    const auto member = find(routing_id, parts[0]);
    if (!member)
        return true;
    member->last_heard = Clock::now();
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
            on_announcement(*member, *opened);
        } else if (const auto* headers = std::get_if<spdy::HeadersReceived>(&event)) {
            on_update(*member, *headers);
        } else if (std::holds_alternative<spdy::GoAwayReceived>(event)) {
            member->draining = true;
            publish(*member);
        }
        const auto* data = std::get_if<spdy::DataReceived>(&event);
        const auto* reset = std::get_if<spdy::StreamReset>(&event);
        const bool ends = (data && data->fin) || reset;
        if (ends && member->announcement_stream == (data ? data->stream : reset->stream))
            leave(*member, "left", finished);
    }
    const bool broken = fault || !member->session.at_frame_boundary();
    if (broken && !fault)
        member->session.go_away(spdy::GoAwayCode::protocol_error);
    if (flush(*member) && broken)
        drop(member->routing_id,
             "broke SPDY: " + std::string(fault ? fault->why : "a frame split over two messages"));
}

void Registry::on_announcement(Member& member, const spdy::StreamOpened& event) {
    transport::AnnouncementReply reply;
    reply.heartbeat = options_.heartbeat;
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
    if (!refusal) {
        enter_table(member);
        if (!member.slot)
            refusal = {503, "the worker table is full (ZmqSpdyMaxWorkers " +
                                std::to_string(table_.size().workers) + ")"};
    }
    if (refusal) {
        log_(LogLevel::warning, "refused a worker from " + member.address + ": " + refusal->why);
        reply.status = refusal->status;
        reply.reason = refusal->why;
        member.session.reply(event.stream, transport::to_headers(reply), true);
        return;
    }
    member.announcement_stream = event.stream;
    member.session.reply(event.stream, transport::to_headers(reply), false);
}

void Registry::enter_table(Member& member) {
    const auto& announcement = member.announcement;
    // The same endpoint is the same worker, back after a new connection or a new registry: children's
    // sessions with it go on.
    if (announcement.endpoint) {
        const auto endpoint = transport::to_string(*announcement.endpoint);
        for (std::uint32_t slot = 0; slot < table_.size().workers; ++slot) {
            const auto record = table_.read(slot);
            if (record.id == 0 || record.endpoint_view() != endpoint)
                continue;
            if (const auto before = announced_.find(record.id); before != announced_.end())
                before->second->slot.reset();  // its old connection may end without taking the worker along
            orphans_.erase(slot);
            member.slot = slot;
            member.worker = record.id;
            break;
        }
    }
    const bool known = member.slot.has_value();
    if (!known) {
        member.slot = table_.find_free();
        if (!member.slot)
            return;
        member.worker = table_.next_id();
    }
    announced_[member.worker] = members_.at(member.routing_id);
    publish(member);
    const std::string where = announcement.endpoint ? transport::to_string(*announcement.endpoint)
                                                    : "relayed from " + member.address;
    log_(known ? LogLevel::info : LogLevel::notice,
         "worker '" + announcement.name + (known ? "' is back: " : "' joined: ") + where + ", capacity " +
             std::to_string(announcement.capacity));
}

void Registry::on_update(Member& member, const spdy::HeadersReceived& event) {
    if (!member.slot || member.announcement_stream != event.stream)
        return;
    auto announcement = member.announcement;
    auto error = transport::update(announcement, event.headers);
    if (!error)
        error = settle_endpoint(announcement, member.address, options_.insecure);
    if (error) {
        log_(LogLevel::warning,
             "worker '" + member.announcement.name + "' sent a wrong update, ignored: " + error->why);
    } else {
        member.announcement = std::move(announcement);
        publish(member);
    }
    if (event.fin)
        leave(member, "left", finished);
}

void Registry::publish(const Member& member) {
    if (!member.slot)
        return;
    table_.write(*member.slot, to_record(member.announcement, member.worker, member.draining));
    table_changed();
}

void Registry::leave(Member& member, const std::string& how, zmq::message_t (*last_word)()) {
    if (!member.slot)
        return;
    table_.clear(*member.slot);
    table_changed();
    log_(LogLevel::notice, "worker '" + member.announcement.name + "' " + how);
    // Behind all that was relayed for it, so that what it finished is not cut off.
    std::erase_if(links_, [this, &member, last_word](const auto& link) {
        if (link.second != member.worker)
            return false;
        const zmq::message_t id(link.first.data(), link.first.size());
        (void)transport::send(children_, &id, last_word());
        return true;
    });
    announced_.erase(member.worker);
    member.slot.reset();
}

void Registry::drop(const std::string& routing_id, const std::string& how) {
    const auto found = members_.find(routing_id);
    if (found == members_.end())
        return;
    const auto member = found->second;
    members_.erase(found);
    if (member->slot)
        leave(*member, how, gone);
    else if (!member->announcement_stream)
        log_(LogLevel::info, "dropped a connection from " + member->address + " that " + how);
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

// Relaying.

void Registry::on_relayed(Member& member, zmq::message_t& link, zmq::message_t frames) {
    // A worker may answer only those links that name it.
    if (!member.slot || RelayId::worker_of(link.to_string_view()) != member.worker)
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
        (void)transport::send(children_, &parts[0], finished());
        return true;
    }
    const MemberPtr member = found->second;
    links_.emplace(parts[0].to_string(), *worker);
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        const zmq::const_buffer id(member->routing_id.data(), member->routing_id.size());
        if (!workers_.send(id, more) ||
            transport::send(workers_, &parts[0], std::move(parts[1])) != transport::SendResult::sent) {
            drop(member->routing_id, "is gone: it does not read what it is sent");
            (void)transport::send(children_, &parts[0], gone());
        }
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
        // First out of the table, so that the child does not try it again.
        drop(member->routing_id, member->draining ? "left" : "is gone: its connection ended");
        (void)transport::send(children_, &parts[0], gone());
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
    const MemberPtr member = worker->second;
    const zmq::message_t id(member->routing_id.data(), member->routing_id.size());
    try {
        const auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        const zmq::message_t peer(link.data(), link.size());
        if (workers_.send(zmq::const_buffer(id.data(), id.size()), more))
            (void)transport::send(workers_, &peer, gone());
    } catch (const zmq::error_t& error) {
        if (error.num() != EHOSTUNREACH)
            throw;
    }
}

// Liveness.

bool Registry::watch() {
    bool left = false;
    while (workers_monitor_->next())
        left = true;
    while (children_monitor_->next())
        left = true;
    if (left) {
        probes_left_ = kProbes;
        next_probe_ = std::max(next_probe_, Clock::now() + kProbeDelay);
        trim_memory_ = true;
    }
    return left;
}

void Registry::probe() {
    // The monitor does not say who left: a ROUTER refuses to send to a peer that is gone, so everybody is
    // asked. Sending alone looks for news of its connections only now and then; this looks at once.
    (void)workers_.get(zmq::sockopt::events);
    (void)children_.get(zmq::sockopt::events);
    probe_workers();
    probe_children();
}

void Registry::probe_workers() {
    std::vector<MemberPtr> all;
    all.reserve(members_.size());
    for (const auto& [id, member] : members_)
        all.push_back(member);
    for (const auto& member : all) {
        member->session.ping();
        (void)flush(*member);
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

void Registry::tick(Clock::time_point now) {
    std::vector<MemberPtr> all;
    all.reserve(members_.size());
    for (const auto& [id, member] : members_)
        all.push_back(member);
    for (const auto& member : all) {
        if (now - member->last_heard > options_.heartbeat * transport::kMissedHeartbeats) {
            drop(member->routing_id,
                 "is gone: silent for " + std::to_string(transport::kMissedHeartbeats) + " heartbeats");
            continue;
        }
        if (!member->slot && now - member->first_heard > kAnnounceWithin) {
            drop(member->routing_id, "announced no worker");
            continue;
        }
        if (now - member->last_beat >= options_.heartbeat) {
            member->session.tick(std::chrono::duration<double>(now - member->last_beat).count());
            member->last_beat = now;
            member->session.ping();
        }
        (void)flush(*member);
    }
    for (auto orphan = orphans_.begin(); orphan != orphans_.end();) {
        if (now < orphan->second) {
            ++orphan;
            continue;
        }
        const auto record = table_.read(orphan->first);
        log_(LogLevel::notice, "worker '" + std::string(record.name_view()) +
                                   "' did not come back after a restart of the registry");
        table_.clear(orphan->first);
        table_changed();
        orphan = orphans_.erase(orphan);
    }
    // What a crowd of connections took stays in the heaps otherwise, libzmq's thread's among them.
    if (std::exchange(trim_memory_, false))
        malloc_trim(0);
}

void Registry::table_changed() {
    if (options_.wakeup_fd >= 0)
        (void)eventfd_write(options_.wakeup_fd, 1);
}

}  // namespace zmqspdy::router
