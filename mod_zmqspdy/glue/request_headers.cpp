#include "mod_zmqspdy/glue/request_headers.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mod_zmqspdy/core/http_fields.hpp"
#include "mod_zmqspdy/core/request_fields.hpp"
#include "mod_zmqspdy/glue/entity_tag_filter.hpp"
#include "mod_zmqspdy/glue/request_target.hpp"

namespace zmqspdy::glue {

namespace {

std::span<const apr_table_entry_t> entries_of(const apr_table_t* table) {
    const apr_array_header_t* const array = apr_table_elts(table);
    return {reinterpret_cast<const apr_table_entry_t*>(array->elts), static_cast<std::size_t>(array->nelts)};
}

/// The names that Connection lists: they end here (RFC 9110 section 7.6.1).
std::vector<std::string> connection_names(request_rec* r) {
    std::vector<std::string> names;
    const char* list = apr_table_get(r->headers_in, "Connection");
    if (!list)
        return names;
    while (const char* token = ap_get_token(r->pool, &list, 0)) {
        if (*token == '\0' && *list != ',')
            break;
        if (*token != '\0')
            names.push_back(router::to_lower(token));
        while (*list == ',' || *list == ' ')
            ++list;
    }
    return names;
}

bool is_in(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// What the client sent under `name`, and ours behind it.
void append(spdy::HeaderBlock& headers, request_rec* r, const std::vector<std::string>& named,
            const char* name, std::string_view ours) {
    const char* const theirs = is_in(named, name) ? nullptr : apr_table_get(r->headers_in, name);
    headers.add(name, theirs ? std::string(theirs) + ", " + std::string(ours) : std::string(ours));
}

/// Conditions and ranges are about the page that was asked for, not about what is included in it.
bool is_about_page(std::string_view name) {
    return name == "range" || name.starts_with("if-");
}

/// What was said of the body, or of the page, that another request was about.
bool is_about_other_request(const request_rec* r, std::string_view name) {
    if (is_error_page(r))
        return name.starts_with("content-") || is_about_page(name);
    return r->main && is_about_page(name);
}

/// Input filters that httpd's configuration put before the body: its length is not what the client announced.
bool body_is_filtered(const request_rec* r) {
    return r->input_filters != r->proto_input_filters;
}

/// mod_deflate takes the field away when it first reads the body, which is too late for us.
bool body_is_inflated(const request_rec* r, std::string_view content_encoding) {
    if (content_encoding != "gzip" && content_encoding != "x-gzip")
        return false;
    for (const ap_filter_t* f = r->input_filters; f != r->proto_input_filters && f; f = f->next)
        if (std::string_view(f->frec->name) == "deflate")
            return true;
    return false;
}

/// Max-Forwards for the next one (RFC 9110 section 7.6.2); 0 ends here, see the handler.
std::string forwards_left(std::string_view field) {
    const auto forwards = router::parse_max_forwards(field).value_or(0);
    return std::to_string(forwards == 0 ? 0 : forwards - 1);
}

/// This server in Via. Without UseCanonicalName ap_get_server_name() says what the client named.
const char* server_pseudonym(request_rec* r) {
    const char* const name = ap_get_server_name(r);
    return name == r->hostname && r->server->server_hostname ? r->server->server_hostname : name;
}

void add_variables(spdy::HeaderBlock& headers, request_rec* r, const DirConfig& config) {
    for (const PassedVariable* variable = config.get<setting::Pass>(); variable; variable = variable->next) {
        const char* error = nullptr;
        const char* const text = ap_expr_str_exec(r, variable->value, &error);
        if (error) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "ZmqSpdyPass: %s: %s", variable->header, error);
            continue;
        }
        if (!text || *text == '\0')
            continue;
        std::string value = text;
        // A certificate in PEM has line ends.
        std::replace_if(
            value.begin(), value.end(),
            [](char c) {
                return !router::is_field_value({&c, 1});
            },
            ' ');
        headers.add(variable->header, value);
    }
}

}  // namespace

bool is_error_page(const request_rec* r) {
    return r->prev && ap_is_HTTP_ERROR(r->prev->status);
}

