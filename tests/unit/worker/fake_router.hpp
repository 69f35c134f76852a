// The router's side of the protocol over real ZeroMQ sockets, driven by the test's own thread: a registry that
// workers announce to, and children that send requests.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "transport/announcement.hpp"
#include "transport/file_descriptor.hpp"
#include "worker/io_thread.hpp"
#include "worker/log.hpp"
#include "worker/routes.hpp"
#include "zmqspdy/spdy/session.hpp"
#include "zmqspdy/worker.hpp"

namespace test {

namespace spdy = zmqspdy::spdy;
namespace transport = zmqspdy::transport;

/// What takes part in a test: does what there is to do, without waiting.
class Actor {
  public:
    Actor() = default;
    Actor(const Actor&) = delete;
    Actor& operator=(const Actor&) = delete;
    virtual ~Actor() = default;
    virtual void step() = 0;
};

/// Lets `actors` work until `done()`; false when that takes longer than ten seconds.
[[nodiscard]] bool until(const std::vector<Actor*>& actors, const std::function<bool()>& done);

/// An abstract endpoint that nobody else uses.
[[nodiscard]] std::string unique_endpoint();

/// Plays the registry of one router.
class Registry final : public Actor {
  public:
    using Clock = std::chrono::steady_clock;

    struct Link {
        explicit Link(const spdy::SessionOptions& options) : session{options} {}
        spdy::Session session;
        std::optional<transport::Announcement> announcement;
        spdy::StreamId stream = 0;
        bool left = false;       ///< FIN on the announcement
        bool went_away = false;  ///< GOAWAY
        bool faulted = false;
        int pings = 0;
        std::uint32_t answered_ping = 0;                             ///< the last of ours
        std::map<std::string, std::vector<zmq::message_t>> relayed;  ///< by peer, not taken yet
    };

    explicit Registry(zmq::context_t& context, const std::string& endpoint = unique_endpoint(),
                      transport::AnnouncementReply reply = {});
    ~Registry() override;

    /// Those that there are, for whoever waits while a test ends.
    [[nodiscard]] static std::vector<Actor*>& all();

    void step() override;
    /// Sends `frames` to the worker of the link called `id` in the name of `peer`.
    void send(const std::string& id, const std::string& peer, std::vector<std::byte> frames);

    [[nodiscard]] std::string endpoint() const;
    /// Those that have announced themselves and not gone away, by the id of their connection.
    [[nodiscard]] std::vector<std::string> announced() const;
    [[nodiscard]] Link& link(const std::string& id) { return links_.at(id); }
    [[nodiscard]] std::map<std::string, Link>& links() noexcept { return links_; }

    /// How many announcements it has refused, over all connections.
    [[nodiscard]] int refused() const noexcept { return refused_; }

    std::uint64_t identity = 0;  ///< what it says when it is asked who it is
    bool silent = false;         ///< answers nothing any more
    bool dismisses = false;      ///< says GOAWAY to those that it refuses

  private:
    void on_registry_frames(const std::string& id, const zmq::message_t& frames);
    void flush(const std::string& id);

    zmq::socket_t socket_;
    std::string endpoint_;
    transport::AnnouncementReply reply_;
    int refused_ = 0;
    std::map<std::string, Link> links_;
};

struct Reply {
    std::map<std::string, std::string> headers;  ///< with :status
    std::string body;
    bool started = false;
    bool fin = false;
    std::optional<spdy::ResetCode> reset;
    std::vector<std::map<std::string, std::string>> interim;  ///< HEADERS before the SYN_REPLY
    std::map<std::string, std::string> trailers;

