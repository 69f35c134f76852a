// Two sessions without a wire between them: what one puts out the other receives.
#pragma once

#include <cstddef>
#include <vector>

#include "zmqspdy/spdy/session.hpp"

namespace zmqspdy::bench {

class BackToBack {
  public:
    /// Both have the other's SETTINGS. `open_streams` are open already, and replied to, and stay so.
    BackToBack(int compression_level, std::size_t open_streams);

    [[nodiscard]] spdy::Session& client() noexcept { return client_; }
    [[nodiscard]] spdy::Session& server() noexcept { return server_; }
    /// What the client has put out, as one message to the server. Events, and their views, are valid until
    /// the next call.
    const std::vector<spdy::Event>& to_server() { return carry(client_, server_); }
    const std::vector<spdy::Event>& to_client() { return carry(server_, client_); }

  private:
    /// Throws std::logic_error when the receiver finds a fault.
    const std::vector<spdy::Event>& carry(spdy::Session& from, spdy::Session& to);

    spdy::Session client_;
    spdy::Session server_;
    std::vector<std::byte> message_;
    std::vector<spdy::Event> events_;
};

}  // namespace zmqspdy::bench
