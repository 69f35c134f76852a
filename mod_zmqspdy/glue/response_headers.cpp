#include "mod_zmqspdy/glue/response_headers.hpp"

#include <cstdlib>
#include <limits>
#include <string_view>

#include "mod_zmqspdy/glue/request_headers.hpp"
#include "mod_zmqspdy/glue/trailers_filter.hpp"

namespace zmqspdy::glue {

namespace {

const char* copy(request_rec* r, std::string_view text) {
    return apr_pstrmemdup(r->pool, text.data(), text.size());
}

/// httpd turns a status that it has no reason phrase for into 500, unless it is given the whole line.
const char* status_line(request_rec* r, int status, std::string_view reason) {
    if (!reason.empty())
        return apr_psprintf(r->pool, "%d %s", status, copy(r, reason));
    const char* const known = ap_get_status_line(status);
    if (known && std::atoi(known) == status)
        return nullptr;
    // Of those that are in use, early releases of httpd 2.4 do not know this one.
    return status == 103 ? "103 Early Hints" : apr_psprintf(r->pool, "%d Status", status);
}

/// Fields that are httpd's to set, or tell of a body where there is none (RFC 9110 section 8.6).
bool may_be_interim(std::string_view name) {
    return name.front() != ':' && name != "content-length" && name != "date" && name != "server";
}

/// Each of the NUL-joined values becomes a line of its own: Set-Cookie must not be joined by commas.
void add_lines(request_rec* r, apr_table_t* table, const spdy::Header& header) {
    // mod_http2 makes them lower case again for its clients.
    const char* const name = copy(r, router::http1_spelling(header.name));
    spdy::for_each_value(header.value,
                         [&](std::string_view value) { apr_table_addn(table, name, copy(r, value)); });
}

}  // namespace

router::FieldLimits field_limits(const request_rec* r) {
    const auto limit = [](int directive) {
        return directive > 0 ? static_cast<std::size_t>(directive) : std::numeric_limits<std::size_t>::max();
    };
    return {.count = limit(r->server->limit_req_fields), .line_size = limit(r->server->limit_req_fieldsize)};
}

void set_response_head(request_rec* r, const spdy::HeaderBlock& headers, const router::ResponseHead& head) {
    // The page of an ErrorDocument goes out with the error's status, as a file's does, unless it has one of its own.
    const bool keeps_status = head.status == HTTP_OK && is_error_page(r);
    r->status = keeps_status ? r->prev->status : head.status;
    r->status_line = status_line(r, r->status, keeps_status ? std::string_view{} : head.reason);
    // Ranges are GET's (RFC 9110 section 14.2). A subrequest's part is not what was asked for a range of.
    if (r->method_number != M_GET && !r->main)
        ap_remove_output_filter_byhandle(r->output_filters, "byterange");
    // mod_mime may have guessed these from the URL; only the worker knows what it sends.
    ap_set_content_type(r, nullptr);
    r->content_encoding = nullptr;
    r->content_languages = nullptr;
    for (const spdy::Header header : headers) {
        if (header.name.front() == ':')
            continue;
        if (header.name == "content-type")
            ap_set_content_type(r, copy(r, header.value.substr(0, header.value.find('\0'))));
        else if (header.name == "content-length") {
            if (head.status != HTTP_NO_CONTENT)  // RFC 9110 section 8.6
                ap_set_content_length(r, static_cast<apr_off_t>(*head.content_length));
        } else
            add_lines(r, r->headers_out, header);
    }
}

void send_interim_response(request_rec* r, const spdy::HeaderBlock& headers,
                           const router::ResponseHead& head) {
    // 101 would hand the connection over; and a subrequest has no response of its own.
    if (head.status == HTTP_SWITCHING_PROTOCOLS || r->main)
        return;
    const int kept_status = r->status;
    const unsigned expecting_100 = r->expecting_100;
    apr_table_t* const kept = apr_table_clone(r->pool, r->headers_out);
    r->status = head.status;
    r->status_line = status_line(r, r->status, head.reason);
    apr_table_clear(r->headers_out);
    for (const spdy::Header header : headers)
        if (may_be_interim(header.name))
            add_lines(r, r->headers_out, header);
    ap_send_interim_response(r, 1);
    r->expecting_100 = expecting_100;  // only a 100 is what the client waits for
    r->status = kept_status;
    r->status_line = nullptr;
    r->headers_out = kept;
}

void send_continue(request_rec* r) {
    const int kept_status = r->status;
    r->status = HTTP_CONTINUE;
    r->status_line = nullptr;
    ap_send_interim_response(r, 0);  // looks at expecting_100 itself
    r->expecting_100 = 0;
    r->status = kept_status;
}

bool set_trailers(request_rec* r, const spdy::HeaderBlock& trailers, bool first) {
    for (const spdy::Header header : trailers)
        add_lines(r, r->trailers_out, header);
    const char* const te = apr_table_get(r->headers_in, "TE");
    const bool wanted =
        r->proto_num == HTTP_VERSION(1, 1) && !r->main && te && ap_find_token(r->pool, te, "trailers");
    if (wanted && first)
        add_trailers_filter(r);
    return wanted;
}

void clear_response_head(request_rec* r) {
    r->status = HTTP_OK;
    r->status_line = nullptr;
    apr_table_clear(r->headers_out);
    ap_set_content_type(r, nullptr);
    r->clength = 0;
}

}  // namespace zmqspdy::glue
