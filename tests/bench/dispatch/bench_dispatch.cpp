// What choosing a worker costs by the number of workers, and taking notice of a change among them.
#include <benchmark/benchmark.h>

#include <string>

#include "mod_zmqspdy/core/dispatch.hpp"
#include "tests/unit/core/shared_table.hpp"

using namespace zmqspdy::router;

namespace {

constexpr std::uint32_t kChildren = 64;

SharedTable table_of(std::uint32_t workers) {
    SharedTable::Size size{.workers = workers, .children = kChildren};
    return SharedTable{size};
}

void fill(SharedTable& table, std::uint32_t workers) {
    for (std::uint32_t i = 0; i < workers; ++i)
        add_worker(*table, {.name = "worker-" + std::to_string(i), .endpoint = "ipc://@zmqspdy/some-worker"});
}

/// A request that comes and goes while others are under way at half of the workers.
void choose(benchmark::State& state) {
    const auto workers = static_cast<std::uint32_t>(state.range(0));
    auto table = table_of(workers);
    fill(table, workers);
    for (std::uint32_t slot = 0; slot < workers; slot += 2)
        (void)table->try_reserve(slot, 10, 1);
    Snapshot snapshot;
    (void)snapshot.refresh(*table);
    for (auto _ : state) {
        const Candidate* const chosen = reserve_worker(snapshot, *table, 0, "", {});
        benchmark::DoNotOptimize(chosen);
        table->release(chosen->slot, 0);
    }
}
BENCHMARK(choose)->RangeMultiplier(4)->Range(1, 4096);

/// What each child does when a worker has joined, left or changed.
void refresh(benchmark::State& state) {
    const auto workers = static_cast<std::uint32_t>(state.range(0));
    auto table = table_of(workers);
    fill(table, workers);
    Snapshot snapshot;
    for (auto _ : state) {
        state.PauseTiming();
        table->write(0, table->read(0));
        state.ResumeTiming();
        benchmark::DoNotOptimize(snapshot.refresh(*table));
    }
}
BENCHMARK(refresh)->RangeMultiplier(4)->Range(1, 4096);

}  // namespace
