#include "mod_zmqspdy/glue/unread_body.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kName = "ZMQSPDY_UNREAD_BODY";

apr_status_t unread_body_filter(ap_filter_t* f, apr_bucket_brigade* brigade, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t bytes) noexcept {
    if (!f->ctx || block != APR_BLOCK_READ)
        return ap_get_brigade(f->next, brigade, mode, block, bytes);
    f->c->keepalive = AP_CONN_CLOSE;  // where the next request would begin nobody knows
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(f->c->bucket_alloc));
    return APR_SUCCESS;
}

}  // namespace

void register_unread_body_filter() {
    ap_register_input_filter(kName, unread_body_filter, nullptr, AP_FTYPE_CONTENT_SET);
}

ap_filter_t* add_unread_body_filter(request_rec* r) {
    return ap_add_input_filter(kName, nullptr, r, r->connection);
}

void flush_connection(request_rec* r) {
    apr_bucket_brigade* const brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(r->connection->bucket_alloc));
    (void)ap_pass_brigade(r->connection->output_filters, brigade);  // a failure shows in c->aborted
}

}  // namespace zmqspdy::glue
