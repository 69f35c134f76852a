#include "mod_zmqspdy/glue/handler.hpp"

#include <cstring>

#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/conversation.hpp"

namespace zmqspdy::glue {

int serve(request_rec* r) {
    if (!r->handler || std::strcmp(r->handler, kHandlerName) != 0)
        return DECLINED;
    // TRACE is about the path to httpd, CONNECT about another server: neither is a worker's.
    if (r->method_number == M_TRACE || r->method_number == M_CONNECT)
        return HTTP_METHOD_NOT_ALLOWED;
    router::DealerPool* const pool = server_config(r->server).pool;
    if (!pool) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "%s: this httpd child has no dealer pool; see its start in the log", r->uri);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return Conversation(r, *pool, dir_config(r)).run();
}

int skip_storage(request_rec* r) {
    // Only what <Location> and the server's own context say is known here, before any directory is walked; a
    // SetHandler in <Directory>, <Files> or .htaccess takes httpd's usual way.
    const auto* const core =
        static_cast<const core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
    const char* handler = core->handler;
    if (core->expr_handler) {
        const char* error = nullptr;
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
        if (error)
            return DECLINED;  // core evaluates it again and reports the error
    }
    return handler && std::strcmp(handler, kHandlerName) == 0 ? OK : DECLINED;
}

}  // namespace zmqspdy::glue
