#include "mod_zmqspdy/glue/config.hpp"

#include <charconv>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "mod_zmqspdy/glue/fence.hpp"
#include "transport/announcement.hpp"
#include "transport/endpoint.hpp"

extern "C" module_struct zmqspdy_module;

namespace zmqspdy::glue {

namespace {

static_assert(std::is_trivially_destructible_v<ServerConfig> && std::is_trivially_destructible_v<DirConfig>,
              "they live in pools without a cleanup");

template <typename Config>
Config* make(apr_pool_t* p) {
    return new (apr_palloc(p, sizeof(Config))) Config{};
}

const char* refuse(cmd_parms* cmd, const char* rule) {
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", rule, nullptr);
}

/// Where a directive's value goes: the server's settings, or the directory's.
template <typename Config>
Config* target(cmd_parms* cmd, void* dir) {
    if constexpr (std::is_same_v<Config, ServerConfig>)
        return &server_config(cmd->server);
    else
        return static_cast<DirConfig*>(dir);
}

template <typename Config>
const char* check_context(cmd_parms* cmd) {
    if constexpr (std::is_same_v<Config, ServerConfig>)
        return ap_check_cmd_context(cmd, GLOBAL_ONLY);
    else
        return nullptr;
}

template <typename Config, auto Field, std::uint64_t Least, std::uint64_t Most>
const char* set_number(cmd_parms* cmd, void* dir, const char* word) noexcept {
    if (const char* error = check_context<Config>(cmd))
        return error;
    std::uint64_t number = 0;
    const char* const last = word + std::strlen(word);
    const auto [end, error] = std::from_chars(word, last, number);
    if (error != std::errc{} || end != last || number < Least || number > Most)
        return apr_psprintf(
            cmd->pool, "%s: '%s' must be a number from %" APR_UINT64_T_FMT " to %" APR_UINT64_T_FMT,
            cmd->cmd->name, word, static_cast<apr_uint64_t>(Least), static_cast<apr_uint64_t>(Most));
    target<Config>(cmd, dir)->*Field = number;
    return nullptr;
}

// From a millisecond to a day: what is outside is a slip of the pen.
template <typename Config, auto Field, int Least = 1, int MostHours = 24>
const char* set_time(cmd_parms* cmd, void* dir, const char* word) noexcept {
    if (const char* error = check_context<Config>(cmd))
        return error;
    apr_interval_time_t time = 0;
    const bool number = *word >= '0' && *word <= '9';
    if (!number || ap_timeout_parameter_parse(word, &time, "s") != APR_SUCCESS ||
        time < apr_time_from_msec(Least) || time > apr_time_from_sec(MostHours * 60 * 60))
        return apr_psprintf(cmd->pool, "%s: '%s' must be a time from %dms to %dh, such as 500ms, 30s or 5min",
                            cmd->cmd->name, word, Least, MostHours);
    target<Config>(cmd, dir)->*Field = Milliseconds{apr_time_as_msec(time)};
    return nullptr;
}

const char* set_graceful_timeout(cmd_parms* cmd, void* dir, const char* word) noexcept {
    if (ap_cstr_casecmp(word, "none") != 0)
        return set_time<ServerConfig, &ServerConfig::graceful_timeout>(cmd, dir, word);
    if (const char* error = check_context<ServerConfig>(cmd))
        return error;
    server_config(cmd->server).graceful_timeout = Milliseconds::max();
    return nullptr;
}

const char* set_listen(cmd_parms* cmd, void*, const char* word) noexcept {
    if (const char* error = check_context<ServerConfig>(cmd))
        return error;
    try {
        auto parsed = transport::parse_endpoint(word);
        if (const auto* error = std::get_if<transport::EndpointError>(&parsed))
            return refuse(cmd, apr_pstrdup(cmd->pool, error->why.c_str()));
        const auto* tcp = std::get_if<transport::TcpEndpoint>(&std::get<transport::Endpoint>(parsed));
        if (!tcp || tcp->port == 0)
            return apr_psprintf(
                cmd->pool, "%s: '%s' must be a tcp endpoint with a port, for example tcp://127.0.0.1:8000",
                cmd->cmd->name, word);
    } catch (const std::exception& error) {
        return refuse(cmd, apr_pstrdup(cmd->pool, error.what()));
    }
    server_config(cmd->server).listen = apr_pstrdup(cmd->pool, word);
    return nullptr;
}

const char* set_service(cmd_parms* cmd, void* dir, const char* word) noexcept {
    if (!transport::is_valid_name(word))
        return refuse(cmd, "a service is named by 1 to 63 visible ASCII characters");
    static_cast<DirConfig*>(dir)->service = apr_pstrdup(cmd->pool, word);
    return nullptr;
}

// It counts before httpd looks for a file, and so before it knows of these sections.
const char* set_serve(cmd_parms* cmd, void* dir, int on) noexcept {
    if (const char* error = ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES | NOT_IN_HTACCESS))
        return error;
    static_cast<DirConfig*>(dir)->serve = on != 0;
    return nullptr;
}

// The whole list at once: a name of the list before it, inherited or above, does not stay.
const char* set_pass(cmd_parms* cmd, void* dir, int count, char* const names[]) noexcept {
    auto& list = static_cast<DirConfig*>(dir)->variables;
    if (count == 0)
        return refuse(cmd, "name the variables that workers get, or None");
    const PassedVariable* first = nullptr;
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
    list = first;
    return nullptr;
}

const char* set_insecure(cmd_parms* cmd, void*, int on) noexcept {
    if (const char* error = check_context<ServerConfig>(cmd))
        return error;
    server_config(cmd->server).insecure = on != 0;
    return nullptr;
}

const char* set_abort_on_close(cmd_parms*, void* dir, int on) noexcept {
    static_cast<DirConfig*>(dir)->abort_on_close = on != 0;
    return nullptr;
}

template <typename T>
std::optional<T> merged(const std::optional<T>& base, const std::optional<T>& added) {
    return added ? added : base;
}

}  // namespace

