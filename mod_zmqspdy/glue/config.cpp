#include "mod_zmqspdy/glue/config.hpp"

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "mod_zmqspdy/glue/description.hpp"
#include "mod_zmqspdy/glue/fence.hpp"
#include "transport/announcement.hpp"
#include "transport/endpoint.hpp"

extern "C" module_struct zmqspdy_module;

namespace zmqspdy::glue {

namespace {

static_assert(std::is_trivially_destructible_v<ServerConfig> && std::is_trivially_destructible_v<DirConfig>,
              "they live in pools without a cleanup");

template <typename Config>
Config* make(apr_pool_t* p, const Config& value = {}) {
    return new (apr_palloc(p, sizeof(Config))) Config{value};
}

const char* refuse(cmd_parms* cmd, const char* rule) {
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", rule, nullptr);
}

// parse<Of>() reads a directive's word into `value`, or returns the sentence that says what is wrong.

template <typename Of, std::integral Value>
const char* parse(cmd_parms* cmd, const char* word, Value& value) {
    std::uint64_t number = 0;
    const char* const last = word + std::strlen(word);
    const auto [end, error] = std::from_chars(word, last, number);
    if (error != std::errc{} || end != last || number < Of::least || number > Of::most)
        return apr_psprintf(
            cmd->pool, "%s: '%s' must be a number from %" APR_UINT64_T_FMT " to %" APR_UINT64_T_FMT, Of::name,
            word, static_cast<apr_uint64_t>(Of::least), static_cast<apr_uint64_t>(Of::most));
    value = static_cast<Value>(number);
    return nullptr;
}

template <std::derived_from<setting::Time> Of>
const char* parse(cmd_parms* cmd, const char* word, Milliseconds& value) {
    if (std::is_base_of_v<setting::TimeOrNone, Of> && ap_cstr_casecmp(word, "none") == 0) {
        value = Milliseconds::max();
        return nullptr;
    }
    apr_interval_time_t time = 0;
    const bool number = *word >= '0' && *word <= '9';
    if (!number || ap_timeout_parameter_parse(word, &time, "s") != APR_SUCCESS ||
        time < apr_time_from_msec(Of::least.count()) || time > apr_time_from_msec(Of::most.count()))
        return apr_psprintf(cmd->pool, "%s: '%s' must be a time from %s, such as 500ms, 30s or 5min",
                            Of::name, word, range<Of>().c_str());
    value = Milliseconds{apr_time_as_msec(time)};
    return nullptr;
}

template <std::same_as<setting::Listen> Of>
const char* parse(cmd_parms* cmd, const char* word, const char*& value) {
    auto parsed = transport::parse_endpoint(word);
    if (const auto* error = std::get_if<transport::EndpointError>(&parsed))
        return refuse(cmd, apr_pstrdup(cmd->pool, error->why.c_str()));
    const auto* tcp = std::get_if<transport::TcpEndpoint>(&std::get<transport::Endpoint>(parsed));
    if (!tcp || tcp->port == 0)
        return apr_psprintf(cmd->pool, "%s: '%s' must be a tcp endpoint with a port, for example %s",
                            Of::name, word, Of::standard);
    value = apr_pstrdup(cmd->pool, word);
    return nullptr;
}

template <std::same_as<setting::Service> Of>
const char* parse(cmd_parms* cmd, const char* word, const char*& value) {
    if (!transport::is_valid_name(word))
        return refuse(cmd, "a service is named by 1 to 63 visible ASCII characters");
    value = apr_pstrdup(cmd->pool, word);
    return nullptr;
}

/// The whole list at once: a name of the list before it, inherited or above, does not stay.
const char* parse_list(cmd_parms* cmd, int count, char* const names[], const PassedVariable*& first) {
    if (count == 0)
        return refuse(cmd, "name the variables that workers get, or None");
    first = nullptr;
    if (count == 1 && std::strcmp(names[0], "None") == 0)
        count = 0;
    for (int i = count; i-- > 0;) {
        const char* const name = names[i];
        if (*name == '\0' || name[std::strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] != '\0')
            return apr_psprintf(
                cmd->pool, "%s: '%s' must be the name of a variable, such as REMOTE_USER or SSL_PROTOCOL",
                cmd->cmd->name, name);
        // What httpd's expressions know by this name; else a variable of the request's environment (SetEnvIf, ...).
        const char* error = nullptr;
        const auto parse = [&](const char* kind) {
            return ap_expr_parse_cmd(cmd, apr_pstrcat(cmd->pool, kind, name, "}", nullptr),
                                     AP_EXPR_FLAG_STRING_RESULT, &error, nullptr);
        };
        const ap_expr_info_t* value = parse("%{");
        if (error)
            value = parse("%{reqenv:");
        if (error)
            return apr_psprintf(cmd->pool, "%s: %s: %s", cmd->cmd->name, name, error);
        char* const header = apr_pstrcat(cmd->pool, "zmqspdy-", name, nullptr);
        for (char* c = header; *c != '\0'; ++c)
            *c = *c == '_' ? '-' : apr_tolower(*c);
        first = new (apr_palloc(cmd->pool, sizeof(PassedVariable))) PassedVariable{header, value, first};
    }
    return nullptr;
}

/// Where a directive's value goes: the server's settings, or the directory's.
template <typename Of>
auto& target(cmd_parms* cmd, void* dir) {
    if constexpr (Of::context == Context::server)
        return server_config(cmd->server);
    else
        return *static_cast<DirConfig*>(dir);
}

template <typename Of>
const char* check_context(cmd_parms* cmd) {
    switch (Of::context) {
        case Context::server:
            return ap_check_cmd_context(cmd, GLOBAL_ONLY);
        case Context::location:
            return ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES | NOT_IN_HTACCESS);
        case Context::directory:
            break;
    }
    return nullptr;
}

/// What httpd calls for a directive. `read` fills the value, or returns what is wrong with the words.
template <typename Of, typename Read>
const char* set(cmd_parms* cmd, void* dir, Read read) noexcept {
    if (const char* error = check_context<Of>(cmd))
        return error;
    typename Of::Value value{};
    try {
        if (const char* error = read(value))
            return error;
    } catch (const std::exception& error) {
        return refuse(cmd, apr_pstrdup(cmd->pool, error.what()));
    }
    target<Of>(cmd, dir).template set<Of>(value);
    return nullptr;
}

template <typename Of>
const char* set_word(cmd_parms* cmd, void* dir, const char* word) noexcept {
    return set<Of>(cmd, dir, [&](auto& value) { return parse<Of>(cmd, word, value); });
}

template <typename Of>
const char* set_flag(cmd_parms* cmd, void* dir, int on) noexcept {
    return set<Of>(cmd, dir, [on](bool& value) -> const char* {
        value = on != 0;
        return nullptr;
    });
}

template <typename Of>
const char* set_list(cmd_parms* cmd, void* dir, int count, char* const words[]) noexcept {
    return set<Of>(cmd, dir, [&](auto& first) { return parse_list(cmd, count, words, first); });
}

/// What `httpd -L` says, and httpd itself of a directive without an argument.
template <typename Of>
const char* help() {
    static const std::string text = [] {
        const auto described = describe<Of>();
        auto sentence = described.meaning;
        if (!described.standard.empty())
            sentence += "; default: " + described.standard;
        std::erase(sentence, '`');
        return sentence;
    }();
    return text.c_str();
}

template <typename Of>
command_rec directive() {
    constexpr int where = Of::context == Context::server ? RSRC_CONF : RSRC_CONF | ACCESS_CONF;
    if constexpr (std::is_same_v<typename Of::Value, bool>)
        return AP_INIT_FLAG(Of::name, set_flag<Of>, nullptr, where, help<Of>());
    else if constexpr (std::is_same_v<typename Of::Value, const PassedVariable*>)
        return AP_INIT_TAKE_ARGV(Of::name, set_list<Of>, nullptr, where, help<Of>());
    else
        return AP_INIT_TAKE1(Of::name, set_word<Of>, nullptr, where, help<Of>());
}

auto make_directives() {
    std::remove_const_t<decltype(kDirectives)> result{};
    auto* next = result.data();
    const auto add = [&next]<typename Of>() { *next++ = directive<Of>(); };
    ServerSettings::for_each(add);
    DirectorySettings::for_each(add);
    return result;
}

}  // namespace

