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
    // httpd has put the <Location> settings aside for this hook and looks them up again after it; the walk is cached. Only
    // what they and the server's own context say counts here: a SetHandler in <Directory>, <Files> or .htaccess takes
    // httpd's usual way, past the files.
    ap_conf_vector_t* const aside = r->per_dir_config;
    const int walked = ap_location_walk(r);
    const auto* const core =
        static_cast<const core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
    const char* handler = core->handler;
    if (walked == OK && core->expr_handler) {
        const char* error = nullptr;
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
        if (error)
            handler = nullptr;  // core evaluates it again and reports the error
    }
    r->per_dir_config = aside;
    return handler && std::strcmp(handler, kHandlerName) == 0 ? OK : DECLINED;
}

}  // namespace zmqspdy::glue
