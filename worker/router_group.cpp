#include "worker/router_group.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace zmqspdy::serving {

namespace {

using std::chrono::milliseconds;

/// Between two look-ups: a time to live of 0 says that nobody may keep the answer, not that we must ask all the time.
constexpr std::chrono::seconds kLeastTtl{1};
constexpr std::chrono::seconds kMostTtl{3600};
constexpr std::chrono::seconds kWithoutTtl{5};
/// While look-ups fail, or a router is away: doubled each time.
constexpr milliseconds kFirstRetry{1000};
constexpr milliseconds kLastRetry{30'000};
std::chrono::seconds lifetime(std::chrono::seconds ttl) {
    return ttl.count() == 0 ? kWithoutTtl : std::clamp(ttl, kLeastTtl, kMostTtl);
}

}  // namespace

RouterGroup::RouterGroup(const LinkSetting& setting, Tokens tokens, std::string router)
    : setting_{setting}, tokens_{tokens}, router_{std::move(router)}, retry_{kFirstRetry} {
    const auto parsed = std::get<transport::Endpoint>(transport::parse_endpoint(router_));
    const auto* tcp = std::get_if<transport::TcpEndpoint>(&parsed);
    if (tcp == nullptr || transport::is_address(tcp->host)) {
        add({}, parsed, router_);
    } else {
        name_ = *tcp;
        local_ = transport::is_localhost(tcp->host);
        if (local_)
            take(Addresses{{transport::kLoopbackAddresses.begin(), transport::kLoopbackAddresses.end()}, {}},
                 {});
        next_lookup_ = local_ ? Clock::time_point::max() : Clock::now();
    }
    settle();
}

void RouterGroup::add(const std::string& address, const transport::Endpoint& endpoint,
                      const std::string& label) {
    members_.push_back({address, std::make_unique<RouterLink>(setting_, tokens_, endpoint, label)});
}

std::chrono::milliseconds RouterGroup::heartbeat_interval() const noexcept {
    milliseconds least = transport::kMostHeartbeat;
    for (const auto& member : members_)
        least = std::min(least, member.link->heartbeat_interval());
    return members_.empty() ? transport::kDefaultHeartbeat : least;
}

void RouterGroup::look_up(Clock::time_point now) {
    last_lookup_ = now;
    next_lookup_ = Clock::time_point::max();
    try {
        lookup_ = std::make_unique<Lookup>(name_->host);
        setting_.poller.add(lookup_->fd(), tokens_.monitor);
    } catch (const std::exception& error) {
        lookup_.reset();
        return take(LookupFailure{"the name " + name_->host + " cannot be looked up: " + error.what()}, now);
    }
    read_lookup(now);
}

void RouterGroup::read_lookup(Clock::time_point now) {
    if (!lookup_ || !lookup_->process())
        return;
    const LookupResult result = *lookup_->process();
    end_lookup();
    std::visit([&](const auto& brought) { take(brought, now); }, result);
}

void RouterGroup::end_lookup() noexcept {
    if (lookup_)
        setting_.poller.remove(lookup_->fd());
    lookup_.reset();
}

void RouterGroup::take(const Addresses& found, Clock::time_point now) {
    for (const auto& address : found.list) {
        const auto known = std::find_if(members_.begin(), members_.end(), [&address](const Member& member) {
            return member.address == address;
        });
        if (known == members_.end())
            add(address, transport::TcpEndpoint{address, name_->port}, router_ + " at " + address);
        else if (!known->link->is_retiring())
            known->vanished.reset();
    }
    for (auto& member : members_) {
        if (!member.vanished &&
            std::find(found.list.begin(), found.list.end(), member.address) == found.list.end())
            member.vanished = now;
    }
    next_lookup_ = now + lifetime(found.ttl);
    retry_ = kFirstRetry;
    said_failure_.clear();
}

void RouterGroup::take(const LookupFailure& failure, Clock::time_point now) {
    next_lookup_ = now + retry_;
    retry_ = std::min(retry_ * 2, kLastRetry);
    if (std::exchange(said_failure_, failure.why) == failure.why)
        return;
    setting_.log.line(LogLevel::warning,
                      "cannot find the router " + router_ + ": " + failure.why +
                          (members_.empty() ? "; asking again until it is found"
                                            : "; keeping the addresses that it had, and asking again"));
}

void RouterGroup::hear_of_losses(Clock::time_point now) {
    bool lost = false;
    for (const auto& member : members_)
        lost = member.link->take_loss() || lost;
    if (!lost || !name_ || local_ || lookup_)
        return;
    // It may have moved. The name server may not know yet, so not only once.
    const auto next = std::max(now, last_lookup_ + retry_);
    if (next >= next_lookup_)
        return;
    next_lookup_ = next;
    retry_ = std::min(retry_ * 2, kLastRetry);
}

void RouterGroup::drop_vanished(Clock::time_point now) {
    for (auto& member : members_) {
        if (member.vanished && (!member.link->is_connected() || now - *member.vanished >= setting_.grace))
            member.link->retire();
    }
    std::erase_if(members_, [](const Member& member) { return member.link->is_retired(); });
}

void RouterGroup::report() {
    const bool serves = std::any_of(members_.begin(), members_.end(), [](const Member& member) {
        return member.link->is_announced() || member.link->is_standby();
    });
    const bool all_failed = std::all_of(members_.begin(), members_.end(),
                                        [](const Member& member) { return member.link->has_failed(); });
    for (auto& member : members_) {
        member.link->set_patient(serves);
        // A host need not listen at both of its loopback addresses: one line, and only when it does at neither.
        if (local_ && (serves || &member != &members_.front()))
            member.link->news().forget();
        else if (!local_ || all_failed)
            member.link->news().say();
    }
}

void RouterGroup::look_after_members(Clock::time_point now) {
    if (!setting_.dispatcher.is_draining()) {
        hear_of_losses(now);
        drop_vanished(now);
    }
    report();
}

void RouterGroup::settle() {
    socket_hot_ = std::any_of(members_.begin(), members_.end(),
                              [](const Member& member) { return member.link->is_socket_hot(); });
    monitor_hot_ = std::any_of(members_.begin(), members_.end(),
                               [](const Member& member) { return member.link->is_monitor_hot(); });
}

void RouterGroup::receive() {
    const bool socket = std::exchange(socket_hot_, false);
    const bool monitor = std::exchange(monitor_hot_, false);
    for (const auto& member : members_) {
        if (socket)
            member.link->wake_socket();
        if (monitor)
            member.link->wake_monitor();
        member.link->receive();
    }
    if (monitor) {
        const auto now = Clock::now();
        read_lookup(now);
        look_after_members(now);
    }
    settle();
}

void RouterGroup::flush() {
    for (const auto& member : members_)
        member.link->flush();
    settle();
}

RouterGroup::Clock::time_point RouterGroup::deadline() const {
    auto due = lookup_ ? lookup_->deadline() : next_lookup_;
    for (const auto& member : members_) {
        due = std::min(due, member.link->deadline());
        if (member.vanished && !member.link->is_retiring())
            due = std::min(due, *member.vanished + setting_.grace);
    }
    return due;
}

void RouterGroup::on_time(Clock::time_point now) {
    look_after_members(now);  // before a link that is no longer needed connects again
    for (const auto& member : members_) {
        if (now >= member.link->deadline())
            member.link->on_time(now);
    }
    if (!setting_.dispatcher.is_draining()) {
        if (lookup_)
            read_lookup(now);
        else if (now >= next_lookup_)
            look_up(now);
    }
    look_after_members(now);
    settle();
}

void RouterGroup::heartbeat() {
    for (const auto& member : members_)
        member.link->heartbeat();
}

void RouterGroup::drain() {
    end_lookup();
    next_lookup_ = Clock::time_point::max();
    for (const auto& member : members_)
        member.link->drain();
}

void RouterGroup::break_off() {
    for (const auto& member : members_)
        member.link->break_off();
}

void RouterGroup::leave() {
    for (const auto& member : members_)
        member.link->leave();
}

bool RouterGroup::has_left() const {
    return std::all_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.link->has_left(); });
}

}  // namespace zmqspdy::serving
