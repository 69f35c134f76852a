#include "spdy/header_compression.hpp"

#include <zlib.h>

#include <random>

#include "catch.hpp"
#include "sha256.hpp"
#include "spdy/dictionary.hpp"
#include "wire.hpp"

using namespace zmqspdy::spdy;
using wire::Buffer;

namespace {

/// Blocks as sessions have them: much alike, now and then large, one empty.
std::vector<Buffer> blocks() {
    std::mt19937 random{7};
    std::vector<Buffer> out{{}};
    for (int i = 0; i < 60; ++i) {
        wire::Pairs pairs{{":method", "GET"},
                          {":path", "/item/" + std::to_string(i)},
                          {":version", "HTTP/1.1"},
                          {"user-agent", "Mozilla/5.0 (X11; Linux x86_64) " + std::to_string(random())}};
        if (i % 20 == 7) {
            std::string noise(i == 7 ? 70000 : 3000, '\0');
            for (char& c : noise)
                c = static_cast<char>(1 + random() % 120);
            pairs.emplace_back("cookie", noise);
        }
        out.push_back(wire::plain(pairs));
    }
    return out;
}

Buffer compress(HeaderCompressor& compressor, const Buffer& plain) {
    Buffer out = wire::bytes("before");
    compressor.append(plain, out);
    CHECK(Buffer(out.begin(), out.begin() + 6) == wire::bytes("before"));
    out.erase(out.begin(), out.begin() + 6);
    return out;
}

std::optional<Buffer> inflated(HeaderDecompressor& decompressor, const Buffer& block) {
    const auto result = decompressor.inflate(block);
    if (const auto* plain = std::get_if<Bytes>(&result))
        return Buffer{plain->begin(), plain->end()};
    CHECK_FALSE(to_string(std::get<InflateError>(result)).empty());
    return {};
}

std::optional<InflateError> error_of(HeaderDecompressor& decompressor, const Buffer& block) {
    const auto result = decompressor.inflate(block);
    const auto* error = std::get_if<InflateError>(&result);
    return error == nullptr ? std::nullopt : std::optional{*error};
}

}  // namespace

