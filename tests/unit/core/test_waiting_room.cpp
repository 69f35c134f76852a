// Threads that wait for their answers: none is missed, and only a lone one looks before it sleeps.
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "eventually.hpp"
#include "transport/waiting_room.hpp"

using namespace zmqspdy::transport;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Looks of a wait that sleeps at once: before it comes in, before it sleeps, and after.
constexpr int kLooksOfASleeper = 4;

/// Waits in vain; how often it looked.
int looks(WaitingRoom& room, std::chrono::microseconds patience = 1ms) {
    ParkingSpot spot;
    int count = 0;
    CHECK_FALSE(room.wait_until(spot, Clock::now() + patience, [&count] {
        ++count;
        return false;
    }));
    return count;
}

}  // namespace

TEST_CASE("waiting room: who is ready does not wait, and waiting ends at the deadline") {
    WaitingRoom room;
    ParkingSpot spot;
    const auto start = Clock::now();
    CHECK(room.wait_until(spot, start - 1h, [] { return true; }));
    CHECK_FALSE(room.wait_until(spot, start + 20ms, [] { return false; }));
    CHECK(Clock::now() - start >= 20ms);
    CHECK_FALSE(room.wait_until(spot, start - 1ms, [] { return false; }));
}

TEST_CASE(
    "waiting room: a lone thread looks before it sleeps, but not again at once where that did not help") {
    // Where others need the CPU it does not look for long: a new room each time, until the CPU is free.
    CHECK(eventually([] {
        WaitingRoom room;
        const int first = looks(room);
        CHECK(looks(room) <= kLooksOfASleeper);
        return first > 2 * kLooksOfASleeper;
    }));
}

TEST_CASE("waiting room: it is tried again after a while") {
    CHECK(eventually([] {
        WaitingRoom room;
        (void)looks(room);
        for (int i = 0; i < 40; ++i) {
            if (looks(room, 300us) > kLooksOfASleeper)
                return true;
        }
        return false;
    }));
}

TEST_CASE("waiting room: nobody looks while another waits, nor soon after") {
    WaitingRoom room;
    std::atomic<bool> inside{false};
    std::atomic<bool> over{false};
    ParkingSpot spot;
    std::thread other([&] {
        (void)room.wait_until(spot, Clock::now() + kPatience, [&] {
            inside = true;
            return over.load();
        });
    });
    REQUIRE(eventually([&] { return inside.load(); }));
    std::this_thread::yield();
    (void)looks(room);  // the other may have been at the door only
    CHECK(looks(room) <= kLooksOfASleeper);
    over = true;
    spot.notify();
    other.join();
    CHECK(looks(room) <= kLooksOfASleeper);
}

TEST_CASE("waiting room: of many threads none misses its notice") {
    constexpr std::size_t kThreads = 4;
    constexpr unsigned kRounds = 2000;
    WaitingRoom room;
    std::array<ParkingSpot, kThreads> spots;
    std::array<std::atomic<unsigned>, kThreads> asked{};
    std::array<std::atomic<unsigned>, kThreads> answered{};
    std::atomic<unsigned> late{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
            for (unsigned round = 1; round <= kRounds; ++round) {
                asked[i] = round;
                if (!room.wait_until(spots[i], Clock::now() + kPatience,
                                     [&] { return answered[i] == round; }))
                    ++late;
            }
        });
    }
    // Answers some at once and some only when they sleep.
    for (unsigned long turn = 0; late == 0; ++turn) {
        bool done = true;
        for (std::size_t i = 0; i < kThreads; ++i) {
            done = done && answered[i] == kRounds;
            if (asked[i] != answered[i]) {
                answered[i] = asked[i].load();
                spots[i].notify();
            }
        }
        if (done)
            break;
        if (turn % 16 == 0)
            std::this_thread::sleep_for(10us);
    }
    for (auto& thread : threads)
        thread.join();
    CHECK(late == 0);
}
