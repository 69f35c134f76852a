#include "mod_zmqspdy/glue/notes.hpp"

#include <initializer_list>

namespace zmqspdy::glue {

namespace {

constexpr const char* kErrorPage = "zmqspdy-error-page";
// httpd's own page speaks of maintenance, and cannot be told more.
constexpr const char* kPageHead =
    "<!DOCTYPE html>\n<html><head>\n<title>503 Service Unavailable</title>\n</head><body>\n"
    "<h1>Service Unavailable</h1>\n";
constexpr const char* kPageEnd = "</body></html>\n";

/// An ErrorDocument of the administrator's goes before anything of ours, `default` too.
bool has_error_document(request_rec* r, int status) {
    const auto* const core =
        static_cast<const core_dir_config*>(ap_get_core_module_config(r->per_dir_config));
    const int index = ap_index_of_response(status);
    return core->response_code_exprs && apr_hash_get(core->response_code_exprs, &index, sizeof index);
}

}  // namespace

void note_reason(request_rec* r, const char* word) {
    apr_table_setn(r->notes, "zmqspdy-reason", word);
}

int unavailable(request_rec* r, const char* word, const char* sentence) {
    note_reason(r, word);
    apr_table_setn(r->err_headers_out, "Retry-After", "1");
    const char* const paragraph = apr_pstrcat(r->pool, "<p>", sentence, "</p>\n", nullptr);
    apr_table_setn(r->notes, "error-notes", paragraph);  // an ErrorDocument has it in ERROR_NOTES
    if (!has_error_document(r, HTTP_SERVICE_UNAVAILABLE))
        ap_custom_response(r, HTTP_SERVICE_UNAVAILABLE,
                           apr_pstrcat(r->pool, kPageHead, paragraph, kPageEnd, nullptr));
    return HTTP_SERVICE_UNAVAILABLE;
}

request_rec* page_of(request_rec* r) {
    while (r->main)
        r = r->main;
    return r;
}

void note_error_page(request_rec* r) noexcept {
    apr_table_setn(r->notes, kErrorPage, "1");
}

bool has_error_page(request_rec* r) {
    const request_rec* const page = page_of(r);
    return page->next || apr_table_get(page->notes, kErrorPage);
}

int carry_notes(request_rec* r) {
    for (; r->next; r = r->next) {
        for (const char* const name : {"zmqspdy-worker", "zmqspdy-reason"}) {
            const char* const value = apr_table_get(r->notes, name);
            if (value && !apr_table_get(r->next->notes, name))
                apr_table_setn(r->next->notes, name, value);
        }
    }
    return OK;
}

}  // namespace zmqspdy::glue
