#include "mod_zmqspdy/glue/entity_tag_filter.hpp"

#include <array>
#include <cstring>
#include <exception>

#include "mod_zmqspdy/glue/routing.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kName = "ZMQSPDY_ENTITY_TAG";

// The last one is what mod_deflate's INFLATE adds.
constexpr std::array<std::string_view, 3> kSuffixes{"-br", "-gzip", "-gunzip"};

/// Out of the other filters' reach: they change the tag in r->headers_out, and httpd adds r->err_headers_out to it at the
/// very end.
void keep_known_tag(request_rec* r) {
    const char* const tag = apr_table_get(r->headers_out, "ETag");
    const char* const asked = apr_table_get(r->headers_in, "If-None-Match");
    if (!tag || !asked)
        return;
    const auto known = router::known_tag(asked, tag, tag_suffixes());
    if (!known)
        return;
    apr_table_setn(r->err_headers_out, "ETag", apr_pstrmemdup(r->pool, known->data(), known->size()));
    apr_table_unset(r->headers_out, "ETag");
    // The filter that has changed the tag has said this with it, and says nothing of a 304 (RFC 9110 section 15.4.5).
    if (*known != tag)
        apr_table_mergen(r->headers_out, "Vary", "Accept-Encoding");
}

apr_status_t entity_tag_filter(ap_filter_t* f, apr_bucket_brigade* brigade) noexcept {
    try {
        if (f->r->status == HTTP_NOT_MODIFIED)
            keep_known_tag(f->r);
    } catch (const std::exception& error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "the entity tag was left as it is: %s", error.what());
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

}  // namespace

router::TagSuffixes tag_suffixes() {
    const bool brotli = ap_find_linked_module("mod_brotli.c") != nullptr;
    const bool deflate = ap_find_linked_module("mod_deflate.c") != nullptr;
    const router::TagSuffixes all{kSuffixes};
    return all.subspan(brotli ? 0 : 1, (brotli ? 1U : 0U) + (deflate ? 2U : 0U));
}

void register_entity_tag_filter() {
    // Before all others.
    ap_register_output_filter(kName, entity_tag_filter, nullptr,
                              static_cast<ap_filter_type>(AP_FTYPE_RESOURCE - 5));
}

void insert_entity_tag_filter(request_rec* r) noexcept {
    const bool ours = r->handler && std::strcmp(r->handler, kHandlerName) == 0;
    if (ours && !r->main && apr_table_get(r->headers_in, "If-None-Match") && !tag_suffixes().empty())
        ap_add_output_filter(kName, nullptr, r, r->connection);
}

}  // namespace zmqspdy::glue
