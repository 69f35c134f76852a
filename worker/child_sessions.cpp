#include "worker/child_sessions.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace zmqspdy::serving {

namespace {

constexpr std::size_t kMaxDead = 256;
constexpr std::size_t kMostShown = 32;
/// The protocol's. A peer of libzmq's whose id is another's already is named by its first message instead, whatever its size.
constexpr std::size_t kMostIdBytes = 255;

std::string hex(std::string_view peer) {
    std::string text;
    for (const char c : peer.substr(0, kMostShown)) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        text += digits.data();
    }
    return peer.size() > kMostShown ? text + "..." : text;
}

}  // namespace

void ChildSessions::receive(const zmq::message_t& peer, zmq::message_t& frames, std::size_t parts) {
    if (parts == 2 && frames.empty())
        return;  // a probe
    const std::string_view id = peer.to_string_view();
    if (id.size() > kMostIdBytes)
        return;
    auto found = sessions_.find(id);
    if (found == sessions_.end()) {
        if (is_dead(id))
            return;
        found =
            sessions_.try_emplace(std::string(id), std::make_unique<ChildSession>(outlet_, dispatcher_, id))
                .first;
    }
    ChildSession& session = *found->second;
    if (parts != 2)
        return session.refuse("a message has " + std::to_string(parts) + " parts instead of 2");
    session.receive(frames);
    if (path_ == Path::relayed && session.peer_went_away())
        drop(session);
}

bool ChildSessions::flush() {
    flushing_.swap(outlet_.touched);
    for (ChildSession* session : flushing_)
        session->flush();
    for (ChildSession* session : flushing_) {
        if (session->is_lost())
            drop(*session);
    }
    flushing_.clear();
    return std::exchange(outlet_.sent, false);
}

void ChildSessions::probe() {
    std::vector<ChildSession*> gone;
    for (const auto& [peer, session] : sessions_) {
        if (!session->is_reachable())
            gone.push_back(session.get());
    }
    for (ChildSession* session : gone)
        drop(*session);
}

void ChildSessions::heartbeat() {
    for (const auto& [peer, session] : sessions_)
        session->heartbeat();
}

void ChildSessions::drain() {
    for (const auto& [peer, session] : sessions_)
        session->drain();
}

void ChildSessions::break_off() {
    for (const auto& [peer, session] : sessions_)
        session->break_off();
}

void ChildSessions::leave() {
    for (const auto& [peer, session] : sessions_)
        session->leave();
}

bool ChildSessions::has_left() const {
    return std::all_of(sessions_.begin(), sessions_.end(),
                       [](const auto& each) { return each.second->has_left(); });
}

bool ChildSessions::is_idle() const {
    return std::all_of(sessions_.begin(), sessions_.end(),
                       [](const auto& each) { return each.second->is_idle(); });
}

bool ChildSessions::is_dead(std::string_view peer) const noexcept {
    return std::find(dead_.begin(), dead_.end(), peer) != dead_.end();
}

void ChildSessions::drop(ChildSession& session) {
    const std::string peer(session.peer());
    if (!session.fault().empty())
        dropped_.line("dropped the httpd child " + hex(peer) + ": " + session.fault());
    // What a connection that has closed still brings must not look like a new peer. Only libzmq's ids are never used
    // again; a relayed peer may come back.
    if (!session.fault().empty() || path_ == Path::direct) {
        if (dead_.size() == kMaxDead)
            dead_.pop_front();
        dead_.push_back(peer);
    }
    sessions_.erase(peer);
}

}  // namespace zmqspdy::serving
