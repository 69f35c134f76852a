// How a handler, or a helper that it calls, gives up with a status for the client.
#pragma once

#include <stdexcept>
#include <string>

namespace zmqspdy {

/// A handler may throw this instead of answering: the client gets `status` (RFC 9110, 15.5 and 15.6) with
/// `message` as plain text. The message is for the client: keep secrets out of it.
class HttpError : public std::runtime_error {
  public:
    /// Throws std::invalid_argument when `status` is not 400 to 599.
    HttpError(int status, const std::string& message) : std::runtime_error{message}, status_{status} {
        if (status < 400 || status > 599)
            throw std::invalid_argument("an error's status is 400 to 599, not " + std::to_string(status));
    }
    [[nodiscard]] int status() const noexcept { return status_; }

  private:
    int status_;
};

}  // namespace zmqspdy
