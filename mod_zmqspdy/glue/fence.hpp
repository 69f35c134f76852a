// httpd is C and cannot unwind: no exception of ours may reach it.
#pragma once

#include <exception>

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// A hook that takes a request. After a throw the client gets a 500, or, once bytes have gone out, a broken
/// connection.
template <auto Body>
int request_hook(request_rec* r) noexcept {
    try {
        return Body(r);
    } catch (const std::exception& error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "request to a worker failed: %s", error.what());
    } catch (...) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "request to a worker failed: exception of unknown type");
    }
    if (r->sent_bodyct == 0 && r->bytes_sent == 0)
        return HTTP_INTERNAL_SERVER_ERROR;
    r->connection->keepalive = AP_CONN_CLOSE;
    return AP_FILTER_ERROR;
}

/// Runs `body`; logs what it throws and returns `otherwise` then. Without `s` it is a start-up error, for the
/// terminal.
template <typename Result, typename Body>
Result fenced(server_rec* s, Result otherwise, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& error) {
        ap_log_error(APLOG_MARK, APLOG_ERR | (s ? 0 : APLOG_STARTUP), 0, s, "mod_zmqspdy: %s", error.what());
    } catch (...) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "mod_zmqspdy: exception of unknown type");
    }
    return otherwise;
}

}  // namespace zmqspdy::glue
