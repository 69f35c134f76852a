// The sockets where workers announce themselves.
#pragma once

#include <cstddef>
#include <vector>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::glue {

/// Of one worker port, at most: a name may have many addresses.
inline constexpr std::size_t kMaxWorkerPortSockets = 16;

/// One listening socket for each address of the endpoint: both loopback addresses for `localhost`, every IPv4 and every
/// IPv6 one for `*`, all that the resolver gives for another name. An address that this host does not have is left out
/// as long as another remains. Resolves names, so it is for the parent at configuration time. Throws std::runtime_error
/// with a sentence that names the endpoint and the address.
[[nodiscard]] std::vector<transport::FileDescriptor> open_worker_port(const char* endpoint);

}  // namespace zmqspdy::glue
