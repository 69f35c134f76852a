#include "mod_zmqspdy/glue/request_target.hpp"

#include <string_view>

#include "mod_zmqspdy/core/request_target.hpp"

namespace zmqspdy::glue {

namespace {

std::string_view view(const char* text) {
    return text ? std::string_view(text) : std::string_view();
}

router::PathRules path_rules(const request_rec* r) {
    // httpd decodes before it knows the request's sections, by the server's own settings; merged with those of a section
    // they are lost.
    const auto* const dir =
        static_cast<const core_dir_config*>(ap_get_core_module_config(r->server->lookup_defaults));
    const auto* const server =
        static_cast<const core_server_config*>(ap_get_core_module_config(r->server->module_config));
    router::PathRules rules;
    if (dir->allow_encoded_slashes)
        rules.encoded_slash =
            dir->decode_encoded_slashes ? router::EncodedSlash::decoded : router::EncodedSlash::kept;
    rules.merge_slashes = server->merge_slashes != AP_CORE_CONFIG_OFF;
    return rules;
}

bool is_absolute_form(const request_rec* r) {
    return r->parsed_uri.hostname != nullptr;
}

}  // namespace

std::optional<std::string> request_target(const request_rec* r) {
    router::Target target{.sent = view(r->unparsed_uri), .path = view(r->uri), .query = std::nullopt};
    if (r->args)
        target.query = r->args;
    return router::origin_form(target, path_rules(r));
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
