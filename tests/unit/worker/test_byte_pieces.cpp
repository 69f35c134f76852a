// What waits to be sent: the same bytes, and little more memory than they are.
#include <random>

#include "catch.hpp"
#include "worker/byte_pieces.hpp"

using zmqspdy::serving::BytePieces;

namespace {

/// Pieces of a byte, of some, and now and then of many.
std::string piece_of(std::mt19937& random, std::size_t largest) {
    const std::size_t most = random() % 8 == 0 ? largest : random() % 2 == 0 ? 1 : 40;
    std::string piece(random() % (most + 1), '\0');
    for (char& c : piece)
        c = static_cast<char>(random());
    return piece;
}

}  // namespace

TEST_CASE("pieces that wait come out as the bytes that went in, and hold little more") {
    constexpr std::size_t kLargest = 70'000;
    std::mt19937 random{7};
    for (int round = 0; round < 20; ++round) {
        BytePieces pieces;
        std::string expected;
        for (int i = 0; i < 2'000; ++i) {
            const std::string piece = piece_of(random, round % 2 == 0 ? 100 : kLargest);
            expected += piece;
            pieces.add(piece);
            // In half of the rounds the reader keeps up, more or less.
            for (int j = 0; j < round % 4 && !pieces.is_empty(); ++j) {
                const auto front = pieces.front();
                const auto taken = random() % (front.size() + 1);
                REQUIRE(expected.compare(0, taken, front.substr(0, taken)) == 0);
                expected.erase(0, taken);
                pieces.drop(taken);
            }
            REQUIRE(pieces.is_empty() == expected.empty());
            REQUIRE(pieces.held() <= 3 * expected.size() + 2 * kLargest);
        }
        while (!pieces.is_empty()) {
            const std::string front{pieces.front()};
            REQUIRE(expected.substr(0, front.size()) == front);
            REQUIRE(pieces.is_last() == (front.size() == expected.size()));
            expected.erase(0, front.size());
            pieces.drop(front.size());
        }
        CHECK(expected.empty());
    }
}

TEST_CASE("a reader that is always a little behind does not make what waits grow") {
    BytePieces pieces;
    pieces.add("0123456789");
    for (int i = 0; i < 100'000; ++i) {
        pieces.add("0123456789");
        for (std::size_t left = 10; left > 0;) {
            const std::size_t taken = std::min(left, pieces.front().size());
            pieces.drop(taken);
            left -= taken;
        }
    }
    CHECK(pieces.front().size() == 10);
    CHECK(pieces.held() < 50'000);
}

TEST_CASE("a large piece is kept without a copy") {
    std::string large(100'000, 'x');
    const char* const where = large.data();
    BytePieces pieces;
    pieces.add("head");
    pieces.add(std::move(large));
    pieces.add("tail");
    pieces.drop(4);
    CHECK(pieces.front().data() == where);
}

TEST_CASE("a small piece does not keep what its string had reserved") {
    std::string small;
    small.reserve(100'000);
    small = "small, though not so small that it would need no memory of its own";
    BytePieces pieces;
    pieces.add(std::move(small));
    CHECK(pieces.held() < 500);
}
