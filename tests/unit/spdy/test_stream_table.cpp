#include "spdy/stream_table.hpp"

#include <map>
#include <random>

#include "catch.hpp"
#include "spdy/flow_window.hpp"
#include "spdy/glitch_limiter.hpp"

using namespace zmqspdy::spdy;

TEST_CASE("a stream table holds what a std::map does, whatever ids the peer picks") {
    for (const StreamId stride : {2u, 32u, 2048u, 1u << 20, 0x3c6ef362u}) {
        std::mt19937 random{stride};
        StreamTable table;
        std::map<StreamId, std::uint8_t> model;
        StreamId next = 1;
        for (int step = 0; step < 20000; ++step) {
            if (model.size() < 300 && random() % 2 == 0) {
                Stream stream;
                stream.id = next == 0 ? 1 : next;
                stream.blocks = static_cast<std::uint8_t>(random());
                next = (next + stride) & kMaxStreamId;
                if (model.emplace(stream.id, stream.blocks).second)
                    CHECK(table.insert(stream).id == stream.id);
            } else if (!model.empty()) {
                auto victim = model.lower_bound(static_cast<StreamId>(random()) & kMaxStreamId);
                if (victim == model.end())
                    victim = model.begin();
                table.erase(victim->first);
                table.erase(victim->first);
                model.erase(victim);
            }
            if (table.size() != model.size())
                FAIL("the sizes differ");
        }
        for (const auto& [id, blocks] : model) {
            REQUIRE(table.find(id) != nullptr);
            CHECK(table.find(id)->blocks == blocks);
        }
        std::size_t visited = 0;
        table.for_each([&](const Stream& stream) { visited += model.count(stream.id); });
        CHECK(visited == model.size());
        CHECK(table.find(0) == nullptr);
        CHECK(table.find(0x7ffffffe) == nullptr);
    }
}

TEST_CASE("a send window goes negative and never above 2^31-1") {
    SendWindow window{100};
    window.take(100);
    CHECK(window.room() == 0);
    CHECK(window.adjust(-60));
    CHECK(window.room() == 0);
    CHECK(window.adjust(61));
    CHECK(window.room() == 1);
    CHECK(window.adjust(kMaxWindow - 1));
    CHECK_FALSE(window.adjust(1));
    CHECK(window.room() == kMaxWindow);
}

TEST_CASE("a receive window is given back by halves and never more than was taken") {
    ReceiveWindow window{100, 0};
    CHECK(window.give_back(10) == 0);
    CHECK(window.take(100));
    CHECK_FALSE(window.take(1));
    CHECK(window.give_back(49) == 0);
    CHECK(window.give_back(1) == 50);
    CHECK(window.take(50));
    CHECK_FALSE(window.take(1));
    CHECK(window.give_back(1000000) == 100);
    CHECK(window.take(100));
    CHECK_FALSE(window.take(1));
}

TEST_CASE("a receive window tolerates an overrun by those who may not know it yet") {
    ReceiveWindow window{10, 90};
    CHECK(window.take(100));
    CHECK_FALSE(window.take(1));
    CHECK(window.give_back(95) == 95);
    CHECK(window.take(95));
    ReceiveWindow closed{0, 0};
    CHECK(closed.take(0));
    CHECK_FALSE(closed.take(1));
    CHECK(closed.give_back(5) == 0);
}

TEST_CASE("a glitch limiter allows a burst of two seconds and refills by the clock") {
    GlitchLimiter glitches{10};
    for (int i = 0; i < 20; ++i)
        CHECK(glitches.spend(1));
    CHECK_FALSE(glitches.spend(1));
    glitches.refill(0.2);  // the debt of one, and one more
    CHECK(glitches.spend(1));
    CHECK_FALSE(glitches.spend(1));
    glitches.refill(-1);
    glitches.refill(std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(glitches.spend(1));
    glitches.refill(1e9);
    for (int i = 0; i < 20; ++i)
        CHECK(glitches.spend(1));
    CHECK_FALSE(glitches.spend(GlitchLimiter::kTinyData));
}
