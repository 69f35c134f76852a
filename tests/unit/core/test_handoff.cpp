// Handing things from thread to thread: nothing is lost, nobody sleeps through a call.
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "eventually.hpp"
#include "transport/doorbell.hpp"
#include "transport/file_descriptor.hpp"
#include "transport/growing_queue.hpp"
#include "transport/mpsc_queue.hpp"
#include "transport/parker.hpp"
#include "transport/poller.hpp"

using namespace zmqspdy::transport;
using Clock = std::chrono::steady_clock;

namespace {

struct Item {
    unsigned producer = 0;
    unsigned number = 0;
    std::shared_ptr<int> witness;
    std::unique_ptr<Item> next;
};
using Queue = MpscQueue<Item>;

void push(Queue& queue, unsigned producer, unsigned number) {
    auto item = std::make_unique<Item>();
    item->producer = producer;
    item->number = number;
    queue.push(std::move(item));
}

constexpr unsigned kProducers = 4;
constexpr unsigned kItems = 10000;

/// What the consumer has seen of each producer; items of one producer must come in order.
struct Tally {
    std::array<unsigned, kProducers> next{};
    unsigned total = 0;
    bool in_order = true;

    void take(Queue& queue) {
        for (auto list = queue.take_all(); list; list = std::move(list->next)) {
            in_order = in_order && list->number == next[list->producer]++;
            ++total;
        }
    }
    [[nodiscard]] bool complete() const { return total == kProducers * kItems; }
};

template <typename Notify>
std::vector<std::thread> start_producers(Queue& queue, Notify notify) {
    std::vector<std::thread> producers;
    for (unsigned producer = 0; producer < kProducers; ++producer)
        producers.emplace_back([&queue, notify, producer] {
            for (unsigned i = 0; i < kItems; ++i) {
                push(queue, producer, i);
                notify();
                if (i % 64 == 0)
                    std::this_thread::yield();  // gives the consumer time to fall asleep
            }
        });
    return producers;
}

void join(std::vector<std::thread>& threads) {
    for (auto& thread : threads)
        thread.join();
}

}  // namespace

TEST_CASE("a queue gives back everything, the oldest first") {
    Queue queue;
    CHECK(queue.empty());
    CHECK(queue.take_all() == nullptr);
    for (unsigned i = 0; i < 5; ++i)
        push(queue, 0, i);
    CHECK_FALSE(queue.empty());
    unsigned expected = 0;
    for (auto list = queue.take_all(); list; list = std::move(list->next))
        CHECK(list->number == expected++);
    CHECK(expected == 5);
    CHECK(queue.empty());
    CHECK(queue.take_all() == nullptr);
}

TEST_CASE("what is left in a queue is destroyed with it, however long it is") {
    const auto witness = std::make_shared<int>(0);
    {
        Queue queue;
        for (int i = 0; i < 200000; ++i) {
            auto item = std::make_unique<Item>();
            item->witness = witness;
            queue.push(std::move(item));
        }
        CHECK(witness.use_count() == 200001);
    }
    CHECK(witness.use_count() == 1);
}

TEST_CASE("many producers: each one's items come once and in order") {
    Queue queue;
    Tally tally;
    auto producers = start_producers(queue, [] {});
    CHECK(eventually([&] {
        tally.take(queue);
        return tally.complete();
    }));
    join(producers);
    tally.take(queue);
    CHECK(tally.complete());
    CHECK(tally.in_order);
}

TEST_CASE("a sleeper on a futex misses no notice") {
    Queue queue;
    Parker parker;
    Tally tally;
    auto producers = start_producers(queue, [&parker] { parker.notify(); });
    const auto deadline = Clock::now() + kPatience;
    while (!tally.complete() && parker.wait_until(deadline, [&] { return !queue.empty(); }))
        tally.take(queue);
    join(producers);
    CHECK(tally.complete());
    CHECK(tally.in_order);
}

TEST_CASE("a sleeper in poll() misses no notice") {
    Queue queue;
    Parker parker;
    Tally tally;
    const FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    auto producers = start_producers(queue, [&parker] { parker.notify(); });
    const auto deadline = Clock::now() + kPatience;
    while (!tally.complete() && Clock::now() < deadline) {
        parker.prepare(event.get());
        if (queue.empty()) {
            pollfd waiting{.fd = event.get(), .events = POLLIN, .revents = 0};
            ::poll(&waiting, 1, 10000);
        }
        parker.awake();
        eventfd_t count = 0;
        (void)eventfd_read(event.get(), &count);
        tally.take(queue);
    }
    join(producers);
    CHECK(tally.complete());
    CHECK(tally.in_order);
}

