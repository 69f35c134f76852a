// A worker table in memory that forked processes share, as httpd's parent makes it.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "mod_zmqspdy/core/worker_table.hpp"

class SharedTable {
  public:
    using Size = zmqspdy::router::WorkerTable::Size;

    explicit SharedTable(Size size = {.workers = 8, .children = 8})
        : bytes_{zmqspdy::router::WorkerTable::bytes_for(size)},
          memory_{map(bytes_)},
          table_{zmqspdy::router::WorkerTable::create(memory_, size)} {}
    ~SharedTable() { ::munmap(memory_, bytes_); }
    SharedTable(const SharedTable&) = delete;
    SharedTable& operator=(const SharedTable&) = delete;

    [[nodiscard]] zmqspdy::router::WorkerTable& operator*() noexcept { return table_; }
    [[nodiscard]] zmqspdy::router::WorkerTable* operator->() noexcept { return &table_; }
    [[nodiscard]] void* memory() const noexcept { return memory_; }

    /// Zeroed pages that forked processes share with this one.
    [[nodiscard]] static void* map(std::size_t bytes) {
        void* const memory =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            throw std::runtime_error("mmap failed");
        return memory;
    }

  private:
    std::size_t bytes_;
    void* memory_;
    zmqspdy::router::WorkerTable table_;
};

struct WorkerSpec {
    std::string name = "worker";
    std::uint32_t capacity = 10;
    std::uint32_t weight = 1;
    std::string service = {};
    std::string endpoint = {};
    bool draining = false;
    bool relayed = false;
    zmqspdy::router::SharedTime joined = 0;
    std::uint64_t instance = 0;
};

[[nodiscard]] inline zmqspdy::router::WorkerRecord record_of(zmqspdy::router::WorkerId id,
                                                             const WorkerSpec& spec) {
    zmqspdy::router::WorkerRecord record{};
    record.id = id;
    record.joined = spec.joined;
    record.instance = spec.instance;
    record.capacity = spec.capacity;
    record.weight = spec.weight;
    record.draining = spec.draining ? 1 : 0;
    record.relayed = spec.relayed ? 1 : 0;
    zmqspdy::router::assign(record.name, spec.name);
    zmqspdy::router::assign(record.service, spec.service);
    zmqspdy::router::assign(record.endpoint, spec.endpoint);
    return record;
}

/// A slot without a worker in which nobody counts requests any more.
[[nodiscard]] inline std::optional<std::uint32_t> find_free(const zmqspdy::router::WorkerTable& table) {
    for (std::uint32_t slot = 0; slot < table.size().workers; ++slot)
        if (table.in_flight(slot) == 0 && table.read(slot).id == 0)
            return slot;
    return std::nullopt;
}

/// Writes a worker into the first free slot and returns the slot.
inline std::uint32_t add_worker(zmqspdy::router::WorkerTable& table, const WorkerSpec& spec) {
    static std::atomic<zmqspdy::router::WorkerId> last_id{0};
    const auto slot = find_free(table);
    if (!slot)
        throw std::runtime_error("the table is full");
    table.write(*slot, record_of(++last_id, spec));
    return *slot;
}
