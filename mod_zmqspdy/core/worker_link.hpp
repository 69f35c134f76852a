// One child's connection to one worker: a DEALER, its monitor, and the SPDY session over it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "mod_zmqspdy/core/dispatch.hpp"
#include "mod_zmqspdy/core/exchange.hpp"
#include "transport/session_time.hpp"
#include "transport/socket_monitor.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::router {

struct LinkOptions {
    std::uint32_t window = 256 * 1024;
    int compression = 0;
    std::string relay_endpoint;
    std::shared_ptr<MemoryBudget> memory;  ///< for what is taken ahead of the windows
    std::uint32_t number = 0;              ///< tells links of this process to the same relayed worker apart
};

/// Belongs to the pool's thread. One link is one session: when it is lost it is thrown away, never
/// reconnected.
class WorkerLink {
  public:
    struct Undelivered {
        Failure failure;
        spdy::ResetCode code = spdy::ResetCode::cancel;
        bool unprocessed =
            false;  ///< the worker has said that it did nothing: safe to repeat whatever the method
    };
    /// What the link tells of its exchanges. Called on the pool's thread; must not destroy the link.
    class Owner {
      public:
        virtual void deliver(const std::shared_ptr<Exchange>& exchange,
                             std::unique_ptr<ResponseEvent> event) = 0;
        /// The response is complete; the link has forgotten the exchange.
        virtual void finished(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange) = 0;
        /// The exchange ended otherwise; the link has forgotten it.
        virtual void undelivered(const WorkerLink& link, const std::shared_ptr<Exchange>& exchange,
                                 Undelivered how) = 0;
        /// `size` bytes of the request body have been taken by the session.
        virtual void body_taken(const std::shared_ptr<Exchange>& exchange, std::size_t size) = 0;
        /// The link wants drive_io() to be called soon.
        virtual void has_output(WorkerLink& link) = 0;

      protected:
        ~Owner() = default;
    };

    /// Connects. Throws zmq::error_t or std::runtime_error when the endpoint cannot be dialled at all.
    WorkerLink(Owner& owner, zmq::context_t& context, const Candidate& worker, const LinkOptions& options);
    ~WorkerLink();
    WorkerLink(const WorkerLink&) = delete;
    WorkerLink& operator=(const WorkerLink&) = delete;

    [[nodiscard]] int socket_fd() const;
    [[nodiscard]] int monitor_fd() const;

    /// Sends the request as a stream. False when the session takes no more.
    [[nodiscard]] bool open(const std::shared_ptr<Exchange>& exchange);
    /// Whether a session takes these headers: no worker's does when this is false, so that it is not worth a try.
    [[nodiscard]] static bool takes(const spdy::HeaderBlock& headers) noexcept {
        return headers.plain().size() <= kMaxHeaderBytes && headers.size() <= kMaxHeaders;
    }
    static constexpr std::size_t kMaxHeaderBytes = 64 * 1024;  ///< of a plain block
    static constexpr std::size_t kMaxHeaders = 256;            ///< names in a block, pseudo headers included
    /// All HEADERS of one response, interim responses and trailers, each counted with kFieldBlockCost more: no window bounds
    /// them, and each costs memory and time here.
    static constexpr std::size_t kMaxFieldBytes = std::size_t{1} << 20;
    /// What is kept of a request body for another worker until this one has said anything about it: as much as its window lets
    /// through, which may be more than it would be kept for afterwards. A refusal comes behind what was sent meanwhile.
    static constexpr std::size_t kMostUntaken = std::size_t{1} << 20;
    static constexpr std::size_t kFieldBlockCost = 1024;
    /// Sends what the windows allow of Exchange::PoolSide::unsent.
    void send_body(const std::shared_ptr<Exchange>& exchange);
    void consumed(Exchange& exchange, std::size_t size);
    /// All that the worker has.
    [[nodiscard]] std::vector<std::shared_ptr<Exchange>> under_way() const;
    /// RST_STREAM; the exchange is forgotten without a word to the owner.
    void reset(const std::shared_ptr<Exchange>& exchange, spdy::ResetCode code);

