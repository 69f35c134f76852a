#include "mod_zmqspdy/glue/retained.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "transport/endpoint.hpp"
#include "transport/file_descriptor.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kRetainedKey = "mod_zmqspdy-1";
// Children that have ended and those that replace them overlap for a moment.
constexpr std::uint32_t kSpareChildren = 16;

static_assert(std::is_trivially_destructible_v<Retained>);

std::runtime_error system_failure(const std::string& what) {
    return std::runtime_error(what + ": " + std::strerror(errno));
}

router::WorkerTable::Size wanted_size(const ServerConfig& config) {
    int children = 0;
    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    return {config.max_workers_or_default(),
            static_cast<std::uint32_t>(children > 0 ? children : 1) + kSpareChildren};
}

void prepare_table(Retained& keep, const ServerConfig& config) {
    const auto size = wanted_size(config);
    if (keep.table) {
        const auto table = router::WorkerTable::attach(keep.table);
        if (table && table->size() == size)
            return;
        // Children of the old configuration have mappings of their own.
        munmap(keep.table, keep.table_bytes);
        keep.table = nullptr;
    }
    // Anonymous: it ends with the last process that has it, and leaves no name behind.
    const std::size_t bytes = router::WorkerTable::bytes_for(size);
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw system_failure("no shared memory for the worker table (ZmqSpdyMaxWorkers " +
                             std::to_string(size.workers) + ")");
    (void)router::WorkerTable::create(memory, size);
    keep.table = memory;
    keep.table_bytes = bytes;
}

}  // namespace

Retained& retained() {
    if (void* const kept = ap_retained_data_get(kRetainedKey))
        return *static_cast<Retained*>(kept);
    auto* const made = new (ap_retained_data_create(kRetainedKey, sizeof(Retained))) Retained{};
    made->listen_fd = -1;
    made->wakeup_fd = -1;
    return *made;
}

int open_worker_port(const char* text) {
    const auto endpoint = std::get<transport::Endpoint>(transport::parse_endpoint(text));
    const auto& tcp = std::get<transport::TcpEndpoint>(endpoint);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const char* const host = tcp.host == "*" ? "0.0.0.0" : tcp.host.c_str();
    if (const int failure = getaddrinfo(host, std::to_string(tcp.port).c_str(), &hints, &found); failure != 0)
        throw std::runtime_error("ZmqSpdyListen: " + tcp.host +
                                 " is no address of this host: " + gai_strerror(failure));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, &freeaddrinfo);
    transport::FileDescriptor fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const bool bound = fd && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 && listen(fd.get(), 511) == 0;
    if (!bound)
        throw system_failure("ZmqSpdyListen: port " + std::to_string(tcp.port) + " for workers (" + text +
                             ") cannot be opened; is another httpd or program using it?");
    return fd.release();
}

void prepare(Retained& keep, const ServerConfig& config) {
    keep.parent = getpid();
    const char* const listen = config.listen_or_default();
    if (keep.listen_fd >= 0 && std::strcmp(keep.listen.data(), listen) != 0) {
        close(keep.listen_fd);
        keep.listen_fd = -1;
    }
    if (keep.listen_fd < 0) {
        keep.listen_fd = open_worker_port(listen);
        router::assign(keep.listen, listen);
    }
    if (keep.wakeup_fd < 0) {
        keep.wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (keep.wakeup_fd < 0)
            throw system_failure("eventfd");
    }
    if (keep.relay.front() == '\0') {
        std::uint64_t random = 0;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            throw system_failure("getrandom");
        apr_snprintf(keep.relay.data(), keep.relay.size(), "ipc://@zmqspdy/relay-%d-%" APR_UINT64_T_HEX_FMT,
                     static_cast<int>(getpid()), static_cast<apr_uint64_t>(random));
    }
    prepare_table(keep, config);
}

}  // namespace zmqspdy::glue
