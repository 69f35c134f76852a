// Output filters that refuse a response because of what is in it: DENY as application firewalls do it, with an error bucket
// and a failure, FAIL with nothing but the failure.
#include <string_view>

#include "mod_zmqspdy/glue/httpd.hpp"  // httpd's headers, in an order that compiles

namespace {

bool holds(apr_bucket_brigade* brigade, std::string_view word) {
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char* data = nullptr;
        apr_size_t length = 0;
        if (!APR_BUCKET_IS_METADATA(bucket) &&
            apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) == APR_SUCCESS &&
            std::string_view(data, length).find(word) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

apr_status_t deny(ap_filter_t* f, apr_bucket_brigade* brigade) {
    if (!holds(brigade, "secret")) {
        return ap_pass_brigade(f->next, brigade);
    }
    apr_brigade_cleanup(brigade);
    apr_bucket_alloc_t* const list = f->c->bucket_alloc;
    APR_BRIGADE_INSERT_TAIL(brigade, ap_bucket_error_create(HTTP_FORBIDDEN, nullptr, f->r->pool, list));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(list));
    (void)ap_pass_brigade(f->next, brigade);
    return APR_EGENERAL;
}

apr_status_t fail(ap_filter_t* f, apr_bucket_brigade* brigade) {
    return holds(brigade, "secret") ? APR_EGENERAL : ap_pass_brigade(f->next, brigade);
}

void register_hooks(apr_pool_t*) {
    ap_register_output_filter("DENY", deny, nullptr, AP_FTYPE_CONTENT_SET);
    ap_register_output_filter("FAIL", fail, nullptr, AP_FTYPE_CONTENT_SET);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] module_struct refuse_module;
module_struct refuse_module = {
    STANDARD20_MODULE_STUFF, nullptr, nullptr, nullptr, nullptr, nullptr, register_hooks,
    AP_MODULE_FLAG_NONE};
