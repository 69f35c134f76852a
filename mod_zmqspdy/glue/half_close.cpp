#include "mod_zmqspdy/glue/half_close.hpp"

#include <string_view>

#include "mod_zmqspdy/glue/notes.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kName = "ZMQSPDY_EARLY_BYTE";
constexpr std::string_view kEarlyByte = "H";  // of "HTTP/1.1" or "HTTP/1.0"

ap_filter_rec_t*& filter_record() {
    static ap_filter_rec_t* record = nullptr;
    return record;
}

bool is_early_byte_sent(const conn_rec* c) {
    for (const ap_filter_t* f = c->output_filters; f; f = f->next)
        if (f->frec == filter_record())
            return true;
    return false;
}

/// Takes out of the response what its client has already. A request's filters go on calling a filter of their
/// connection after its removal: f->ctx says that it has nothing to do any more.
apr_status_t early_byte_filter(ap_filter_t* f, apr_bucket_brigade* brigade) noexcept {
    if (f->ctx)
        return ap_pass_brigade(f->next, brigade);
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        const char* data = nullptr;
        apr_size_t length = 0;
        if (const auto status = apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ);
            status != APR_SUCCESS)
            return status;
        if (length == 0)
            continue;
        if (data[0] != kEarlyByte.front()) {
            // Some module writes responses of its own kind; what its client has cannot be taken back.
            f->c->aborted = 1;
            apr_brigade_cleanup(brigade);
            return APR_ECONNABORTED;
        }
        if (length > kEarlyByte.size())
            apr_bucket_split(bucket, kEarlyByte.size());
        apr_bucket_delete(bucket);
        f->ctx = f;
        ap_remove_output_filter(f);
        break;
    }
    return ap_pass_brigade(f->next, brigade);
}

}  // namespace

void register_early_byte_filter() {
    // A connection's: interim responses pass no filter of a request. Above TLS, which is AP_FTYPE_CONNECTION + 5.
    filter_record() = ap_register_output_filter(kName, early_byte_filter, nullptr, AP_FTYPE_CONNECTION);
}

bool send_early_byte(request_rec* r) {
    r = page_of(r);
    conn_rec* const c = r->connection;
    if (r->sent_bodyct || r->assbackwards)
        return false;
    if (is_early_byte_sent(c))
        return true;
    apr_bucket_brigade* const brigade = apr_brigade_create(r->pool, c->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(
        brigade, apr_bucket_immortal_create(kEarlyByte.data(), kEarlyByte.size(), c->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(c->bucket_alloc));
    (void)ap_pass_brigade(c->output_filters, brigade);  // a failure shows in c->aborted
    ap_add_output_filter_handle(filter_record(), nullptr, r, c);
    return true;
}

}  // namespace zmqspdy::glue
