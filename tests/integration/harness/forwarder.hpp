// A TCP forwarder in front of a router's worker port, as a container's network has one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace harness {

/// Passes one connection after another on to `port` on loopback, on a thread of its own. In what its clients send, `from`
/// becomes `to`, which is as long: what they say of themselves is true on their side only.
class Forwarder {
  public:
    Forwarder(std::uint16_t port, std::string from, std::string to);
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace harness