const decltype(kDirectives) kDirectives = make_directives();

ServerConfig& server_config(const server_rec* s) {
    return *static_cast<ServerConfig*>(ap_get_module_config(s->module_config, &zmqspdy_module));
}

const DirConfig& dir_config(const request_rec* r) {
    return *static_cast<const DirConfig*>(ap_get_module_config(r->per_dir_config, &zmqspdy_module));
}

void* create_server_config(apr_pool_t* p, server_rec*) noexcept {
    return make<ServerConfig>(p);
}

// All of these settings are the main server's alone (GLOBAL_ONLY), so every virtual host shares its object.
void* merge_server_config(apr_pool_t*, void* base, void*) noexcept {
    return base;
}

void* create_dir_config(apr_pool_t* p, char*) noexcept {
    return make<DirConfig>(p);
}

void* merge_dir_config(apr_pool_t* p, void* base_config, void* added_config) noexcept {
    const auto& base = *static_cast<const DirConfig*>(base_config);
    const auto& added = *static_cast<const DirConfig*>(added_config);
    auto* const result = make<DirConfig>(p, added);
    result->inherit(base);
    return result;
}

int check_config(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    return fenced(s, HTTP_INTERNAL_SERVER_ERROR, [&] {
        const ServerConfig& config = server_config(s);
        const auto listen = transport::parse_endpoint(config.get<setting::Listen>());
        if (config.get<setting::Insecure>() || transport::is_local(std::get<transport::Endpoint>(listen)))
            return OK;
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, s,
                     "ZmqSpdyListen: other hosts can reach %s, and whoever can may become a worker and see "
                     "every request; "
                     "listen on 127.0.0.1, or say 'ZmqSpdyInsecure on' if the network is trusted",
                     config.get<setting::Listen>());
        return HTTP_INTERNAL_SERVER_ERROR;
    });
}

}  // namespace zmqspdy::glue
