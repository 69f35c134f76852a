// A worker as the registry knows it: its connection to the worker port and what it announced over it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "mod_zmqspdy/core/worker_table.hpp"
#include "transport/announcement.hpp"
#include "transport/session_time.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::router {

/// Belongs to the registry's thread.
struct WorkerConnection {
    using Clock = std::chrono::steady_clock;

    WorkerConnection(std::string id, std::string from);

    /// A message of it has come, and is about to be looked at.
    void heard(Clock::time_point now) noexcept;

    std::string routing_id;  ///< of its connection, given by libzmq
    std::string address;     ///< where the connection comes from
    spdy::Session session;
    transport::SessionTime session_time;
    Clock::time_point first_heard;
    Clock::time_point last_heard;
    Clock::time_point last_asked;                               ///< by a PING of ours
    Clock::time_point last_refused = Clock::time_point::min();  ///< an announcement of it

    // Once it has announced itself:
    std::optional<spdy::StreamId> announcement_stream;
    transport::Announcement announcement;
    std::optional<std::uint32_t> slot;
    WorkerId worker = 0;
    SharedTime joined = 0;
    bool draining = false;
    WorkerId told_undialable = 0;  ///< the announcement of which it was told that no child reaches it
};

/// The record of an announced worker as children read it.
[[nodiscard]] WorkerRecord to_record(const WorkerConnection& connection);

/// Replaces a wildcard host by `address`, where the connection comes from, and refuses what children must not
/// dial: endpoints of other hosts than the announcing one, sockets that are not workers', and without
/// `insecure` whatever other hosts can reach.
[[nodiscard]] std::optional<transport::AnnouncementError> settle_endpoint(
    transport::Announcement& announcement, const std::string& address, bool insecure);

}  // namespace zmqspdy::router
