// Messages of one kind of frame, received by a client that has few or many streams open.
#include <algorithm>
#include <array>
#include <random>
#include <variant>

#include "allocations.hpp"
#include "back_to_back.hpp"
#include "spdy/frame_writer.hpp"

namespace zmqspdy::bench {

namespace {

constexpr spdy::StreamId nth_stream(std::size_t n) noexcept {
    return static_cast<spdy::StreamId>(2 * n + 1);
}

/// Receives `message` in each iteration, and takes out what the session answers.
void receive_over_and_over(benchmark::State& state, spdy::Session& client, spdy::Bytes message) {
    std::vector<spdy::Event> events;
    const auto once = [&] {
        events.clear();
        client.tick(60);  // refills the allowance of glitches
        const bool failed = client.receive(message, events).has_value();
        for (const auto& event : events) {
            if (const auto* data = std::get_if<spdy::DataReceived>(&event))
                client.consume(data->stream, data->payload.size());
        }
        if (client.output_size() > 0)
            benchmark::DoNotOptimize(client.take_output().data());
        return !failed;
    };
    for (int i = 0; i < 32; ++i) {
        if (!once())
            return state.SkipWithError("the session ended");
    }
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(once());
    meter.report(state);
    if (client.faulted())
        state.SkipWithError("the session ended");
}

void for_open_streams(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("open")->Arg(1)->Arg(100)->Arg(10'000);
}

/// 256 KiB in frames of 16 KiB, each for another stream as far as there are as many.
void receive_data(benchmark::State& state) {
    constexpr std::size_t frames = 16;
    constexpr std::size_t frame_size = 16 * 1024;
    const auto open = static_cast<std::size_t>(state.range(0));
    BackToBack pair{0, open};
    spdy::FrameWriter writer{0};
    const std::vector<std::byte> payload(frame_size);
    for (std::size_t i = 0; i < frames; ++i)
        writer.data(nth_stream(i * open / frames), payload, false, frame_size);

    const auto message = writer.take();
    receive_over_and_over(state, pair.client(), message);
    state.SetItemsProcessed(static_cast<std::int64_t>(frames) * state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(frames * frame_size) * state.iterations());
}
BENCHMARK(receive_data)->Apply(for_open_streams);

/// Items are updates: each stream gets one, in no order, so that the whole table is touched.
void receive_window_updates(benchmark::State& state) {
    const auto open = static_cast<std::size_t>(state.range(0));
    const std::size_t updates = std::max<std::size_t>(open, 1000);
    std::vector<spdy::StreamId> streams;
    for (std::size_t i = 0; i < updates; ++i)
        streams.push_back(nth_stream(i % open));
    std::shuffle(streams.begin(), streams.end(), std::mt19937{1});

    BackToBack pair{0, open};
    spdy::FrameWriter writer{0};
    for (const spdy::StreamId stream : streams)
        writer.window_update(stream, 1);  // small: windows may not grow past 2 GiB while we measure
    const auto message = writer.take();
    receive_over_and_over(state, pair.client(), message);
    state.SetItemsProcessed(static_cast<std::int64_t>(updates) * state.iterations());
}
BENCHMARK(receive_window_updates)->Apply(for_open_streams);

/// The one frame that has to look at every stream, since it changes all their windows.
void receive_settings(benchmark::State& state) {
    BackToBack pair{0, static_cast<std::size_t>(state.range(0))};
    const std::array<spdy::Setting, 1> settings{{{spdy::SettingId::initial_window_size, 256 * 1024}}};
    spdy::FrameWriter writer{0};
    writer.settings(settings);
    const auto message = writer.take();
    receive_over_and_over(state, pair.client(), message);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(receive_settings)->Apply(for_open_streams);

}  // namespace

}  // namespace zmqspdy::bench
