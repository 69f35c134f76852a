// Threads that wait for their answers: none is missed, and only a lone one spins before it sleeps.
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "eventually.hpp"
#include "transport/adaptive_wait.hpp"

using namespace zmqspdy::transport;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

void wait_in_vain(AdaptiveWait& wait) {
    Parker parker;
    CHECK_FALSE(wait.wait_until(parker, Clock::now() + 100us, [] { return false; }));
}

}  // namespace

TEST_CASE("adaptive wait: who is ready does not wait, and waiting ends at the deadline") {
    AdaptiveWait wait;
    Parker parker;
    const auto start = Clock::now();
    CHECK(wait.wait_until(parker, start - 1h, [] { return true; }));
    CHECK_FALSE(wait.wait_until(parker, start + 20ms, [] { return false; }));
    CHECK(Clock::now() - start >= 20ms);
    CHECK_FALSE(wait.wait_until(parker, start - 1ms, [] { return false; }));
}

TEST_CASE("adaptive wait: a lone thread spins, and does not again soon where that did not help") {
    AdaptiveWait wait;
    wait_in_vain(wait);
    CHECK(wait.spins() == 1);
    for (int i = 0; i < 32; ++i)
        wait_in_vain(wait);
    CHECK(wait.spins() == 1);
    wait_in_vain(wait);
    CHECK(wait.spins() == 2);
}

TEST_CASE("adaptive wait: nobody spins while another waits, nor soon after") {
    AdaptiveWait wait;
    Parker parker;
    int asked = 0;
    CHECK(wait.wait_until(parker, Clock::now() + kPatience, [&] {
        if (++asked == 2)  // it waits, and spins
            wait_in_vain(wait);
        return asked >= 2;
    }));
    CHECK(wait.spins() == 1);
    wait_in_vain(wait);
    CHECK(wait.spins() == 1);
}

TEST_CASE("adaptive wait: a spin that helped is followed by another") {
    AdaptiveWait wait;
    Parker parker;
    std::atomic<unsigned> asked{0};
    std::atomic<unsigned> answered{0};
    std::atomic<bool> over{false};
    std::thread other([&] {
        while (!over) {
            if (const unsigned number = asked; number != answered) {
                answered = number;
                parker.notify();
            }
            std::this_thread::yield();
        }
    });
    unsigned in_time = 0;
    unsigned rounds = 0;
    // On a busy machine many do not help.
    const bool helped = eventually([&] {
        const auto before = wait.spins();
        for (int i = 0; i < 2; ++i) {
            asked = ++rounds;
            if (wait.wait_until(parker, Clock::now() + kPatience, [&] { return answered == rounds; }))
                ++in_time;
        }
        return wait.spins() == before + 2;
    });
    over = true;
    other.join();
    CHECK(helped);
    CHECK(in_time == rounds);
}

TEST_CASE("adaptive wait: of many threads none misses its notice") {
    constexpr std::size_t kThreads = 4;
    constexpr unsigned kRounds = 2000;
    AdaptiveWait wait;
    std::array<Parker, kThreads> parkers;
    std::array<std::atomic<unsigned>, kThreads> asked{};
    std::array<std::atomic<unsigned>, kThreads> answered{};
    std::atomic<unsigned> late{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
            for (unsigned round = 1; round <= kRounds && late == 0; ++round) {
                asked[i] = round;
                if (!wait.wait_until(parkers[i], Clock::now() + kPatience,
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
                parkers[i].notify();
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
