// Counts what the benchmarked code allocates, and the pages that the kernel has to make for it. The program's
// operator new is replaced for that (allocations.cpp).
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace zmqspdy::bench {

/// Calls of operator new on this thread so far. zlib calls malloc itself, and only when a stream begins or
/// first needs its window: that is not counted.
[[nodiscard]] std::uint64_t allocations() noexcept;
/// Page faults of the process that needed no disk. Many mean that free() gave memory back to the kernel and
/// malloc() asked for it again. From what size glibc does that depends on what the process freed before, so
/// large messages should be measured in a process of their own (--benchmark_filter), too.
[[nodiscard]] std::uint64_t page_faults() noexcept;

/// Stands before the loop of a benchmark; report() comes right after it, since setting any other counter
/// allocates.
class AllocationMeter {
  public:
    /// Sets `allocs` and `faults`: what one iteration took of each, once everything was warm. Returns the
    /// allocations of all iterations.
    std::uint64_t report(benchmark::State& state) const {
        const std::uint64_t count = allocations() - allocations_;
        const std::uint64_t faults = page_faults() - page_faults_;
        using benchmark::Counter;
        state.counters["allocs"] = Counter(static_cast<double>(count), Counter::kAvgIterations);
        state.counters["faults"] = Counter(static_cast<double>(faults), Counter::kAvgIterations);
        return count;
    }

  private:
    std::uint64_t page_faults_ = page_faults();
    std::uint64_t allocations_ = allocations();
};

}  // namespace zmqspdy::bench
