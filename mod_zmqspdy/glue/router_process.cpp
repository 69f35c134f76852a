#include "mod_zmqspdy/glue/router_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>

#include "mod_zmqspdy/core/dealer_pool.hpp"
#include "mod_zmqspdy/core/log_relay.hpp"
#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/fence.hpp"
#include "mod_zmqspdy/glue/log.hpp"
#include "mod_zmqspdy/glue/registry_process.hpp"
#include "mod_zmqspdy/glue/retained.hpp"
#include "zmqspdy/version.hpp"

namespace zmqspdy::glue {

namespace {

// httpd kills a child that has not ended some seconds after it was told to.
constexpr std::chrono::seconds kStopPatience{2};

/// A child's pool and its row in the worker table, owned by the child's pool.
struct ChildState {
    ServerConfig* config;
    router::WorkerTable table;
    std::uint32_t child;
    std::unique_ptr<router::DealerPool> pool;
};

/// Before anything of the child is torn down: the thread must not outlive what it uses.
apr_status_t end_child(void* data) noexcept {
    auto* const state = static_cast<ChildState*>(data);
    state->config->pool = nullptr;
    if (state->pool->stop(kStopPatience)) {
        (void)state->table.leave(state->child);
        std::default_delete<ChildState>()(state);
    }
    // Otherwise the thread still runs, and its memory must stay until the process ends.
    return APR_SUCCESS;
}

/// MaxRequestWorkers, as the MPM has made it fit.
std::size_t request_threads() {
    int children = 0;
    int threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &children);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    return static_cast<std::size_t>(std::max(children, 1)) * static_cast<std::size_t>(std::max(threads, 1));
}

/// Unless it is set, some of the threads that serve requests are left to other services.
std::size_t service_queue_length(const ServerConfig& config) {
    using Length = setting::ServiceQueueLength;
    const auto standard = std::clamp<std::uint64_t>(request_threads() * 3 / 4, Length::least, Length::most);
    return config.given<Length>().value_or(static_cast<std::size_t>(standard));
}

void start_pool(apr_pool_t* pchild, server_rec* s) {
    Retained& keep = retained();
    // The worker port is the parent's and the registry's: a child that finishes slowly must not keep it open.
    if (getpid() != keep.parent)
        close_worker_port(keep);
    auto table = router::WorkerTable::attach(keep.table, keep.table_geometry);
    const auto child = table ? table->join(getpid()) : std::nullopt;
    if (!child) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, s,
            "this child has no place in the worker table and answers 503; a restart of httpd mends it");
        return;
    }
    ServerConfig& config = server_config(s);
    router::PoolOptions options;
    options.child = *child;
    options.queue_length = config.get<setting::QueueLength>();
    options.service_queue_length = service_queue_length(config);
    options.response_memory = config.get<setting::ResponseMemory>();
    options.window = config.get<setting::Window>();
    options.compression = config.get<setting::Compression>();
    options.heartbeat = config.get<setting::Heartbeat>();
    options.slow_start = config.get<setting::SlowStart>();
    options.relay_endpoint = keep.relay.data();
    options.wakeup_fd = keep.wakeup_fd;
    options.log_fd = keep.log_relay.back();
    options.watch = keep.watch;
    options.configuration = keep.watch->configuration.load();
    options.ending_limit = config.get<setting::GracefulTimeout>();
    options.is_ending = [] {
        int state = 0;
        return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
    };
    // Such a child would answer 503 at once, and so get more than its share: httpd starts another in its place.
    options.on_broken = [] { kill(getpid(), SIGTERM); };
    auto state = std::make_unique<ChildState>(ChildState{
        &config, *table, *child, std::make_unique<router::DealerPool>(*table, options, make_log(s))});
    config.pool = state->pool.get();
    apr_pool_pre_cleanup_register(pchild, state.release(), end_child);
}

}  // namespace

int open_port(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    // Without a server, APLOG_STARTUP goes to the terminal; at a restart, to the error log.
    return fenced(nullptr, HTTP_INTERNAL_SERVER_ERROR, [s] {
        Retained& keep = retained();
        const ServerConfig& config = server_config(s);
        // It would hold the port that the new address may need; it has to be replaced in any case.
        if (std::strcmp(keep.listen.data(), config.get<setting::Listen>()) != 0)
            stop_registry(keep);
        prepare(keep, config);
        return OK;
    });
}

int post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    // httpd detaches after the first pass at start, and the registry must be a child of the process that
    // stays.
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    return fenced(s, HTTP_INTERNAL_SERVER_ERROR, [=] {
        Retained& keep = retained();
        // From here on the children to come write the registry's log, and nobody before them.
        keep.watch->configuration.fetch_add(1);
        keep.watch->log_level.store(static_cast<std::uint32_t>(most_wanted_level(s)));
        supervise_registry(keep, server_config(s), s, pconf);
        ap_add_version_component(pconf, ("mod_zmqspdy/" + std::string(kVersion)).c_str());
        return OK;
    });
}

int monitor(apr_pool_t*, server_rec* s) noexcept {
    return fenced(s, OK, [s] {
        Retained& keep = retained();
        if (!keep.watch)
            return OK;
        // What no child was there to write.
        router::drain_log(keep.log_relay.back(), make_log(s));
        look_after_registry(keep, s);
        return OK;
    });
}

void child_init(apr_pool_t* pchild, server_rec* s) noexcept {
    (void)fenced(s, 0, [&] {
        start_pool(pchild, s);
        return 0;
    });
}

void child_stopping(apr_pool_t*, int graceful) noexcept {
    // The main server's record, as child_init() has it: a child has one pool.
    if (router::DealerPool* const pool = server_config(ap_server_conf).pool; pool && graceful == 0)
        pool->begin_stop();
}

void child_status(server_rec* s, pid_t pid, ap_generation_t, int, mpm_child_status state) noexcept {
    if (state != MPM_CHILD_EXITED)
        return;
    (void)fenced(s, 0, [&] {
        Retained& keep = retained();
        auto table = router::WorkerTable::attach(keep.table, keep.table_geometry);
        if (!table)
            return 0;
        if (const auto child = table->find_child(pid))
            if (const auto reclaimed = table->leave(*child); reclaimed != 0)
                ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                             "child %d ended with %u requests at workers; their places are free again",
                             static_cast<int>(pid), reclaimed);
        return 0;
    });
}

}  // namespace zmqspdy::glue