bool is_idempotent(const request_rec* r) {
    switch (r->method_number) {
        case M_GET:  // HEAD too
        case M_PUT:
        case M_DELETE:
        case M_OPTIONS:
            return true;
        default:
            return false;
    }
}

std::optional<apr_off_t> announced_length(request_rec* r) {
    const char* const text = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length = 0;
    if (!text || apr_table_get(r->headers_in, "Transfer-Encoding") || !ap_parse_strict_length(&length, text))
        return std::nullopt;
    return length;
}

bool has_request_body(request_rec* r) {
    // ap_request_has_body() says no of every HEAD, whose body is as much part of the connection as any other's.
    return !is_error_page(r) && (r->kept_body || apr_table_get(r->headers_in, "Transfer-Encoding") ||
                                 announced_length(r).value_or(0) > 0);
}

std::variant<spdy::HeaderBlock, std::string> make_request_headers(request_rec* r, const DirConfig& config) {
    const auto target = request_target(r);
    if (!target)
        return std::string(
            "its path, as httpd's modules have made it, has dot segments or no slash in front");
    spdy::HeaderBlock headers;
    headers.add(":method", r->method);
    headers.add(":path", *target);
    headers.add(":version", r->protocol);
    headers.add(":host", request_host(r));
    headers.add(":scheme", ap_http_scheme(r));

    const auto named = connection_names(r);
    const bool chunked = apr_table_get(r->headers_in, "Transfer-Encoding") != nullptr;
    for (const apr_table_entry_t& entry : entries_of(r->headers_in)) {
        if (!entry.key || !entry.val)
            continue;
        const std::string name = router::to_lower(entry.key);
        if (router::stays_with_httpd(name) || is_in(named, name))
            continue;
        // Never both a length and chunking: what httpd read decides.
        if (name == "content-length" && (chunked || body_is_filtered(r)))
            continue;
        if (is_about_other_request(r, name) || (name == "content-encoding" && body_is_inflated(r, entry.val)))
            continue;
        // httpd lets such through only when told to (HttpProtocolOptions Unsafe), or a module has made it.
        if (!router::is_token(name) || !router::is_field_value(entry.val))
            return std::string("the request has a header field that cannot be passed on");
        if (name == "max-forwards" && r->method_number == M_OPTIONS)
            headers.add(name, forwards_left(entry.val));
        // Not If-Range: the client has part of what a filter has made, which no range of a worker's fits.
        else if (name == "if-none-match" || name == "if-match")
            headers.add(name, router::with_original_tags(entry.val, tag_suffixes()));
        else
            headers.add(name, entry.val);
    }
    // The worker may say when it wants the body; see UpstreamRequest::on_interim().
    if (r->expecting_100 && has_request_body(r))
        headers.add("expect", "100-continue");
    append(headers, r, named, "x-forwarded-for", r->useragent_ip);
    if (const auto host = forwarded_host(r); !host.empty())
        append(headers, r, named, "x-forwarded-host", host);
    append(headers, r, named, "x-forwarded-proto", ap_http_scheme(r));
    const int minor = HTTP_VERSION_MINOR(r->proto_num);
    append(headers, r, named, "via",
           std::to_string(HTTP_VERSION_MAJOR(r->proto_num)) + "." + std::to_string(minor) + " " +
               server_pseudonym(r));
    add_variables(headers, r, config);
    return headers;
}

std::optional<spdy::HeaderBlock> make_request_trailers(request_rec* r) {
    if (!r->trailers_in || apr_is_empty_table(r->trailers_in))
        return std::nullopt;
    spdy::HeaderBlock trailers;
    for (const apr_table_entry_t& entry : entries_of(r->trailers_in)) {
        if (!entry.key || !entry.val)
            continue;
        const std::string name = router::to_lower(entry.key);
        if (router::is_token(name) && router::is_field_value(entry.val) && router::may_be_trailer(name))
            trailers.add(name, entry.val);
    }
    if (trailers.empty())
        return std::nullopt;
    return trailers;
}

}  // namespace zmqspdy::glue
