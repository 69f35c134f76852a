#include "mod_zmqspdy/glue/request_target.hpp"

#include <algorithm>
#include <string_view>

extern "C" module_struct zmqspdy_module;

namespace zmqspdy::glue {

namespace {

std::string_view view(const char* text) {
    return text ? std::string_view(text) : std::string_view();
}

/// "." or "..", encoded or not (RFC 3986 section 5.2.4).
bool is_dot_segment(std::string_view segment) {
    std::size_t dots = 0;
    while (!segment.empty()) {
        const bool encoded = segment.starts_with("%2e") || segment.starts_with("%2E");
        if (!encoded && segment.front() != '.')
            return false;
        segment.remove_prefix(encoded ? 3 : 1);
        ++dots;
    }
    return dots == 1 || dots == 2;
}

bool has_dot_segment(std::string_view target) {
    std::string_view path = target.substr(0, target.find('?'));
    while (!path.empty()) {
        const auto segment = path.substr(0, path.find('/'));
        if (is_dot_segment(segment))
            return true;
        path.remove_prefix(std::min(segment.size() + 1, path.size()));
    }
    return false;
}

/// A client's request whose path and query no module has changed.
bool is_as_sent(request_rec* r) {
    if (r->main || r->prev)
        return false;
    const auto* const uri =
        static_cast<const char*>(ap_get_module_config(r->request_config, &zmqspdy_module));
    return uri && !has_dot_segment(view(r->unparsed_uri)) && (r->uri == uri || view(r->uri) == uri) &&
           view(r->args) == view(r->parsed_uri.query);
}

bool is_absolute_form(const request_rec* r) {
    return r->parsed_uri.hostname != nullptr;
}

}  // namespace

int remember_uri(request_rec* r) {
    ap_set_module_config(r->request_config, &zmqspdy_module, r->uri);
    return DECLINED;
}

std::string request_target(request_rec* r) {
    if (!is_as_sent(r)) {
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

std::string request_host(request_rec* r) {
    const std::string_view name = r->hostname ? r->hostname : ap_get_server_name(r);
    std::string host =
        name.find(':') == std::string_view::npos ? std::string(name) : "[" + std::string(name) + "]";
    if (r->parsed_uri.port != 0 && r->parsed_uri.port != ap_default_port(r))
        host.append(":").append(std::to_string(r->parsed_uri.port));
    return host;
}

std::string forwarded_host(request_rec* r) {
    if (is_absolute_form(r))
        return request_host(r);
    return std::string(view(apr_table_get(r->headers_in, "Host")));
}

}  // namespace zmqspdy::glue
