// Whole requests and responses, from one session to another and back.
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "back_to_back.hpp"
#include "samples.hpp"

namespace zmqspdy::bench {

namespace {

/// What is sent, over and over.
class Rounds {
  public:
    Rounds(int level, std::size_t batch, std::size_t upload, std::size_t download, std::size_t open_streams)
        : pair_{level, open_streams},
          response_{to_block(response_headers(download))},
          batch_{batch},
          upload_(upload),
          download_(download) {}

    /// `batch` requests in one message, their responses in another. Returns how many responses are whole.
    std::size_t next() {
        for (std::size_t i = 0; i < batch_; ++i)
            request();
        for (const auto& event : pair_.to_server())
            answer(event);
        std::size_t whole = 0;
        for (const auto& event : pair_.to_client()) {
            if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
                pair_.client().consume(data->stream, data->payload.size());
                whole += data->fin ? 1 : 0;
            }
        }
        return whole;
    }

  private:
    void request() {
        const spdy::HeaderBlock& headers = requests_[turn_++ % kVisitors];
        const auto stream = pair_.client().open(headers, spdy::kDefaultPriority, upload_.empty());
        if (stream && !upload_.empty())
            benchmark::DoNotOptimize(pair_.client().send(*stream, upload_, true));
    }
    void answer(const spdy::Event& event) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event)) {
            if (opened->fin)
                answer(opened->stream);
        } else if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
            pair_.server().consume(data->stream, data->payload.size());
            if (data->fin)
                answer(data->stream);
        }
    }
    void answer(spdy::StreamId stream) {
        pair_.server().reply(stream, response_, false);
        benchmark::DoNotOptimize(pair_.server().send(stream, download_, true));
    }

    BackToBack pair_;
    std::vector<spdy::HeaderBlock> requests_ = requests_of_all_visitors();
    spdy::HeaderBlock response_;
    std::size_t batch_;
    std::vector<std::byte> upload_;
    std::vector<std::byte> download_;
    std::size_t turn_ = 0;
};

/// Items are requests.
void measure(benchmark::State& state, Rounds rounds, std::size_t batch, std::size_t body_bytes) {
    for (int i = 0; i < 32; ++i) {
        if (rounds.next() != batch)
            return state.SkipWithError("a response is missing");
    }
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(rounds.next());
    const std::uint64_t count = meter.report(state);
    const auto requests = static_cast<std::int64_t>(batch) * state.iterations();
    state.counters["allocs/request"] = static_cast<double>(count) / static_cast<double>(requests);
    state.SetItemsProcessed(requests);
    state.SetBytesProcessed(static_cast<std::int64_t>(body_bytes) * requests);
}

void round_small(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(1));
    measure(state, Rounds{static_cast<int>(state.range(0)), batch, 0, 13, 0}, batch, 13);
}
BENCHMARK(round_small)->ArgNames({"level", "batch"})->ArgsProduct({{0, 6}, {1, 8, 32}});

void round_download(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(1));
    const auto body = static_cast<std::size_t>(state.range(2));
    measure(state, Rounds{static_cast<int>(state.range(0)), batch, 0, body, 0}, batch, body);
}
BENCHMARK(round_download)
    ->ArgNames({"level", "batch", "body"})
    ->ArgsProduct({{0, 6}, {1, 8, 32}, {64 * 1024}});

void round_upload(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(1));
    const auto body = static_cast<std::size_t>(state.range(2));
    measure(state, Rounds{static_cast<int>(state.range(0)), batch, body, 13, 0}, batch, body);
}
BENCHMARK(round_upload)->ArgNames({"level", "batch", "body"})->ArgsProduct({{0, 6}, {1, 8, 32}, {64 * 1024}});

/// Other streams are open meanwhile, and should not cost these anything.
void round_among(benchmark::State& state) {
    constexpr std::size_t batch = 8;
    measure(state, Rounds{0, batch, 0, 13, static_cast<std::size_t>(state.range(0))}, batch, 13);
}
BENCHMARK(round_among)->ArgName("open")->Arg(1)->Arg(100)->Arg(1000)->Arg(10'000);

}  // namespace

}  // namespace zmqspdy::bench
