// What a worker and a registry say to each other over a link: who it is, the announcement, and what the registry thinks of it.
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "transport/message.hpp"
#include "worker/router_link.hpp"

namespace zmqspdy::serving {

namespace {

/// A registry leaves those that it refused three times as long to ask again.
constexpr std::chrono::seconds kAnnounceAgain{5};
/// An endpoint that another connection holds is free within some heartbeats, if that one is an earlier run of this worker.
constexpr std::chrono::seconds kClaimAgain{1};
constexpr int kConflict = 409;
/// The address of a router that another link has may become another router's.
constexpr std::chrono::seconds kStandby{60};

}  // namespace

void RouterLink::begin() {
    if (setting_.known.may_repeat())
        connection_->question = connection_->session.open(transport::identity_question(), 0, true);
    if (!connection_->question)
        announce();
}

void RouterLink::announce() {
    announce_again_ = Clock::time_point::max();
    auto announcement = setting_.announcement;
    if (asks_for_relay_)
        announcement.endpoint.reset();
    connection_->announcement = connection_->session.open(to_headers(announcement), 0, false);
    if (!connection_->announcement)
        refused("it takes no streams", kAnnounceAgain);
}

void RouterLink::stand_by(std::uint64_t identity) {
    disconnect();
    failures_ = 0;
    standby_ = identity;
    due_ = Clock::now() + kStandby;
}

void RouterLink::refused(const std::string& reason, std::chrono::seconds pause) {
    // The registry takes one stream at a time: this one must have ended before the next announcement.
    if (const auto stream = std::exchange(connection_->announcement, std::nullopt))
        (void)connection_->session.send(*stream, {}, true);
    connection_->announced = false;
    announce_again_ = Clock::now() + pause;
    news_.refused(reason, pause);
}

void RouterLink::heard_from_registry(const zmq::message_t& frames) {
    spdy::Session& session = connection_->session;
    connection_->session_time.pass(session, Clock::now());
    events_.clear();
    const auto fault = session.receive(transport::bytes_of(frames), events_);
    for (const auto& event : events_) {
        if (const auto* reply = std::get_if<spdy::ReplyReceived>(&event))
            on(*reply);
        else if (const auto* reset = std::get_if<spdy::StreamReset>(&event))
            on(*reset);
        else if (const auto* headers = std::get_if<spdy::HeadersReceived>(&event))
            on(*headers);
        else if (const auto* ping = std::get_if<spdy::PingAcknowledged>(&event);
                 ping && ping->id == connection_->farewell)
            connection_->farewell_acknowledged = true;
        else if (const auto* data = std::get_if<spdy::DataReceived>(&event))
            session.consume(data->stream, data->payload.size());
    }
    if (fault || !session.at_frame_boundary()) {
        if (!fault)
            session.go_away(spdy::GoAwayCode::protocol_error);
        if (flush_session())
            lose("it broke the protocol: " + std::string(fault ? fault->why : "a message ends in a frame"));
        return;
    }
    if (session.peer_went_away() && !setting_.dispatcher.is_draining())
        return lose("it is going away");
    if (connection_->repeats)
        stand_by(*connection_->repeats);
}

void RouterLink::on(const spdy::ReplyReceived& event) {
    const bool is_identity = event.stream == connection_->question;
    if (!is_identity && event.stream != connection_->announcement)
        return;
    connection_->answered = true;
    const auto reply = transport::parse_reply(event.headers);
    if (is_identity) {
        connection_->question.reset();
        if (reply && reply->router != 0 && !setting_.known.claim(reply->router, *this))
            connection_->repeats = reply->router;
        else if (!setting_.dispatcher.is_draining() && !retiring_)
            announce();
        return;
    }
    if (!reply)
        return refused("its answer cannot be understood", kAnnounceAgain);
    if (reply->status != 201)
        return refused(reply->reason.empty() ? "status " + std::to_string(reply->status) : reply->reason,
                       reply->status == kConflict ? kClaimAgain : kAnnounceAgain);
    heartbeat_ = reply->heartbeat;
    due_ = Clock::now() + heartbeat_;
    connection_->announced = true;
    news_.announced(setting_.announcement.service, reply->warning);
}

void RouterLink::on(const spdy::StreamReset& event) {
    // Streams above the registry's last good one end like this, too: it is lost then, and found again.
    if (event.stream == connection_->question && !connection_->session.peer_went_away()) {
        connection_->question.reset();
        announce();  // it does not know the question
    } else if (event.stream == connection_->announcement && !connection_->session.peer_went_away()) {
        refused("it reset the stream (" + std::string(to_string(event.code)) + ")", kAnnounceAgain);
    }
}

void RouterLink::on(const spdy::HeadersReceived& event) {
    const auto why = transport::parse_undialable(event.headers);
    if (!why || !connection_->announced || event.stream != connection_->announcement || asks_for_relay_ ||
        !setting_.announcement.endpoint)
        return;
    asks_for_relay_ = true;
    news_.out_of_reach(*why);
    (void)connection_->session.headers(event.stream, transport::relay_instead(), false);
}

}  // namespace zmqspdy::serving
