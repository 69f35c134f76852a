// Fuzzes HeaderBlock::parse() and the decompressor before it.
//
//   cmake -S . -B build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DZMQSPDY_FUZZ=ON
//   cmake --build build-fuzz --target fuzz_header_block
//   mkdir -p found && build-fuzz/fuzz_header_block -max_total_time=60 found tests/fuzz/corpus/header_block
//
// An input is: a byte that says how to read the rest. 0: a plain block. Otherwise compressed blocks of one
// zlib stream, each after its size in 16 bits.
#include <variant>
#include <vector>

#include "input.hpp"
#include "spdy/header_compression.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace {

using namespace zmqspdy::spdy;

constexpr std::size_t kMaxPlain = 4096;
constexpr std::size_t kMaxHeaders = 40;

void parse(Bytes plain) {
    const auto result = HeaderBlock::parse({plain.begin(), plain.end()}, kMaxHeaders);
    const auto* block = std::get_if<HeaderBlock>(&result);
    if (block == nullptr) {
        require(!to_string(std::get<HeaderBlockError>(result)).empty());
        return;
    }
    // What was taken can be written by add(), to the same bytes.
    require(block->size() <= kMaxHeaders);
    HeaderBlock again;
    for (const auto header : *block) {
        require(block->find(header.name) == header.value);
        for_each_value(header.value, [&](std::string_view value) { again.add(header.name, value); });
    }
    require(std::equal(plain.begin(), plain.end(), again.plain().begin(), again.plain().end()));

    for (const int level : {0, 9}) {
        std::vector<std::byte> compressed;
        HeaderCompressor{level}.append(plain, compressed);
        HeaderDecompressor decompressor{plain.size()};
        const auto inflated = decompressor.inflate(compressed);
        require(std::holds_alternative<Bytes>(inflated));
        const Bytes back = std::get<Bytes>(inflated);
        require(std::equal(plain.begin(), plain.end(), back.begin(), back.end()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in{data, size};
    if (in.u8() == 0) {
        parse(in.bytes(size));
        return 0;
    }
    HeaderDecompressor decompressor{kMaxPlain};
    while (!in.at_end()) {
        const std::size_t block_size = in.u16();
        const auto inflated = decompressor.inflate(in.bytes(block_size));
        const auto* plain = std::get_if<Bytes>(&inflated);
        if (plain == nullptr) {
            require(!to_string(std::get<InflateError>(inflated)).empty());
            break;
        }
        require(plain->size() <= kMaxPlain);
        parse(*plain);
    }
    return 0;
}
