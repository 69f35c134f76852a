// Feeds hand-made frames to a Session and tells in words what came of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wire.hpp"
#include "zmqspdy/spdy/session.hpp"

struct Outcome {
    std::vector<std::string> events;  ///< consecutive DATA of a stream is joined
    std::vector<std::string> frames;  ///< what the session sent after its greeting
    std::string fault;                ///< why, or empty
    std::size_t open = 0;
};

std::vector<std::string> describe_events(const std::vector<zmqspdy::spdy::Event>& events);

struct Case {
    zmqspdy::spdy::SessionOptions options{};
    /// Calls made before the bytes come in, e.g. open(); what they send is not part of the outcome.
    std::function<void(zmqspdy::spdy::Session&)> before{};
    /// Calls made after.
    std::function<void(zmqspdy::spdy::Session&)> after{};
};

/// Feeds `bytes` whole, byte by byte and in random chunks to a new session each time, and requires that all
/// come to the same end.
Outcome outcome_of(const Case& setup, const wire::Buffer& bytes);

/// A server, SETTINGS received.
Outcome at_server(const wire::Buffer& bytes, zmqspdy::spdy::SessionOptions options = {});
/// A client, SETTINGS received, which has sent SYN_STREAM with FIN for streams 1 and 3.
Outcome at_client(const wire::Buffer& bytes, zmqspdy::spdy::SessionOptions options = {});

using Lines = std::vector<std::string>;
