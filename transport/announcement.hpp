// What a worker tells the registry of itself: the headers of its `POST /workers` stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "transport/endpoint.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::transport {

struct Announcement {
    std::optional<Endpoint> endpoint;  ///< where children dial the worker; absent: relay through the registry
    std::string name;  ///< for logs and people; 1 to 63 visible ASCII characters, need not be unique
    std::uint32_t capacity = 1;  ///< requests it takes at once, over all routers' children: 1 to 65535
    std::uint32_t weight = 1;    ///< share of the traffic compared to others: 1 to 100
    std::string service;         ///< which ZmqSpdyService it belongs to; empty: the unnamed one
    /// Which program it is, and which version of it: for a warning where workers of one service differ. Up to 63 visible
    /// ASCII characters; empty: it does not say.
    std::string program = {};
    std::string version = {};
    /// Tells this process from any other, also when it is announced anew; 0: it does not say.
    std::uint64_t instance = 0;
};

inline constexpr std::size_t kMaxNameLength = 63;
inline constexpr std::uint32_t kMaxCapacity = 65535;
inline constexpr std::uint32_t kMaxWeight = 100;

/// True for 1 to kMaxNameLength visible ASCII characters: fit for logs and for our tables.
[[nodiscard]] bool is_valid_name(std::string_view name) noexcept;

[[nodiscard]] spdy::HeaderBlock to_headers(const Announcement& announcement);

struct AnnouncementError {
    int status;       ///< the 4xx to answer with
    std::string why;  ///< a sentence for the worker's log
};
[[nodiscard]] std::variant<Announcement, AnnouncementError> parse_announcement(
    const spdy::HeaderBlock& headers);
/// Changes what `headers` name (HEADERS on the announcement's stream); an empty `endpoint` takes it away. On an error some of
/// it may have been changed.
[[nodiscard]] std::optional<AnnouncementError> update(Announcement& announcement,
                                                      const spdy::HeaderBlock& headers);

/// HEADERS of the registry's on the announcement's stream: no child can connect to the endpoint. `why` is a sentence for the
/// worker's log.
[[nodiscard]] spdy::HeaderBlock undialable(std::string_view why);
/// The sentence; nothing when `headers` say no such thing.
[[nodiscard]] std::optional<std::string_view> parse_undialable(const spdy::HeaderBlock& headers);
/// The worker's answer, an update: children shall come through the registry from now on.
[[nodiscard]] spdy::HeaderBlock relay_instead();

/// Asks a registry who it is, without announcing anything: `GET /router`, answered with 200 and AnnouncementReply::router.
[[nodiscard]] spdy::HeaderBlock identity_question();
[[nodiscard]] bool is_identity_question(const spdy::HeaderBlock& headers);

/// The registry's answer: `:status 201` with the heartbeat, or a 4xx or 503 with a
/// reason.
struct AnnouncementReply {
    int status = 201;
    std::string reason;        ///< when status is not 201
    std::string warning = {};  ///< with 201: a sentence for the worker's log
    /// Tells this router from any other, at whatever address and over restarts of its registry; 0: it does not say.
    std::uint64_t router = 0;
    std::chrono::milliseconds heartbeat{1000};  ///< a PING for each; three silent ones mean the peer is gone
};
[[nodiscard]] spdy::HeaderBlock to_headers(const AnnouncementReply& reply);
/// Nothing when `headers` is not such an answer.
[[nodiscard]] std::optional<AnnouncementReply> parse_reply(const spdy::HeaderBlock& headers);

inline constexpr std::chrono::milliseconds kDefaultHeartbeat{1000};
inline constexpr std::chrono::milliseconds kLeastHeartbeat{10};
inline constexpr std::chrono::hours kMostHeartbeat{1};
/// A peer that has been silent for this many heartbeats is gone.
inline constexpr int kMissedHeartbeats = 3;

}  // namespace zmqspdy::transport