const command_rec kDirectives[] = {
    AP_INIT_TAKE1("ZmqSpdyListen", set_listen, nullptr, RSRC_CONF,
                  "where workers announce themselves; default tcp://127.0.0.1:8000"),
    AP_INIT_TAKE1("ZmqSpdyMaxWorkers", (set_number<ServerConfig, &ServerConfig::max_workers, 1, 4096>),
                  nullptr, RSRC_CONF, "workers at once, 1 to 4096; default 256"),
    AP_INIT_TAKE1("ZmqSpdyQueueLength", (set_number<ServerConfig, &ServerConfig::queue_length, 0, 1000000>),
                  nullptr, RSRC_CONF, "requests of one child that may wait for a worker; default 1024"),
    AP_INIT_TAKE1(
        "ZmqSpdyServiceQueueLength",
        (set_number<ServerConfig, &ServerConfig::service_queue_length, 1, 1000000>), nullptr, RSRC_CONF,
        "requests of one service that may wait for a worker, in all children together; default three "
        "quarters of MaxRequestWorkers"),
    AP_INIT_TAKE1("ZmqSpdyWindow", (set_number<ServerConfig, &ServerConfig::window, 16384, 16777216>),
                  nullptr, RSRC_CONF,
                  "bytes of one response under way from its worker, and of one request body that wait here, "
                  "16384 to 16777216; default 262144"),
    AP_INIT_TAKE1("ZmqSpdyResponseMemory",
                  (set_number<ServerConfig, &ServerConfig::response_memory, 0, 68719476736>), nullptr,
                  RSRC_CONF,
                  "bytes in which a child keeps what ZmqSpdyResponseBuffer takes in beyond ZmqSpdyWindow, 0 "
                  "to 68719476736; "
                  "default 33554432"),
    AP_INIT_TAKE1("ZmqSpdyCompression", (set_number<ServerConfig, &ServerConfig::compression, 0, 9>), nullptr,
                  RSRC_CONF, "zlib level of headers sent to workers, 0 to 9; default 0"),
    AP_INIT_TAKE1("ZmqSpdyHeartbeat",
                  (set_time<ServerConfig, &ServerConfig::heartbeat, transport::kLeastHeartbeat.count(),
                            transport::kMostHeartbeat.count()>),
                  nullptr, RSRC_CONF,
                  "time between signs of life; a worker is gone after three silent ones; default 1s"),
    AP_INIT_TAKE1(
        "ZmqSpdySlowStart", (set_time<ServerConfig, &ServerConfig::slow_start>), nullptr, RSRC_CONF,
        "time in which a new worker's share grows to its weight; default: it has all of it at once"),
    AP_INIT_TAKE1(
        "ZmqSpdyGracefulTimeout", set_graceful_timeout, nullptr, RSRC_CONF,
        "how long a child that is to end lets requests go on at their workers, or none; default 10min"),
    AP_INIT_FLAG("ZmqSpdyInsecure", set_insecure, nullptr, RSRC_CONF,
                 "On: allow addresses that other hosts can reach, without encryption or authentication"),
    AP_INIT_TAKE1("ZmqSpdyTimeout", (set_time<DirConfig, &DirConfig::timeout>), nullptr,
                  RSRC_CONF | ACCESS_CONF, "longest silence of a worker that has a request; default 60s"),
    AP_INIT_TAKE1("ZmqSpdyFirstByteTimeout", (set_time<DirConfig, &DirConfig::first_byte_timeout>), nullptr,
                  RSRC_CONF | ACCESS_CONF, "longest silence before the response; default ZmqSpdyTimeout"),
    AP_INIT_TAKE1("ZmqSpdyRequestTimeout", (set_time<DirConfig, &DirConfig::request_timeout>), nullptr,
                  RSRC_CONF | ACCESS_CONF, "time for a request in all; default: no limit"),
    AP_INIT_TAKE1("ZmqSpdyQueueTimeout", (set_time<DirConfig, &DirConfig::queue_timeout>), nullptr,
                  RSRC_CONF | ACCESS_CONF, "longest wait for a worker; default 5s"),
    AP_INIT_TAKE1("ZmqSpdyRetries", (set_number<DirConfig, &DirConfig::retries, 0, 10>), nullptr,
                  RSRC_CONF | ACCESS_CONF, "further workers to try when one is lost, 0 to 10; default 2"),
    AP_INIT_TAKE1("ZmqSpdyReplayBuffer", (set_number<DirConfig, &DirConfig::replay_buffer, 0, 16777216>),
                  nullptr, RSRC_CONF | ACCESS_CONF,
                  "bytes of a request body kept in case its worker is lost, 0 to 16777216; default 65536"),
    AP_INIT_TAKE1(
        "ZmqSpdyRequestBuffer", (set_number<DirConfig, &DirConfig::request_buffer, 0, 16777216>), nullptr,
        RSRC_CONF | ACCESS_CONF,
        "request bodies whose announced length is at most this are read whole before a worker gets the "
        "request, 0 to 16777216 bytes; default 65536"),
    AP_INIT_TAKE1(
        "ZmqSpdyResponseBuffer", (set_number<DirConfig, &DirConfig::response_buffer, 0, 16777216>), nullptr,
        RSRC_CONF | ACCESS_CONF,
        "what is left of a response, up to so many bytes, is taken in although its client reads slowly, 0 "
        "to 16777216; default 1048576"),
    AP_INIT_TAKE1("ZmqSpdyService", set_service, nullptr, RSRC_CONF | ACCESS_CONF,
                  "only workers that announced this service"),
    AP_INIT_FLAG("ZmqSpdyServe", set_serve, nullptr, RSRC_CONF | ACCESS_CONF,
                 "On: workers get what no Alias, ScriptAlias, RewriteRule, ProxyPass or SetHandler takes"),
    AP_INIT_TAKE1("ZmqSpdyPriority", (set_number<DirConfig, &DirConfig::priority, 0, 7>), nullptr,
                  RSRC_CONF | ACCESS_CONF,
                  "0, served first, to 7; default: what the client's Priority field says, or 3"),
    AP_INIT_FLAG("ZmqSpdyAbortOnClose", set_abort_on_close, nullptr, RSRC_CONF | ACCESS_CONF,
                 "Off: a client that closes its sending side within its response is still answered; default "
                 "On"),
    AP_INIT_TAKE_ARGV("ZmqSpdyPass", set_pass, nullptr, RSRC_CONF | ACCESS_CONF,
                      "variables that workers get as zmqspdy-NAME fields, e.g. REMOTE_USER SSL_PROTOCOL; or "
                      "None"),
    {}};

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
    auto* const result = make<DirConfig>(p);
    result->timeout = merged(base.timeout, added.timeout);
    result->first_byte_timeout = merged(base.first_byte_timeout, added.first_byte_timeout);
    result->request_timeout = merged(base.request_timeout, added.request_timeout);
    result->queue_timeout = merged(base.queue_timeout, added.queue_timeout);
    result->priority = merged(base.priority, added.priority);
    result->variables = merged(base.variables, added.variables);
    result->retries = merged(base.retries, added.retries);
    result->replay_buffer = merged(base.replay_buffer, added.replay_buffer);
    result->request_buffer = merged(base.request_buffer, added.request_buffer);
    result->response_buffer = merged(base.response_buffer, added.response_buffer);
    result->serve = merged(base.serve, added.serve);
    result->service = merged(base.service, added.service);
    result->abort_on_close = merged(base.abort_on_close, added.abort_on_close);
    return result;
}

int check_config(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    return fenced(s, HTTP_INTERNAL_SERVER_ERROR, [&] {
        const ServerConfig& config = server_config(s);
        const auto listen = transport::parse_endpoint(config.listen_or_default());
        if (config.insecure_or_default() || transport::is_local(std::get<transport::Endpoint>(listen)))
            return OK;
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, s,
                     "ZmqSpdyListen: other hosts can reach %s, and whoever can may become a worker and see "
                     "every request; "
                     "listen on 127.0.0.1, or say 'ZmqSpdyInsecure on' if the network is trusted",
                     config.listen_or_default());
        return HTTP_INTERNAL_SERVER_ERROR;
    });
}

}  // namespace zmqspdy::glue
