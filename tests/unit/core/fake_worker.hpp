// A worker for the dealer pool to talk to: real sockets, a real session, and as well or badly behaved as its
// script says.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "log_book.hpp"
#include "transport/file_descriptor.hpp"
#include "zmqspdy/spdy/session.hpp"

class FakeWorker {
  public:
    /// One connection of a pool.
    struct Peer {
        std::string id;
        zmqspdy::spdy::Session session;
        struct Stream {
            std::string path;
            std::string body;  // received so far
            std::string unsent;
            bool fin = false;  // wanted after `unsent`
        };
        std::map<zmqspdy::spdy::StreamId, Stream> streams;
    };
    /// A request as scripts see it, on the worker's thread.
    struct Request {
        FakeWorker& worker;
        Peer& peer;
        zmqspdy::spdy::StreamId stream;

        [[nodiscard]] const std::string& path() const { return peer.streams.at(stream).path; }
        [[nodiscard]] const std::string& body() const { return peer.streams.at(stream).body; }
        void reply(std::string_view status, bool fin = false) const;
        /// As far as the windows allow now, the rest as they open.
        void send(std::string_view text, bool fin) const;
        void reset(zmqspdy::spdy::ResetCode code) const;
    };
    using Action = std::function<void(Request)>;
    struct Script {
        Action opened = {};     ///< at SYN_STREAM
        Action completed = {};  ///< at the end of the request
        Action more = {};       ///< after each DATA without FIN
        bool consumes = true;
        std::uint32_t window = 256 * 1024;
        std::uint32_t session_window = 1024 * 1024;
        std::uint32_t max_streams = 1000;
    };

    explicit FakeWorker(Script script);
    ~FakeWorker() { die(); }
    FakeWorker(const FakeWorker&) = delete;
    FakeWorker& operator=(const FakeWorker&) = delete;

    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }

    /// What came: "SYN /a", "END /a", "RST /a CANCEL", "TRAILER /a name=value", "PEER" for a connection. Bodies are not logged.
    [[nodiscard]] const LogBook& log() const noexcept { return log_; }

    /// Runs `action` on the worker's thread and returns when it has.
    void run(std::function<void()> action);
    /// The same for an open request of this path; it must be there.
    void act(const std::string& path, const Action& action);
    /// The same for each connection.
    void each_peer(const std::function<void(Peer&)>& action);
    /// On the worker's thread: sends what no session would.
    void send_raw(const Peer& peer, const std::vector<std::string>& parts);

    /// The process ends: its connections with it.
    void die();
    /// Stops reading, as under SIGSTOP, until resume() or the end.
    void stall();
    void resume();

  private:
    void loop();
    void receive();
    void on(Peer& peer, const zmqspdy::spdy::Event& event);
    void pump(Peer& peer, zmqspdy::spdy::StreamId stream);
    void flush(Peer& peer);
    void ring() const;

    Script script_;
    std::string endpoint_;
    LogBook log_;
    zmqspdy::transport::FileDescriptor event_;
    zmq::context_t context_;
    zmq::socket_t socket_;
    std::map<std::string, std::unique_ptr<Peer>> peers_;
    std::mutex mutex_;
    std::condition_variable done_;
    std::vector<std::function<void()>> actions_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> stalled_{false};
    std::thread thread_;
};

/// Answers 200 with `body` once the request is complete.
[[nodiscard]] FakeWorker::Script answering(std::string body);
/// Answers with what came.
[[nodiscard]] FakeWorker::Script echoing();
/// Answers nothing by itself.
[[nodiscard]] FakeWorker::Script holding();
/// Refuses every stream.
[[nodiscard]] FakeWorker::Script refusing();
/// Says goodbye with an error over every request, as the registry does for a worker that died.
[[nodiscard]] FakeWorker::Script failing();