TEST_CASE("the dictionary is that of SPDY/3 to the last bit") {
    CHECK(sha256({kDictionary.data(), 0}) ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(kDictionary.size() == 1423);
    CHECK(sha256(kDictionary) == "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02");
    CHECK(adler32(adler32(0, nullptr, 0), kDictionary.data(), 1423) == kDictionaryId);
}

TEST_CASE("zlib reads what we write, at every level") {
    for (int level = 0; level <= 9; ++level) {
        HeaderCompressor compressor{level};
        wire::Inflater zlib;
        bool first = true;
        for (const Buffer& plain : blocks()) {
            const Buffer block = compress(compressor, plain);
            if (first)  // FDICT is set and the DICTID follows
                CHECK(Buffer(block.begin() + 2, block.begin() + 6) == wire::u32(kDictionaryId));
            first = false;
            CHECK(Buffer(block.end() - 4, block.end()) == wire::u32(0x0000ffff));
            CHECK(zlib.block(block) == plain);
        }
    }
}

TEST_CASE("we read what zlib writes, at every level and window") {
    for (int level = 0; level <= 9; ++level) {
        for (const int window_bits : {9, 11, 15}) {
            wire::Deflater zlib{level, window_bits};
            HeaderDecompressor decompressor{100000};
            for (const Buffer& plain : blocks())
                CHECK(inflated(decompressor, zlib.block(plain)) == plain);
        }
    }
}

TEST_CASE("we read what we write, at every level") {
    for (int level = 0; level <= 9; ++level) {
        HeaderCompressor compressor{level};
        HeaderDecompressor decompressor{100000};
        for (const Buffer& plain : blocks())
            CHECK(inflated(decompressor, compress(compressor, plain)) == plain);
    }
}

TEST_CASE("blocks after the first compress well, and level 0 adds ten bytes to each") {
    const Buffer plain =
        wire::plain({{":method", "GET"}, {":path", "/"}, {"user-agent", std::string(200, 'u')}});
    HeaderCompressor six{6};
    (void)compress(six, plain);
    CHECK(compress(six, plain).size() < 40);
    HeaderCompressor stored{0};
    CHECK(compress(stored, plain).size() == plain.size() + 16);
    CHECK(compress(stored, plain).size() == plain.size() + 10);
}

TEST_CASE("stored and compressed blocks may alternate and refer back") {
    wire::Deflater zlib{9};
    HeaderDecompressor decompressor{100000};
    const Buffer plain = wire::plain({{"cookie", std::string(500, 'c') + "unique text 4711"}});
    CHECK(inflated(decompressor, zlib.block(plain)) == plain);
    zlib.set_level(0);
    const Buffer other = wire::plain({{"cookie", "not seen before: 0815"}});
    const Buffer stored = zlib.block(other);
    CHECK(stored.size() > other.size());
    CHECK(inflated(decompressor, stored) == other);
    zlib.set_level(9);
    const Buffer again = zlib.block(other);
    CHECK(again.size() < other.size());
    CHECK(inflated(decompressor, again) == other);
    CHECK(inflated(decompressor, zlib.block(plain, Z_FULL_FLUSH)) == plain);
    CHECK(inflated(decompressor, zlib.block(plain)) == plain);
}

TEST_CASE("the size limit is exact and holds against a bomb") {
    for (const std::size_t limit : {0u, 1u, 4095u, 4096u, 4097u, 8192u, 10000u}) {
        for (const int level : {0, 9}) {
            const Buffer fits(limit, std::byte{'a'});
            wire::Deflater good{level};
            HeaderDecompressor decompressor{limit};
            INFO("limit " << limit << ", level " << level);
            const auto error = error_of(decompressor, good.block(fits));
            CHECK((error ? to_string(*error) : "") == "");
            wire::Deflater bad{level};
            HeaderDecompressor other{limit};
            CHECK(error_of(other, bad.block(fits << wire::bytes("a"))) == InflateError::too_large);
        }
    }
    wire::Deflater zlib{9};
    HeaderDecompressor decompressor{65536};
    const Buffer bomb = zlib.block(Buffer(1 << 24));
    CHECK(bomb.size() < 20000);
    CHECK(error_of(decompressor, bomb) == InflateError::too_large);
}

TEST_CASE("a stream without the dictionary, or with another, is refused") {
    const Buffer plain = wire::plain({{"a", "b"}});
    wire::Deflater none{6, 15, false};
    HeaderDecompressor decompressor{1000};
    CHECK(error_of(decompressor, none.block(plain)) == InflateError::no_dictionary);

    wire::Deflater zlib{6};
    Buffer other = zlib.block(plain);
    other[5] ^= std::byte{1};
    HeaderDecompressor another{1000};
    CHECK(error_of(another, other) == InflateError::wrong_dictionary);
}

TEST_CASE("what is no zlib data is refused") {
    HeaderDecompressor decompressor{1000};
    CHECK(error_of(decompressor, wire::bytes("GET / HTTP/1.1")) == InflateError::corrupt);

    HeaderDecompressor later{1000};
    wire::Deflater zlib;
    CHECK(inflated(later, zlib.block(wire::plain({}))));
    CHECK(error_of(later, Buffer(10, std::byte{0xff})) == InflateError::corrupt);
}

TEST_CASE("a block that ends within deflate data is refused, an empty one is not") {
    const Buffer plain = wire::plain({{"a", std::string(100, 'q') + "rstuv"}});
    wire::Deflater zlib;
    const Buffer whole = zlib.block(plain);
    // The empty stored block at the end may be missing: its five bytes carry nothing.
    for (std::size_t size = 1; size + 5 < whole.size(); ++size) {
        HeaderDecompressor decompressor{1000};
        const auto error =
            error_of(decompressor, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
        CHECK(error == InflateError::cut_short);
    }
    HeaderDecompressor decompressor{1000};
    CHECK(inflated(decompressor, {}) == Buffer{});
    CHECK(inflated(decompressor, whole) == plain);
    CHECK(inflated(decompressor, {}) == Buffer{});
}

TEST_CASE("the end of the zlib stream is the end of the session") {
    wire::Deflater zlib;
    HeaderDecompressor decompressor{1000};
    CHECK(error_of(decompressor, zlib.block(wire::plain({{"a", "b"}}), Z_FINISH)) == InflateError::ended);
}

TEST_CASE("random damage never gives more than the limit") {
    std::mt19937 random{3};
    for (int round = 0; round < 3000; ++round) {
        wire::Deflater zlib{static_cast<int>(random() % 10)};
        HeaderDecompressor decompressor{300};
        for (int i = 0; i < 4; ++i) {
            Buffer block = zlib.block(wire::plain({{"a", std::string(random() % 50, 'x')}}));
            for (auto damage = random() % 3; damage > 0; --damage)
                block[random() % block.size()] = static_cast<std::byte>(random());
            const auto plain = inflated(decompressor, block);
            if (!plain)
                break;
            CHECK(plain->size() <= 300);
        }
    }
}
