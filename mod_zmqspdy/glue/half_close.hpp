// Clients that have closed their sending side: which of them still wait for the response.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

void register_early_byte_filter();

/// Sends the client of an HTTP/1 request the first byte of its response ahead of the rest, if none of the response has
/// gone out yet. FIN alone does not tell shutdown(SHUT_WR) from close(), nor does any packet without data: a kernel
/// answers data with RST only if nobody holds the socket any more, which POLLHUP and POLLERR show one round trip later.
/// Every status line begins with the same byte, so it can be sent before the status is known.
/// False when there is no such byte to send: the response has begun, or the client speaks HTTP/0.9.
[[nodiscard]] bool send_early_byte(request_rec* r);

}  // namespace zmqspdy::glue
