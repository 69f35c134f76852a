#include "mod_zmqspdy/glue/trailers_filter.hpp"

#include <string_view>

namespace zmqspdy::glue {

namespace {

constexpr const char* kName = "ZMQSPDY_TRAILERS";
// What the chunk filter puts before EOS, as a bucket of its own: last-chunk, an empty trailer section, and the end.
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr apr_size_t kBeforeTrailers = 3;

int append_line(void* brigade, const char* name, const char* value) {
    return apr_brigade_printf(static_cast<apr_bucket_brigade*>(brigade), nullptr, nullptr, "%s: %s\r\n", name,
                              value) == APR_SUCCESS;
}

bool is_last_chunk(apr_bucket* bucket) {
    const char* data = nullptr;
    apr_size_t length = 0;
    return !APR_BUCKET_IS_METADATA(bucket) && bucket->length == kLastChunk.size() &&
           apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) == APR_SUCCESS &&
           std::string_view(data, length) == kLastChunk;
}

apr_status_t trailers_filter(ap_filter_t* f, apr_bucket_brigade* brigade) noexcept {
    for (apr_bucket* bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        if (!APR_BUCKET_IS_EOS(bucket))
            continue;
        apr_bucket* const last = APR_BUCKET_PREV(bucket);
        if (last != APR_BRIGADE_SENTINEL(brigade) && f->r->chunked && is_last_chunk(last) &&
            apr_bucket_split(last, kBeforeTrailers) == APR_SUCCESS) {
            apr_bucket_brigade* const lines = apr_brigade_create(f->r->pool, f->c->bucket_alloc);
            apr_table_do(append_line, lines, f->r->trailers_out, nullptr);
            apr_bucket* const end = APR_BUCKET_NEXT(last);
            while (!APR_BRIGADE_EMPTY(lines)) {
                apr_bucket* const line = APR_BRIGADE_FIRST(lines);
                APR_BUCKET_REMOVE(line);
                APR_BUCKET_INSERT_BEFORE(end, line);
            }
        }
        break;
    }
    return ap_pass_brigade(f->next, brigade);
}

}  // namespace

void register_trailers_filter() {
    // Just behind the chunk filter, which is AP_FTYPE_TRANSCODE.
    ap_register_output_filter(kName, trailers_filter, nullptr,
                              static_cast<ap_filter_type>(AP_FTYPE_TRANSCODE + 1));
}

void add_trailers_filter(request_rec* r) {
    ap_add_output_filter(kName, nullptr, r, r->connection);
}

}  // namespace zmqspdy::glue
