// Server-Sent Events (WHATWG HTML, 9.2): what EventSource in a browser reads.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

struct ServerEvent {
    std::string data;       ///< UTF-8; may have several lines, whose ends all arrive as LF
    std::string type = {};  ///< the name that listeners listen for; empty: "message"
    std::string id = {};    ///< what a client that reconnects says it had last; empty: the id before it stays
    std::optional<std::chrono::milliseconds> retry = {};  ///< how long clients wait before they reconnect

    /// As it goes over the wire, with the empty line behind it. Throws std::invalid_argument when `type` or `id` has a line end or a
    /// NUL, or `retry` is negative.
    [[nodiscard]] std::string to_string() const;
};

/// Writes events. Used by one thread at a time.
class EventWriter {
  public:
    explicit EventWriter(Writer& out) noexcept : out_{out} {}
    /// Sends an event at once; as Writer::write(): false when nobody listens any more.
    [[nodiscard]] bool send(const ServerEvent& event) { return out_.write(event.to_string()); }
    /// Sends what clients do not see: every 15 seconds or so it keeps proxies from taking the stream for dead.
    [[nodiscard]] bool keep_alive() { return out_.write(":\n\n"); }
    /// True once nobody listens any more. Any thread.
    [[nodiscard]] bool cancelled() const noexcept { return out_.cancelled(); }
    /// True once the worker has been told to end: return, and clients connect to another. Any thread.
    [[nodiscard]] bool draining() const noexcept { return out_.draining(); }

  private:
    Writer& out_;
};

/// A text/event-stream that caches leave alone; `produce` is called as Response::stream()'s is.
[[nodiscard]] Response event_stream(std::function<void(EventWriter&)> produce);

/// The id of the last event that a client had which reconnects; nothing for one that comes for the first time.
[[nodiscard]] std::optional<std::string_view> last_event_id(const Request& request);

}  // namespace zmqspdy