    [[nodiscard]] bool ended() const noexcept { return fin || reset; }
    [[nodiscard]] std::string status() const {
        const auto found = headers.find(":status");
        return found == headers.end() ? "" : found->second;
    }
};

struct Ask {
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::optional<std::string> body =
        {};  ///< absent: SYN_STREAM has FIN; otherwise sent as the window allows
    spdy::Priority priority = spdy::kDefaultPriority;
    bool more = false;  ///< no FIN after `body`: send_body() goes on
};

/// Plays a child of httpd, over a connection of its own or through a registry.
class Child final : public Actor {
  public:
    Child(zmq::context_t& context, const std::string& worker, const spdy::SessionOptions& options = {});
    Child(Registry& registry, std::string link, std::string peer, const spdy::SessionOptions& options = {});
    /// Closes the connection; of a relayed child the registry tells the worker that it has gone.
    ~Child() override;

    void step() override;

    [[nodiscard]] spdy::StreamId ask(const Ask& ask);
    void send_body(spdy::StreamId stream, std::string_view bytes, bool fin);
    /// HEADERS and the end of the request.
    void send_trailers(spdy::StreamId stream, const spdy::HeaderBlock& trailers);
    [[nodiscard]] Reply& reply(spdy::StreamId stream) { return replies_[stream]; }
    /// Bytes of the body that the window has had no room for yet.
    [[nodiscard]] std::size_t unsent(spdy::StreamId stream) { return uploads_[stream].bytes.size(); }
    [[nodiscard]] spdy::Session& session() noexcept { return session_; }
    /// The last PING of ours that the worker has answered.
    [[nodiscard]] std::uint32_t answered_ping() const noexcept { return answered_ping_; }
    [[nodiscard]] bool told_to_go() const noexcept { return told_to_go_; }
    [[nodiscard]] std::size_t messages() const noexcept { return messages_; }

    /// A message as it is.
    void send_raw(const std::vector<std::vector<std::byte>>& parts);
    /// Output of the session that step() has not sent yet.
    [[nodiscard]] std::vector<std::byte> take_output() { return session_.take_output(); }

    bool reads = true;  ///< false: bodies of replies are not consumed

  private:
    struct Upload {
        std::string bytes;
        bool fin = false;
    };
    [[nodiscard]] std::optional<zmq::message_t> receive();
    void on(const spdy::Event& event);
    void pump(spdy::StreamId stream, Upload& upload);

    std::optional<zmq::socket_t> socket_;
    Registry* registry_ = nullptr;
    std::string link_;
    std::string peer_;
    spdy::Session session_;
    std::map<spdy::StreamId, Reply> replies_;
    std::map<spdy::StreamId, Upload> uploads_;
    std::size_t messages_ = 0;
    std::uint32_t answered_ping_ = 0;
    bool told_to_go_ = false;
};

/// A worker that runs on a thread of its own until the end of the test.
class RunningWorker {
  public:
    RunningWorker(zmqspdy::Options options, const std::function<void(zmqspdy::Worker&)>& set_up);
    ~RunningWorker();
    RunningWorker(const RunningWorker&) = delete;
    RunningWorker& operator=(const RunningWorker&) = delete;

    void stop() { worker_.stop(); }
    [[nodiscard]] bool has_returned() const noexcept { return returned_.load(); }
    [[nodiscard]] int result() const noexcept { return result_.load(); }

  private:
    zmqspdy::Worker worker_;
    std::atomic<int> result_{-1};
    std::atomic<bool> returned_{false};
    std::thread thread_;
};

/// One that answers every path with `handler`, and whose log is kept.
class LoggedWorker {
  public:
    LoggedWorker(const zmqspdy::Options& options, const zmqspdy::Handler& handler);
    ~LoggedWorker();
    LoggedWorker(const LoggedWorker&) = delete;
    LoggedWorker& operator=(const LoggedWorker&) = delete;

    /// What it has written so far.
    [[nodiscard]] std::string log();

  private:
    LoggedWorker(const zmqspdy::Options& options, const zmqspdy::Handler& handler, std::array<int, 2> pipe);

    zmqspdy::transport::FileDescriptor read_;
    zmqspdy::transport::FileDescriptor write_;
    zmqspdy::transport::FileDescriptor stop_;
    std::string text_;
    zmqspdy::serving::IoThread io_;
    std::thread thread_;
};

[[nodiscard]] zmqspdy::Options options_for(const std::vector<std::string>& routers);

}  // namespace test