TEST_CASE("nobody writes to a sleeper's descriptor once it is awake") {
    // It may be closed then, and its number belong to somebody else: whatever is found in it has come too late.
    Parker parker;
    std::atomic<bool> stopping{false};
    std::thread waker([&] {
        while (!stopping)
            parker.notify();
    });
    std::size_t late = 0;
    for (int i = 0; i < 20000; ++i) {
        const FileDescriptor mine(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
        parker.prepare(mine.get());
        parker.awake();
        std::this_thread::yield();
        eventfd_t count = 0;
        late += ::eventfd_read(mine.get(), &count) == 0 ? 1 : 0;
    }
    stopping = true;
    waker.join();
    CHECK(late == 0);
}

TEST_CASE("waiting ends at the deadline") {
    Parker parker;
    const auto start = Clock::now();
    CHECK_FALSE(parker.wait_until(start + std::chrono::milliseconds(20), [] { return false; }));
    CHECK(Clock::now() - start >= std::chrono::milliseconds(20));
    CHECK_FALSE(parker.wait_until(start - std::chrono::milliseconds(1), [] { return false; }));
    // Also one before the machine was started, which the clock counts from.
    CHECK_FALSE(parker.wait_until(Clock::time_point{} - std::chrono::hours(1), [] { return false; }));
    // Whoever is ready does not wait, even past the deadline.
    CHECK(parker.wait_until(start - std::chrono::hours(1), [] { return true; }));
}

TEST_CASE("a notice without a cause wakes nobody for good") {
    Parker parker;
    std::atomic<bool> ready{false};
    std::atomic<bool> stop{false};
    std::thread nagging([&] {
        while (!stop) {
            parker.notify();
            std::this_thread::yield();
        }
    });
    CHECK_FALSE(
        parker.wait_until(Clock::now() + std::chrono::milliseconds(20), [&] { return ready.load(); }));
    ready = true;
    CHECK(parker.wait_until(Clock::now() + kPatience, [&] { return ready.load(); }));
    stop = true;
    nagging.join();
}

TEST_CASE("a doorbell is heard by who sleeps, and only then") {
    Doorbell bell;
    pollfd waiting{.fd = bell.fd(), .events = POLLIN, .revents = 0};
    bell.ring();
    CHECK(::poll(&waiting, 1, 0) == 0);
    bell.about_to_sleep();
    bell.ring();
    bell.ring();
    CHECK(::poll(&waiting, 1, 0) == 1);
    bell.awake();
    bell.clear();
    CHECK(::poll(&waiting, 1, 0) == 0);
    bell.ring();
    CHECK(::poll(&waiting, 1, 0) == 0);
}

TEST_CASE("a sleeper in epoll misses no ring") {
    Queue queue;
    Doorbell bell;
    Poller poller;
    poller.add(bell.fd(), 1);
    Tally tally;
    auto producers = start_producers(queue, [&bell] { bell.ring(); });
    const auto deadline = Clock::now() + kPatience;
    while (!tally.complete() && Clock::now() < deadline) {
        bell.about_to_sleep();
        const auto timeout = std::chrono::milliseconds(queue.empty() ? 10000 : 0);
        const bool rung = !poller.wait(timeout).empty();
        bell.awake();
        if (rung)
            bell.clear();
        tally.take(queue);
    }
    join(producers);
    CHECK(tally.complete());
    CHECK(tally.in_order);
}

namespace {

struct Text {
    std::string text;
    std::unique_ptr<Text> next;
};

void add(GrowingQueue<Text>& queue, char c, std::size_t limit) {
    const bool added = queue.top_up([&](Text& last) {
        if (last.text.size() == limit)
            return false;
        last.text += c;
        return true;
    });
    if (added)
        return;
    auto node = std::make_unique<Text>();
    node->text = std::string(1, c);
    queue.push_growing(std::move(node));
}

}  // namespace

TEST_CASE("hand-off: small pieces that wait share a node, until it is taken, full, or no longer the last") {
    GrowingQueue<Text> queue;
    for (int i = 0; i < 25; ++i)
        add(queue, 'a', 10);
    auto other = std::make_unique<Text>();
    other->text = "-";
    queue.push(std::move(other));
    add(queue, 'b', 10);
    std::vector<std::string> taken;
    for (auto node = queue.take_all(); node; node = std::move(node->next))
        taken.push_back(node->text);
    CHECK(taken == std::vector<std::string>{"aaaaaaaaaa", "aaaaaaaaaa", "aaaaa", "-", "b"});
    add(queue, 'c', 10);
    const auto last = queue.take_all();
    REQUIRE(last);
    CHECK(last->text == "c");
    CHECK(queue.empty());
}

TEST_CASE("hand-off: what is added while others are taken is neither lost nor seen twice") {
    constexpr std::size_t kBytes = 200'000;
    GrowingQueue<Text> queue;
    std::thread producer{[&] {
        for (std::size_t i = 0; i < kBytes; ++i)
            add(queue, static_cast<char>('a' + i % 26), 100);
    }};
    std::string all;
    while (all.size() < kBytes)
        for (auto node = queue.take_all(); node; node = std::move(node->next))
            all += node->text;
    producer.join();
    REQUIRE(all.size() == kBytes);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < kBytes; ++i)
        wrong += all[i] == static_cast<char>('a' + i % 26) ? 0 : 1;
    CHECK(wrong == 0);
}
