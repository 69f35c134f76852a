// A client that decides itself when to read and when to write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/eventually.hpp"

namespace harness {

class RawClient {
  public:
    /// `receive_buffer`: bytes the kernel takes in for us at most; 0 leaves it alone.
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    [[nodiscard]] static bool can_connect(std::uint16_t port);

    void send(std::string_view bytes);
    /// Reads until `text` has arrived behind what earlier calls returned; returns everything up to and with it, and
    /// keeps the rest. Throws when it does not come within patience(`limit`), or the connection ends before.
    [[nodiscard]] std::string read_until(std::string_view text, milliseconds limit = seconds{20});
    /// Waits for bytes that were not returned yet, and returns `size` of them at most; nothing at the end of the connection.
    [[nodiscard]] std::string read_some(std::size_t size, milliseconds limit = seconds{20});
    /// Reads to the end of the connection.
    [[nodiscard]] std::string read_all(milliseconds limit = seconds{60});
    /// The connection ended with a reset: its peer says that something is missing.
    [[nodiscard]] bool was_reset() const noexcept { return reset_; }
    /// What has arrived and was not returned yet, without waiting.
    [[nodiscard]] const std::string& pending();
    /// Sends `bytes` and ends our direction in one segment: whoever has read them can know of the end.
    void send_last(std::string_view bytes);
    /// Ends our direction only: EOF for the peer, which may still answer.
    void finish_sending() noexcept;
    void close() noexcept;

  private:
    enum class Got { bytes, nothing, end };
    Got receive(milliseconds wait, std::size_t size = 65536);

    int fd_ = -1;
    std::string buffer_;
    bool reset_ = false;
};

/// Sends `request` over a connection of its own and returns all that comes back, to the end of the connection.
[[nodiscard]] std::string raw_exchange(std::uint16_t port, std::string_view request);

}  // namespace harness
