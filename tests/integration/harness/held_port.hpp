// Ports for servers under test that no other process is given meanwhile.
#pragma once

#include <cstdint>
#include <memory>

namespace harness {

/// A TCP port on 127.0.0.1 that nobody listens on. As long as a copy lives, a socket is bound to it that does not
/// listen: connections are refused, neither another test nor the kernel gives the port to anybody else, and a server that
/// sets SO_REUSEADDR, as httpd and libzmq do, can listen on it at any time.
class HeldPort {
  public:
    /// Throws std::system_error when there is none.
    HeldPort();

    [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

  private:
    std::uint16_t number_ = 0;
    std::shared_ptr<const void> socket_;
};

}  // namespace harness
