#include "mod_zmqspdy/glue/request_headers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "mod_zmqspdy/core/http_fields.hpp"

namespace zmqspdy::glue {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        c = apr_tolower(c);
    return result;
}

std::string request_target(request_rec* r) {
    if (r->main || r->prev) {
        std::string target = ap_os_escape_path(r->pool, r->uri, 1);
        if (r->args)
            target.append("?").append(r->args);
        return target;
    }
    const std::string_view sent = r->unparsed_uri;
    if (sent.empty() || sent.front() == '/' || sent == "*")
        return std::string(sent);
    // absolute-form, RFC 9112 section 3.2.2
    const auto scheme = sent.find("://");
    const auto path = scheme == std::string_view::npos ? scheme : sent.find_first_of("/?", scheme + 3);
    if (path == std::string_view::npos)
        return "/";
    return (sent[path] == '?' ? "/" : "") + std::string(sent.substr(path));
}

/// httpd's own idea of the host, which an absolute-form target overrides.
std::string request_host(request_rec* r) {
    const std::string_view name = r->hostname ? r->hostname : ap_get_server_name(r);
    std::string host =
        name.find(':') == std::string_view::npos ? std::string(name) : "[" + std::string(name) + "]";
    if (r->parsed_uri.port != 0 && r->parsed_uri.port != ap_default_port(r))
        host.append(":").append(std::to_string(r->parsed_uri.port));
    return host;
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
            names.push_back(lower(token));
        while (*list == ',' || *list == ' ')
            ++list;
    }
    return names;
}

bool stays_here(std::string_view name) {
    static constexpr std::array<std::string_view, 7> kOurs{
        "host", "expect", "proxy", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"};
    return router::is_hop_by_hop(name) || std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end();
}

/// What the client sent under `name`, and ours behind it.
void append(spdy::HeaderBlock& headers, request_rec* r, const char* name, std::string_view ours) {
    const char* const theirs = apr_table_get(r->headers_in, name);
    headers.add(name, theirs ? std::string(theirs) + ", " + std::string(ours) : std::string(ours));
}

}  // namespace

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

spdy::HeaderBlock make_request_headers(request_rec* r) {
    spdy::HeaderBlock headers;
    headers.add(":method", r->method);
    headers.add(":path", request_target(r));
    headers.add(":version", r->protocol);
    headers.add(":host", request_host(r));
    headers.add(":scheme", ap_http_scheme(r));

    const auto named = connection_names(r);
    const bool chunked = apr_table_get(r->headers_in, "Transfer-Encoding") != nullptr;
    const apr_array_header_t* const array = apr_table_elts(r->headers_in);
    const auto* const entries = reinterpret_cast<const apr_table_entry_t*>(array->elts);
    for (int i = 0; i < array->nelts; ++i) {
        const auto& entry = entries[i];
        if (!entry.key || !entry.val || *entry.key == '\0')
            continue;
        const std::string name = lower(entry.key);
        if (stays_here(name) || std::find(named.begin(), named.end(), name) != named.end())
            continue;
        // Never both a length and chunking: what httpd read decides.
        if (name == "content-length" && chunked)
            continue;
        headers.add(name, entry.val);
    }
    append(headers, r, "x-forwarded-for", r->useragent_ip);
    if (const char* const host = apr_table_get(r->headers_in, "Host"))
        append(headers, r, "x-forwarded-host", host);
    append(headers, r, "x-forwarded-proto", ap_http_scheme(r));
    const int minor = HTTP_VERSION_MINOR(r->proto_num);
    append(headers, r, "via",
           std::to_string(HTTP_VERSION_MAJOR(r->proto_num)) + "." + std::to_string(minor) + " " +
               ap_get_server_name(r));
    return headers;
}

}  // namespace zmqspdy::glue
