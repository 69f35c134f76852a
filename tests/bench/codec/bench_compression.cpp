// Header blocks through a compression stream as long as a session, and beside it what zlib alone takes for the
// same: the difference is ours.
#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#include "allocations.hpp"
#include "samples.hpp"
#include "spdy/dictionary.hpp"
#include "spdy/header_compression.hpp"

namespace zmqspdy::bench {

namespace {

using Buffer = std::vector<std::byte>;

constexpr std::size_t kMaxPlain = 64 * 1024;

void for_levels(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("level")->Arg(0)->Arg(1)->Arg(6);
}

/// Bytes of the plain blocks, and how large one is on the wire.
void report_bytes(benchmark::State& state, std::size_t plain, std::size_t wire) {
    const auto iterations = static_cast<double>(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(plain));
    state.counters["wire"] = static_cast<double>(wire) / iterations;
}

/// zlib's deflate() as HeaderCompressor sets it up.
class RawDeflate {
  public:
    explicit RawDeflate(int level) {
        if (deflateInit2(&stream_, level, Z_DEFLATED, 12, 4, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc{};
        deflateSetDictionary(&stream_, spdy::kDictionary.data(), static_cast<uInt>(spdy::kDictionary.size()));
    }
    ~RawDeflate() { deflateEnd(&stream_); }
    RawDeflate(const RawDeflate&) = delete;
    RawDeflate& operator=(const RawDeflate&) = delete;

    std::size_t block(spdy::Bytes plain) {
        stream_.next_in = reinterpret_cast<const Bytef*>(plain.data());
        stream_.avail_in = static_cast<uInt>(plain.size());
        stream_.next_out = out_.data();
        stream_.avail_out = static_cast<uInt>(out_.size());
        deflate(&stream_, Z_SYNC_FLUSH);
        return out_.size() - stream_.avail_out;
    }

  private:
    z_stream stream_{};
    std::array<Bytef, 4096> out_{};
};

/// zlib's inflate() as HeaderDecompressor sets it up.
class RawInflate {
  public:
    RawInflate() {
        if (inflateInit2(&stream_, 0) != Z_OK)
            throw std::bad_alloc{};
        inflateValidate(&stream_, 0);
    }
    ~RawInflate() { inflateEnd(&stream_); }
    RawInflate(const RawInflate&) = delete;
    RawInflate& operator=(const RawInflate&) = delete;

    spdy::Bytes block(spdy::Bytes wire) {
        stream_.next_in = reinterpret_cast<const Bytef*>(wire.data());
        stream_.avail_in = static_cast<uInt>(wire.size());
        stream_.next_out = out_.data();
        stream_.avail_out = static_cast<uInt>(out_.size());
        if (inflate(&stream_, Z_SYNC_FLUSH) == Z_NEED_DICT) {
            inflateSetDictionary(&stream_, spdy::kDictionary.data(),
                                 static_cast<uInt>(spdy::kDictionary.size()));
            inflate(&stream_, Z_SYNC_FLUSH);
        }
        return std::as_bytes(std::span{out_}.first(out_.size() - stream_.avail_out));
    }

  private:
    z_stream stream_{};
    std::array<Bytef, 4096> out_{};
};

/// Our side of the same.
class OurDeflate {
  public:
    explicit OurDeflate(int level) : compressor_{level} {}
    std::size_t block(spdy::Bytes plain) {
        out_.clear();  // keeps its memory
        compressor_.append(plain, out_);
        return out_.size();
    }

  private:
    spdy::HeaderCompressor compressor_;
    Buffer out_;
};

class OurInflate {
  public:
    spdy::Bytes block(spdy::Bytes wire) {
        const auto plain = decompressor_.inflate(wire);
        if (const auto* bytes = std::get_if<spdy::Bytes>(&plain))
            return *bytes;
        throw std::logic_error{"a block of ours cannot be inflated"};
    }

  private:
    spdy::HeaderDecompressor decompressor_{kMaxPlain};
};

template <typename Deflate>
void compress(benchmark::State& state) {
    const auto blocks = requests_of_all_visitors();
    Deflate deflate{static_cast<int>(state.range(0))};
    for (const auto& block : blocks)
        deflate.block(block.plain());

    std::size_t plain = 0;
    std::size_t wire = 0;
    std::size_t turn = 0;
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state) {
        const spdy::Bytes block = blocks[turn++ % kVisitors].plain();
        plain += block.size();
        wire += deflate.block(block);
    }
    meter.report(state);
    report_bytes(state, plain, wire);
}
BENCHMARK(compress<OurDeflate>)->Name("compress")->Apply(for_levels);
BENCHMARK(compress<RawDeflate>)->Name("compress_zlib_alone")->Apply(for_levels);

/// The blocks of the first turn, then those of any later one: since a turn is longer than the window, each
/// finds the same bytes there as the turn before did, and its blocks can be inflated again and again.
std::array<std::vector<Buffer>, 2> compressed_turns(int level) {
    spdy::HeaderCompressor compressor{level};
    std::array<std::vector<Buffer>, 2> turns;
    for (auto& turn : turns) {
        for (const auto& block : requests_of_all_visitors())
            compressor.append(block.plain(), turn.emplace_back());
    }
    return turns;
}

template <typename Inflate>
void decompress(benchmark::State& state) {
    const auto blocks = requests_of_all_visitors();
    const auto [first, later] = compressed_turns(static_cast<int>(state.range(0)));
    Inflate inflate;
    for (const Buffer& block : first)
        inflate.block(block);
    for (std::size_t i = 0; i < 2 * blocks.size(); ++i) {
        const std::size_t at = i % blocks.size();
        if (!std::ranges::equal(inflate.block(later[at]), blocks[at].plain()))
            return state.SkipWithError("not what was sent");
    }

    std::size_t plain = 0;
    std::size_t wire = 0;
    std::size_t turn = 0;
    const AllocationMeter meter;
    for ([[maybe_unused]] auto _ : state) {
        const Buffer& block = later[turn++ % kVisitors];
        wire += block.size();
        plain += inflate.block(block).size();
    }
    meter.report(state);
    report_bytes(state, plain, wire);
}
BENCHMARK(decompress<OurInflate>)->Name("decompress")->Apply(for_levels);
BENCHMARK(decompress<RawInflate>)->Name("decompress_zlib_alone")->Apply(for_levels);

}  // namespace

}  // namespace zmqspdy::bench