    /// Sends what waits to be sent and receives what waits to be received, until neither is left.
    void drive_io();
    /// Looks at what the monitor has to say.
    void watch();
    /// Takes what has arrived, and is lost.
    void end_connection();
    /// A connection that had been established has ended.
    [[nodiscard]] bool connection_ended() const noexcept { return connection_ended_; }
    /// Once per heartbeat: PINGs a worker that has streams of ours, and gives it up when it has been silent
    /// for too long.
    void beat(std::chrono::steady_clock::time_point now, std::chrono::milliseconds heartbeat);
    /// Gives the worker up: every exchange is undelivered, and unprocessed if there never was a connection.
    void lose(std::string why, Failure failure = Failure::worker_lost);

    /// This process ends: the worker is told to give up what it has of ours, and what waits for it fails with shutting_down.
    void end(std::string why);

    [[nodiscard]] const WorkerRecord& worker() const noexcept { return worker_.record; }
    [[nodiscard]] std::uint32_t slot() const noexcept { return worker_.slot; }
    [[nodiscard]] std::size_t streams() const noexcept { return exchanges_.size(); }
    [[nodiscard]] bool lost() const noexcept { return lost_; }
    [[nodiscard]] bool was_up() const noexcept { return was_up_; }
    [[nodiscard]] const std::string& why_lost() const noexcept { return why_lost_; }
    /// The worker takes no new streams: it drains, or the session has used up its ids.
    [[nodiscard]] bool closing() const noexcept;
    [[nodiscard]] bool worker_went_away() const noexcept { return session_.peer_went_away(); }
    /// The link is in the owner's list of those with output.
    bool listed = false;

  private:
    bool flush();
    /// True when there is more that may be sent.
    bool send_piece(const std::shared_ptr<Exchange>& exchange);
    /// Lets go of a request body that has become too long to be kept for another worker.
    static void limit_replay(Exchange& exchange);
    bool receive_one();
    void handle(spdy::Event& event, const std::shared_ptr<const zmq::message_t>& message);
    void on(spdy::ReplyReceived& event);
    void on(spdy::HeadersReceived& event);
    void on(const spdy::DataReceived& event, const std::shared_ptr<const zmq::message_t>& message);
    /// True when the next event of the message in hand is about this stream and will be delivered.
    [[nodiscard]] bool is_followed(spdy::StreamId stream) const;
    void on(const spdy::StreamReset& event);
    void on(const spdy::WindowOpened& event);
    void on(const spdy::GoAwayReceived& event);
    void end_response(const std::shared_ptr<Exchange>& exchange);
    /// The exchange that a frame of the message in hand is about, which notes that it was heard of; null when it is over.
    [[nodiscard]] std::shared_ptr<Exchange> hear_of(spdy::StreamId stream) const;
    void forget(const std::shared_ptr<Exchange>& exchange);

    Owner& owner_;
    Candidate worker_;
    zmq::socket_t socket_;
    std::optional<transport::SocketMonitor> monitor_;
    spdy::Session session_;
    std::shared_ptr<MemoryBudget> memory_;
    std::uint32_t window_;
    transport::SessionTime session_time_;
    std::vector<spdy::Event> events_;        // kept for its memory
    const spdy::Event* upcoming_ = nullptr;  // behind the one in hand, in events_
    std::unordered_map<spdy::StreamId, std::shared_ptr<Exchange>> exchanges_;
    std::chrono::steady_clock::time_point last_heard_;
    bool was_up_ = false;
    bool connection_ended_ = false;
    bool lost_ = false;
    std::string why_lost_;
    std::string goodbye_;  // why to lose it once all events of a message have been dealt with
};

}  // namespace zmqspdy::router
