// Descriptors 0 to 2.
#pragma once

namespace zmqspdy::serving {

/// Opens /dev/null in the place of those that are closed, as whoever starts a daemon may leave them. Otherwise the next file,
/// socket or eventfd would get the number, and with it whatever is written to the standard streams, the log first of all.
void open_standard_streams() noexcept;

}  // namespace zmqspdy::serving
