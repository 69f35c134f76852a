// The settings of httpd's sections, and the directives that make them.
#pragma once

#include <array>

#include "mod_zmqspdy/glue/httpd.hpp"
#include "mod_zmqspdy/glue/settings.hpp"

namespace zmqspdy::router {
class DealerPool;
}

namespace zmqspdy::glue {

/// Settings of the whole server. Lives in pconf; trivially destructible. Virtual hosts share the main server's.
struct ServerConfig : ServerSettings {
    /// This child's pool; null before child_init and after the child's end has begun. Owned by the child's
    /// pool.
    router::DealerPool* pool = nullptr;
};

/// One of ZmqSpdyPass's names.
struct PassedVariable {
    const char* header;  ///< the field that carries it, in lower case
    const ap_expr_info_t* value;
    const PassedVariable* next;
};

/// Settings per directory. An unset one is inherited.
using DirConfig = DirectorySettings;

[[nodiscard]] ServerConfig& server_config(const server_rec* s);
[[nodiscard]] const DirConfig& dir_config(const request_rec* r);

void* create_server_config(apr_pool_t* p, server_rec* s) noexcept;
void* merge_server_config(apr_pool_t* p, void* base, void* added) noexcept;
void* create_dir_config(apr_pool_t* p, char* dir) noexcept;
void* merge_dir_config(apr_pool_t* p, void* base, void* added) noexcept;

/// After all directives are read: what no single one can judge. Logs a sentence and returns an error status,
/// which configtest shows too.
int check_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s) noexcept;

/// One for each setting, and an empty one behind them. Filled before httpd reads them.
extern const std::array<command_rec, ServerSettings::count + DirectorySettings::count + 1> kDirectives;

}  // namespace zmqspdy::glue
