#include "mod_zmqspdy/glue/retained.hpp"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "mod_zmqspdy/core/log_relay.hpp"
#include "mod_zmqspdy/glue/worker_port.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kRetainedKey = "mod_zmqspdy-3";
// Children that have ended and those that replace them overlap for a moment.
constexpr std::uint32_t kSpareChildren = 16;

static_assert(std::is_trivially_destructible_v<Retained>);

std::runtime_error system_failure(const std::string& what) {
    return std::runtime_error(what + ": " + std::strerror(errno));
}

std::uint64_t random_number() {
    std::uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        throw system_failure("getrandom");
    return random;
}

router::WorkerTable::Size wanted_size(const ServerConfig& config) {
    int children = 0;
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    return {config.get<setting::MaxWorkers>(),
            static_cast<std::uint32_t>(children > 0 ? children : 1) + kSpareChildren};
}

// Anonymous: it ends with the last process that has it, and leaves no name behind.
void* map_shared(std::size_t bytes) {
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void prepare_watch(Retained& keep) {
    if (!keep.watch) {
        void* const memory = map_shared(sizeof(router::RegistryWatch));
        if (!memory)
            throw system_failure("no shared memory to watch the registry");
        keep.watch = new (memory) router::RegistryWatch{};
    }
    if (keep.log_relay.front() < 0)
        keep.log_relay = router::open_log_relay();
}

void prepare_table(Retained& keep, const ServerConfig& config) {
    const auto size = wanted_size(config);
    if (keep.table) {
        const auto table = router::WorkerTable::attach(keep.table, keep.table_geometry);
        if (table && table->size() == size)
            return;
        // Children of the old configuration have mappings of their own.
        munmap(keep.table, keep.table_bytes);
        keep.table = nullptr;
    }
    const std::size_t bytes = router::WorkerTable::bytes_for(size);
    void* const memory = map_shared(bytes);
    if (!memory)
        throw system_failure("no shared memory for the worker table (ZmqSpdyMaxWorkers " +
                             std::to_string(size.workers) + ")");
    keep.table_geometry = router::WorkerTable::create(memory, size).geometry();
    keep.table = memory;
    keep.table_bytes = bytes;
}

}  // namespace

Retained& retained() {
    if (void* const kept = ap_retained_data_get(kRetainedKey))
        return *static_cast<Retained*>(kept);
    auto* const made = new (ap_retained_data_create(kRetainedKey, sizeof(Retained))) Retained{};
    made->listen_fds.fill(-1);
    made->wakeup_fd = -1;
    made->log_relay.fill(-1);
    return *made;
}

void close_worker_port(Retained& keep) noexcept {
    for (int& fd : keep.listen_fds) {
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
}

void prepare(Retained& keep, const ServerConfig& config) {
    keep.parent = getpid();
    const char* const listen = config.get<setting::Listen>();
    if (std::strcmp(keep.listen.data(), listen) != 0)
        close_worker_port(keep);
    if (keep.listen_fds.front() < 0) {
        auto sockets = open_worker_port(listen);
        for (std::size_t i = 0; i < sockets.size(); ++i)
            keep.listen_fds[i] = sockets[i].release();
        router::assign(keep.listen, listen);
    }
    if (keep.wakeup_fd < 0) {
        keep.wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (keep.wakeup_fd < 0)
            throw system_failure("eventfd");
    }
    if (keep.relay.front() == '\0') {
        const auto random = random_number();
        apr_snprintf(keep.relay.data(), keep.relay.size(), "ipc://@zmqspdy/relay-%d-%" APR_UINT64_T_HEX_FMT,
                     static_cast<int>(getpid()), static_cast<apr_uint64_t>(random));
    }
    while (keep.identity == 0)
        keep.identity = random_number();
    prepare_watch(keep);
    prepare_table(keep, config);
}

}  // namespace zmqspdy::glue
