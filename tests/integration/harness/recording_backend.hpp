// An HTTP/1.1 server that keeps what it is sent, for a reverse proxy beside ours.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace harness {

/// Answers every request with 200 and "ok", one request a connection, on a thread of its own.
class RecordingBackend {
  public:
    struct Seen {
        std::string method;
        std::string target;
        std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
        std::string body;                                          ///< without its framing
        bool complete = false;                                     ///< the body has come to its end
    };

    RecordingBackend();
    ~RecordingBackend();
    RecordingBackend(const RecordingBackend&) = delete;
    RecordingBackend& operator=(const RecordingBackend&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// All requests so far, in the order they came. Any thread.
    [[nodiscard]] std::vector<Seen> requests() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace harness
