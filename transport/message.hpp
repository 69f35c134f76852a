// ZeroMQ messages of the session layer: `[peer][frames]`.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>
#include <zmq.hpp>

namespace zmqspdy::transport {

/// A message part that owns `bytes`: nothing is copied.
[[nodiscard]] zmq::message_t to_message(std::vector<std::byte> bytes);

[[nodiscard]] inline std::span<const std::byte> bytes_of(const zmq::message_t& part) noexcept {
    return {static_cast<const std::byte*>(part.data()), part.size()};
}

/// Whether a piece of a message is passed on as a view, which keeps the whole message in memory for as long as anyone reads it.
/// A smaller piece is copied: what it holds would be many times what flow control counts.
[[nodiscard]] constexpr bool worth_sharing(std::size_t share, std::size_t whole) noexcept {
    constexpr std::size_t kLeastShare = 4096;
    constexpr std::size_t kMostTimes = 4;
    return share >= kLeastShare && share >= whole / kMostTimes;
}

/// What one node of small pieces that were copied may grow to.
inline constexpr std::size_t kGrownPiece = std::size_t{16} * 1024;

/// Receives one message without waiting and fills `parts` from its start; further parts are thrown away.
/// Returns how many parts the message had (compare it with what you expect), nothing when no message waits.
[[nodiscard]] std::optional<std::size_t> receive(zmq::socket_ref socket, std::span<zmq::message_t> parts);

enum class SendResult {
    sent,         ///< queued: it need not arrive
    full,         ///< the high-water mark is reached: the peer does not read
    unreachable,  ///< ROUTER_MANDATORY: the peer has gone
};

/// Sends `[peer][frames]`, or `[frames]` alone when `peer` is null, without waiting. Throws zmq::error_t for
/// anything that SendResult does not name.
[[nodiscard]] SendResult send(zmq::socket_ref socket, const zmq::message_t* peer, zmq::message_t frames);

}  // namespace zmqspdy::transport
