// The directives, what they set, and their defaults.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::router {
class DealerPool;
}

namespace zmqspdy::glue {

using Milliseconds = std::chrono::milliseconds;

/// Settings of the whole server. Lives in pconf; trivially destructible. Virtual hosts share the main
/// server's.
struct ServerConfig {
    std::optional<const char*> listen;
    std::optional<std::uint64_t> max_workers;
    std::optional<std::uint64_t> queue_length;
    std::optional<std::uint64_t> service_queue_length;
    std::optional<std::uint64_t> window;
    std::optional<std::uint64_t> response_memory;
    std::optional<std::uint64_t> compression;
    std::optional<Milliseconds> heartbeat;
    std::optional<Milliseconds> slow_start;
    std::optional<Milliseconds> graceful_timeout;  ///< max(): no limit
    std::optional<bool> insecure;

    /// This child's pool; null before child_init and after the child's end has begun. Owned by the child's
    /// pool.
    router::DealerPool* pool = nullptr;

    // The defaults, in one place.
    [[nodiscard]] const char* listen_or_default() const { return listen.value_or("tcp://127.0.0.1:8000"); }
    [[nodiscard]] std::uint32_t max_workers_or_default() const {
        return static_cast<std::uint32_t>(max_workers.value_or(256));
    }
    [[nodiscard]] std::size_t queue_length_or_default() const { return queue_length.value_or(1024); }
    /// Of so many threads that serve requests, in all children, some are left to others.
    [[nodiscard]] std::size_t service_queue_length_or_default(std::size_t threads) const {
        return service_queue_length.value_or(std::clamp<std::size_t>(threads * 3 / 4, 1, 1'000'000));
    }
    [[nodiscard]] std::uint32_t window_or_default() const {
        return static_cast<std::uint32_t>(window.value_or(std::uint64_t{256} * 1024));
    }
    [[nodiscard]] std::size_t response_memory_or_default() const {
        return response_memory.value_or(std::uint64_t{32} * 1024 * 1024);
    }
    [[nodiscard]] int compression_or_default() const { return static_cast<int>(compression.value_or(0)); }
    [[nodiscard]] Milliseconds heartbeat_or_default() const { return heartbeat.value_or(Milliseconds{1000}); }
    [[nodiscard]] Milliseconds slow_start_or_default() const { return slow_start.value_or(Milliseconds{0}); }
    [[nodiscard]] Milliseconds graceful_timeout_or_default() const {
        return graceful_timeout.value_or(std::chrono::minutes{10});
    }
    [[nodiscard]] bool insecure_or_default() const { return insecure.value_or(false); }
};

/// One of ZmqSpdyPass's names.
struct PassedVariable {
    const char* header;  ///< the field that carries it, in lower case
    const ap_expr_info_t* value;
    const PassedVariable* next;
};

/// Settings per directory. An unset one is inherited.
struct DirConfig {
    std::optional<Milliseconds> timeout;             ///< longest silence of a worker within its response
    std::optional<Milliseconds> first_byte_timeout;  ///< longest silence before the response
    std::optional<Milliseconds> request_timeout;     ///< from the handler's start to the response's end
    std::optional<Milliseconds> queue_timeout;       ///< longest wait for a worker
    std::optional<std::uint64_t> priority;           ///< instead of what the client asks for
    std::optional<const PassedVariable*> variables;
    std::optional<std::uint64_t> retries;
    std::optional<std::uint64_t> replay_buffer;  ///< bytes of a request body kept for another worker
    std::optional<std::uint64_t>
        request_buffer;  ///< longest request body that is read whole before it has a worker
    std::optional<std::uint64_t> response_buffer;  ///< bytes of a response that may be here, if the rest fits
    std::optional<const char*> service;
    std::optional<bool> abort_on_close;  ///< FIN within a response: the client has left
    std::optional<bool> serve;           ///< what nothing else answers is for workers

    [[nodiscard]] Milliseconds timeout_or_default() const { return timeout.value_or(Milliseconds{60000}); }
    [[nodiscard]] Milliseconds first_byte_timeout_or_default() const {
        return first_byte_timeout.value_or(timeout_or_default());
    }
    [[nodiscard]] Milliseconds queue_timeout_or_default() const {
        return queue_timeout.value_or(Milliseconds{5000});
    }
    [[nodiscard]] unsigned retries_or_default() const { return static_cast<unsigned>(retries.value_or(2)); }
    [[nodiscard]] std::size_t replay_buffer_or_default() const {
        return replay_buffer.value_or(std::uint64_t{64} * 1024);
    }
    [[nodiscard]] std::size_t request_buffer_or_default() const {
        return request_buffer.value_or(std::uint64_t{64} * 1024);
    }
    [[nodiscard]] std::size_t response_buffer_or_default() const {
        return response_buffer.value_or(std::uint64_t{1024} * 1024);
    }
    [[nodiscard]] const char* service_or_default() const { return service.value_or(""); }
    [[nodiscard]] bool abort_on_close_or_default() const { return abort_on_close.value_or(true); }
    [[nodiscard]] bool serve_or_default() const { return serve.value_or(false); }
};

[[nodiscard]] ServerConfig& server_config(const server_rec* s);
[[nodiscard]] const DirConfig& dir_config(const request_rec* r);

void* create_server_config(apr_pool_t* p, server_rec* s) noexcept;
void* merge_server_config(apr_pool_t* p, void* base, void* added) noexcept;
void* create_dir_config(apr_pool_t* p, char* dir) noexcept;
void* merge_dir_config(apr_pool_t* p, void* base, void* added) noexcept;

/// After all directives are read: what no single one can judge. Logs a sentence and returns an error status,
/// which configtest shows too.
int check_config(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* s) noexcept;

extern const command_rec kDirectives[];

}  // namespace zmqspdy::glue
