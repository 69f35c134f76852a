// Name/value blocks: made by adding headers, and checked when they come in.
#include <variant>

#include "allocations.hpp"
#include "samples.hpp"

namespace zmqspdy::bench {

namespace {

void block_add(benchmark::State& state, const HeaderList& headers) {
    std::size_t size = 0;
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state) {
        const spdy::HeaderBlock block = to_block(headers);
        size = block.plain().size();
        benchmark::DoNotOptimize(block.plain().data());
    }
    meter.report(state);
    state.SetBytesProcessed(static_cast<std::int64_t>(size) * state.iterations());
}
BENCHMARK_CAPTURE(block_add, request, request_headers(0));
BENCHMARK_CAPTURE(block_add, response, response_headers(13));

/// With the copy of the inflated bytes that a session makes of them: it is the block's storage.
void block_parse(benchmark::State& state, const HeaderList& headers) {
    const spdy::HeaderBlock sent = to_block(headers);
    const spdy::Bytes plain = sent.plain();
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state) {
        const auto parsed = spdy::HeaderBlock::parse({plain.begin(), plain.end()}, 256);
        if (!std::holds_alternative<spdy::HeaderBlock>(parsed)) {
            state.SkipWithError("refused");
            break;
        }
    }
    meter.report(state);
    state.SetBytesProcessed(static_cast<std::int64_t>(plain.size()) * state.iterations());
}
BENCHMARK_CAPTURE(block_parse, request, request_headers(0));
BENCHMARK_CAPTURE(block_parse, response, response_headers(13));

/// All headers in turn, as who turns a block into a request reads it.
void block_iterate(benchmark::State& state) {
    const spdy::HeaderBlock block = to_block(request_headers(0));
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state) {
        for (const auto [name, value] : block) {
            benchmark::DoNotOptimize(name.data());
            benchmark::DoNotOptimize(value.data());
        }
    }
    meter.report(state);
    state.SetItemsProcessed(static_cast<std::int64_t>(block.size()) * state.iterations());
}
BENCHMARK(block_iterate);

}  // namespace

}  // namespace zmqspdy::bench
