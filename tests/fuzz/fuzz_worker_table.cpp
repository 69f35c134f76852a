// Fuzzes what httpd's parent, its registry and its children do with a worker table into which somebody has written.
//
//   cmake --preset fuzz && cmake --build build-fuzz --target fuzz_worker_table
//   build-fuzz/fuzz_worker_table -max_len=16384 -max_total_time=60 tests/fuzz/corpus/worker_table
//
// An input is: two bytes that give the table its size, then what overwrites its memory from the start.
#include <cstring>
#include <memory>
#include <new>

#include "input.hpp"
#include "mod_zmqspdy/core/dispatch.hpp"
#include "mod_zmqspdy/core/worker_table.hpp"
#include "transport/endpoint.hpp"

namespace {

using namespace zmqspdy::router;

constexpr std::align_val_t kPage{4096};

struct Free {
    void operator()(void* memory) const noexcept { ::operator delete(memory, kPage); }
};

void look_at(const WorkerTable& table, std::uint32_t slot) {
    // No patience: most slots are in the middle of being written.
    const auto record = table.read(slot, {});
    require(record.id < kWorkerIds);
    require(record.name_view().size() < record.name.size());
    require(record.service_view().size() < record.service.size());
    require(record.endpoint_view().size() < record.endpoint.size());
    (void)zmqspdy::transport::parse_endpoint(record.endpoint_view());
    (void)table.in_flight(slot);
    (void)table.last_used(slot);
    (void)table.is_drained(slot, record.id);
    (void)table.is_undialable(slot, record.id);
}

void use(WorkerTable table) {
    const auto size = table.size();
    for (std::uint32_t slot = 0; slot < size.workers; ++slot)
        look_at(table, slot);
    const QueuePosition turn(3, {}, "a");
    for (std::uint32_t child = 0; child < size.children; ++child) {
        (void)table.child(child);
        (void)table.first_before(child, turn, {});
        (void)table.anyone_waiting_beside(child);
        require(table.waiting_beside(child, "a") <=
                size.children * WorkerTable::kWaitingCounts * WaitingCount::kMost);
    }
    (void)table.registry();
    (void)table.generation();
    (void)table.last_ticket();
    if (const auto me = table.join(17)) {
        for (std::uint32_t slot = 0; slot < size.workers; ++slot) {
            if (table.try_reserve(slot, 4, *me))
                table.release(slot, *me);
            table.touch(slot);
            table.set_drained(slot, 1, slot % 2 == 0);
            table.set_undialable(slot, 1);
        }
        table.set_waiting(*me, true);
        table.publish_waiters(*me, {&turn, 1});
        table.set_waiting_count(*me, WorkerTable::kWaitingCounts - 1, {"a", 1});
        table.report(*me, {.queued = 1, .streams = 2, .sessions = 3});
    }
    if (const auto row = table.find_child(17)) {
        require(*row < size.children);
        (void)table.leave(*row);
    }
    WorkerRecord record{};
    record.id = 1;
    for (std::uint32_t slot = 0; slot < size.workers; ++slot) {
        table.write(slot, record);
        require(table.read(slot, {}).id == 1);
    }
    Snapshot snapshot;
    (void)snapshot.refresh(table);
    require(snapshot.candidates().size() == size.workers);
    (void)reserve_worker(snapshot, table, 0, "", {});
    for (std::uint32_t slot = 0; slot < size.workers; ++slot)
        table.clear(slot);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in{data, size};
    const WorkerTable::Size dimensions{.workers = in.u8() % 20U + 1U, .children = in.u8() % 8U + 1U};
    const auto bytes = WorkerTable::bytes_for(dimensions);
    const std::unique_ptr<void, Free> memory{::operator new(bytes, kPage)};
    std::memset(memory.get(), 0, bytes);
    const auto geometry = WorkerTable::create(memory.get(), dimensions).geometry();
    const auto garbage = in.bytes(bytes);
    if (!garbage.empty())
        std::memcpy(memory.get(), garbage.data(), garbage.size());
    const auto table = WorkerTable::attach(memory.get(), geometry);
    require(table.has_value() && table->size() == dimensions);
    use(*table);
    return 0;
}
