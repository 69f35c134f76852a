// A worker's connection to the worker port, driven step by step by the test.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "transport/announcement.hpp"
#include "zmqspdy/spdy/session.hpp"

class Announcer {
  public:
    /// Connects; the first frames go out with the first call that sends.
    explicit Announcer(const std::string& endpoint);

    /// Sends an announcement; no waiting.
    void announce(const zmqspdy::transport::Announcement& announcement);
    void announce(const zmqspdy::spdy::HeaderBlock& headers, bool fin = false);
    /// Announces and waits for the answer: its status, 0 when none comes.
    [[nodiscard]] int join(const zmqspdy::transport::Announcement& announcement);
    void update(const zmqspdy::spdy::HeaderBlock& headers, bool fin = false);
    /// FIN on the announcement's stream.
    void leave();
    void go_away();
    /// Ends the connection.
    void disconnect();

    /// Deals with what has come, and answers PINGs. Waits up to `patience` for the first message.
    void pump(std::chrono::milliseconds patience = std::chrono::milliseconds(0));
    [[nodiscard]] std::optional<zmqspdy::transport::AnnouncementReply> await_reply();
    /// Waits for a GOAWAY of the registry.
    [[nodiscard]] bool await_goodbye();

    struct Relayed {
        std::string peer;
        std::string frames;
    };
    [[nodiscard]] std::optional<Relayed> await_relayed();
    void send_relayed(const std::string& peer, std::string_view frames);
    [[nodiscard]] std::size_t relayed_count() const noexcept { return relayed_.size(); }

    /// What the registry says of our endpoint; nothing when it says nothing in time.
    [[nodiscard]] std::optional<std::string> await_undialable();

    /// How many messages of the registry's wanted an answer: PINGs.
    [[nodiscard]] std::size_t asked() const noexcept { return asked_; }

    void send_raw(const std::vector<std::string>& parts);
    /// Frames of our session that wait to be sent; for tests that send them in an odd way.
    [[nodiscard]] zmqspdy::spdy::Session& session() noexcept { return session_; }
    void flush();

  private:
    template <typename Ready>
    bool await(Ready ready);

    zmq::context_t context_;
    zmq::socket_t socket_;
    zmqspdy::spdy::Session session_;
    zmqspdy::spdy::StreamId stream_ = 0;
    std::optional<zmqspdy::transport::AnnouncementReply> reply_;
    std::optional<std::string> undialable_;
    bool goodbye_ = false;
    std::size_t asked_ = 0;
    std::deque<Relayed> relayed_;
};

/// A complete announcement.
[[nodiscard]] zmqspdy::transport::Announcement worker_at(std::string_view endpoint, std::string name);
[[nodiscard]] zmqspdy::transport::Announcement relayed_worker(std::string name);
[[nodiscard]] inline zmqspdy::transport::Announcement with_instance(
    zmqspdy::transport::Announcement announcement, std::uint64_t instance) {
    announcement.instance = instance;
    return announcement;
}
