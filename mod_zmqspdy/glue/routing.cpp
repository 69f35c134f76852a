#include "mod_zmqspdy/glue/routing.hpp"

#include <cstring>

#include "mod_zmqspdy/glue/config.hpp"

extern "C" module_struct zmqspdy_module;

namespace zmqspdy::glue {

namespace {

/// In r->request_config: nobody else has translated the URL.
char unclaimed;

bool is_unclaimed(const request_rec* r) {
    return ap_get_module_config(r->request_config, &zmqspdy_module) == &unclaimed;
}

const core_dir_config* core_config(const request_rec* r) {
    return static_cast<const core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
}

bool has_handler(const request_rec* r) {
    return core_config(r)->handler || core_config(r)->expr_handler;
}

/// What the sections in force say; "None" in them is a word against us as well.
bool is_for_workers(request_rec* r) {
    if (!has_handler(r))
        return is_unclaimed(r) && dir_config(r).get<setting::Serve>();
    const char* handler = core_config(r)->handler;
    if (core_config(r)->expr_handler) {
        const char* error = nullptr;
        handler = ap_expr_str_exec(r, core_config(r)->expr_handler, &error);
        if (error)
            return false;  // core evaluates it again and reports the error
    }
    return std::strcmp(handler, kHandlerName) == 0;
}

/// The same by the server's own context and <Location>, before httpd has put the sections together: the walk is cached. A
/// SetHandler in <Directory>, <Files> or .htaccess takes httpd's usual way, past the files.
bool is_for_workers_by_location(request_rec* r) {
    ap_conf_vector_t* const aside = r->per_dir_config;
    r->per_dir_config = r->server->lookup_defaults;
    const bool result = ap_location_walk(r) == OK && is_for_workers(r);
    r->per_dir_config = aside;
    return result;
}

/// Merges slashes and resolves dot segments that a module has made (RewriteRule ... [PT]), as httpd has done with the
/// client's: the sections are looked up again after this, and judge what a worker would make of it. False when it leads
/// above the root.
bool normalise(request_rec* r) {
    const auto* const server =
        static_cast<const core_server_config*>(ap_get_core_module_config(r->server->module_config));
    unsigned flags = AP_NORMALIZE_NOT_ABOVE_ROOT;
    if (server->merge_slashes != AP_CORE_CONFIG_OFF)
        flags |= AP_NORMALIZE_MERGE_SLASHES;
    char* const uri = apr_pstrdup(r->pool, r->uri);
    const bool result = ap_normalize_path(uri, flags) != 0;
    if (std::strcmp(uri, r->uri) != 0)
        r->uri = uri;
    return result;
}

/// "OPTIONS *" is httpd's.
bool is_path(const request_rec* r) {
    return r->uri && *r->uri == '/';
}

}  // namespace

int claim_url(request_rec* r) {
    // An Alias that matched, but found the URL too long for a file name, has left its prefix.
    if (r->proxyreq || !is_path(r) || *ap_context_prefix(r) != '\0')
        return DECLINED;
    ap_set_module_config(r->request_config, &zmqspdy_module, &unclaimed);
    if (!is_for_workers_by_location(r))
        return DECLINED;
    if (!normalise(r)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "%s: the path, as a module has made it, leads above the root", r->uri);
        return HTTP_BAD_REQUEST;
    }
    // As httpd's own, but without asking the file system, which has limits that URLs have not.
    r->filename = apr_pstrcat(r->pool, ap_document_root(r), r->uri, nullptr);
    return OK;
}

int skip_storage(request_rec* r) {
    return is_path(r) && is_for_workers_by_location(r) ? OK : DECLINED;
}

int choose_handler(request_rec* r) {
    if (is_unclaimed(r) && !has_handler(r) && dir_config(r).get<setting::Serve>())
        r->handler = kHandlerName;
    return DECLINED;
}

}  // namespace zmqspdy::glue
