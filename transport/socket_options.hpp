// The limits every ZeroMQ socket of ours is given.
#pragma once

#include <chrono>
#include <zmq.hpp>

namespace zmqspdy::transport {

/// Larger messages are a protocol violation: libzmq drops the connection before reading one.
inline constexpr std::int64_t kMaxMessageSize = 8 * 1024 * 1024;
/// Senders cut their output here, far below kMaxMessageSize. Each message wakes four threads on its way: with a quarter of
/// this an upload costs half as much again.
inline constexpr std::size_t kMessageTarget = 256 * 1024;
/// Messages, each way and peer. SPDY's windows bound the bytes; this bounds the small frames that windows do
/// not count, and tells us of a peer that does not read.
inline constexpr int kHighWaterMark = 10000;
/// A connection that has not finished ZMTP's handshake by then is closed by libzmq.
inline constexpr std::chrono::milliseconds kHandshakeInterval{5000};

/// How long a connection may take to come about.
inline constexpr std::chrono::milliseconds kConnectTimeout{2000};

/// For each data or control socket, before bind or connect. No lingering: what matters is acknowledged by
/// SPDY, and a process that ends must not hang. No silent reconnect: one connection is one session.
void set_limits(zmq::socket_t& socket);

/// A ROUTER with those limits. libzmq numbers peers without an id of their own from a place that rand() gives, which is the same
/// in each process that has not seeded it, and aborts when a peer has claimed such a number before: here getrandom() chooses
/// it. rand() gives its caller what it would have given without this call.
[[nodiscard]] zmq::socket_t make_router(zmq::context_t& context);

}  // namespace zmqspdy::transport
