// One request through a dealer pool, as httpd's request thread would make it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mod_zmqspdy/core/dealer_pool.hpp"

class Call {
  public:
    using Failure = zmqspdy::router::Failure;

    /// Submits at once.
    Call(zmqspdy::router::DealerPool& pool, zmqspdy::router::RequestHead head);
    Call(Call&&) = default;
    Call& operator=(Call&&) = delete;
    ~Call() = default;

    /// Hands over request body as a worker takes it; waits for the room and for a worker. False when the
    /// response ended first.
    bool send(std::string_view text, bool fin,
              std::optional<zmqspdy::spdy::HeaderBlock> trailers = std::nullopt);
    /// Waits until the response has its status; false when it ended without.
    bool await_head();
    /// Waits until this much of the body has come, or all of it.
    bool await_body(std::size_t size);
    /// Waits for the end. False when it did not come in time.
    bool await_end();
    void cancel();
    /// Stops giving the windows back.
    void stop_reading() { reads_ = false; }

    [[nodiscard]] zmqspdy::router::Exchange& exchange() const { return *exchange_; }
    [[nodiscard]] bool queued() const;

    // What has come so far.
    std::string status;
    std::string body;
    std::vector<std::string> interim;  // their statuses
    std::string trailer;               // the value of "checksum"
    bool complete = false;
    Failure failure = Failure::none;
    zmqspdy::spdy::ResetCode code = zmqspdy::spdy::ResetCode::cancel;

    /// "200 body", or what went wrong: waits for the end.
    [[nodiscard]] std::string outcome();

  private:
    void take();
    [[nodiscard]] bool over() const { return complete || failure != Failure::none; }

    zmqspdy::router::DealerPool& pool_;
    std::shared_ptr<zmqspdy::router::Exchange> exchange_;
    bool reads_ = true;
};

[[nodiscard]] std::string to_string(zmqspdy::router::Failure failure);

/// Heads of requests.
[[nodiscard]] zmqspdy::router::RequestHead get_request(std::string_view path, unsigned retries = 2);
[[nodiscard]] zmqspdy::router::RequestHead post_request(std::string_view path, unsigned retries = 2);
/// With a body, and safe to repeat.
[[nodiscard]] zmqspdy::router::RequestHead put_request(std::string_view path, unsigned retries = 2);
