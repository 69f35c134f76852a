// Which requests are for workers: those that a SetHandler gives to our handler, and with ZmqSpdyServe those that nothing else
// in httpd's configuration answers.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

inline constexpr const char* kHandlerName = "zmq-spdy";

/// translate_name, behind all other modules: a URL that comes so far was taken by no Alias, ScriptAlias, RewriteRule or
/// ProxyPass. Answers for those that are for workers, so that httpd does not look for a file name, which a long URL has
/// none of. May throw; hook it behind a fence.
int claim_url(request_rec* r);

/// map_to_storage: answers for URLs that are for workers, so that httpd does not look for a file that nobody asked for. May
/// throw; hook it behind a fence.
int skip_storage(request_rec* r);

/// fixups: gives what claim_url() has seen, and no SetHandler wants, to our handler where ZmqSpdyServe says so.
int choose_handler(request_rec* r);

}  // namespace zmqspdy::glue
