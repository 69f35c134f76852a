// Which worker gets the next request.
#include <map>
#include <thread>

#include "catch.hpp"
#include "mod_zmqspdy/core/dispatch.hpp"
#include "shared_table.hpp"

using namespace zmqspdy::router;

namespace {

struct Bench {
    SharedTable table;
    Snapshot snapshot;

    std::uint32_t add(const WorkerSpec& spec) {
        const auto slot = add_worker(*table, spec);
        (void)snapshot.refresh(*table);
        return slot;
    }
    const Candidate* reserve(std::uint32_t child = 0, std::string_view service = "",
                             const Eligible& eligible = {}) {
        return reserve_worker(snapshot, *table, child, service, eligible);
    }
    /// The name of the worker that was chosen, "" when none was.
    std::string next(std::uint32_t child = 0, std::string_view service = "", const Eligible& eligible = {}) {
        const auto* const chosen = reserve(child, service, eligible);
        return chosen ? std::string(chosen->record.name_view()) : "";
    }
};

}  // namespace

TEST_CASE("a snapshot follows the table") {
    Bench bench;
    CHECK(bench.snapshot.refresh(*bench.table));
    CHECK_FALSE(bench.snapshot.refresh(*bench.table));
    CHECK(bench.snapshot.candidates().empty());
    const auto slot = bench.add({.name = "a"});
    REQUIRE(bench.snapshot.candidates().size() == 1);
    const auto id = bench.table->read(slot).id;
    REQUIRE(bench.snapshot.find(id) != nullptr);
    CHECK(bench.snapshot.find(id)->slot == slot);
    CHECK(bench.snapshot.find(id + 1) == nullptr);
    bench.table->clear(slot);
    CHECK(bench.snapshot.find(id) != nullptr);
    CHECK(bench.snapshot.refresh(*bench.table));
    CHECK(bench.snapshot.find(id) == nullptr);
}

TEST_CASE("no worker, no reservation") {
    Bench bench;
    CHECK(bench.reserve() == nullptr);
    (void)bench.snapshot.refresh(*bench.table);
    CHECK(bench.reserve() == nullptr);
}

TEST_CASE("the worker with the fewest requests in flight is chosen") {
    Bench bench;
    bench.add({.name = "a"});
    bench.add({.name = "b"});
    REQUIRE(bench.table->try_reserve(0, 10, 3));
    REQUIRE(bench.table->try_reserve(0, 10, 3));
    CHECK(bench.next() == "b");
    CHECK(bench.next() == "b");
    CHECK(bench.table->in_flight(1) == 2);
    bench.table->release(0, 3);
    CHECK(bench.next() == "a");
}

TEST_CASE("requests are shared out by weight") {
    Bench bench;
    bench.add({.name = "light", .capacity = 100, .weight = 1});
    bench.add({.name = "heavy", .capacity = 100, .weight = 3});
    bench.add({.name = "middle", .capacity = 100, .weight = 2});
    std::map<std::string, int> got;
    for (int i = 0; i < 60; ++i)
        ++got[bench.next()];
    CHECK(got == std::map<std::string, int>{{"light", 10}, {"middle", 20}, {"heavy", 30}});
}

TEST_CASE("a newcomer's weight grows with its time") {
    const auto now = to_shared(std::chrono::steady_clock::now());
    const Snapshot slow{std::chrono::seconds{60}};
    const auto weight = [&](SharedTime age) {
        return slow.weight_at(now, record_of(1, {.weight = 4, .joined = now - age}));
    };
    CHECK(weight(-5) == 4);  // a clock that was read before the registry wrote the record
    CHECK(weight(0) == 4);
    CHECK(weight(15'000) == 100);
    CHECK(weight(45'000) == 300);
    CHECK(weight(60'000) == 400);
    CHECK(weight(1'000'000) == 400);
    CHECK(Snapshot{}.weight_at(now, record_of(1, {.weight = 4, .joined = now})) == 400);
}

TEST_CASE("a newcomer gets its share only after a while, where slow start is wanted") {
    const auto hour = std::chrono::milliseconds{std::chrono::hours{1}};
    const auto now = to_shared(std::chrono::steady_clock::now());
    SharedTable table;
    add_worker(*table, {.name = "old", .capacity = 100, .joined = now - hour.count()});
    add_worker(*table, {.name = "new", .capacity = 100, .joined = now});
    Snapshot snapshot{GENERATE_COPY(std::chrono::milliseconds{0}, hour)};
    (void)snapshot.refresh(*table);
    for (int i = 0; i < 50; ++i)
        REQUIRE(reserve_worker(snapshot, *table, 0, "", {}));
    // The idle one gets the first, like anybody; its next one when the other has a hundred.
    CHECK(table->in_flight(1) == (snapshot.has_slow_start() ? 1 : 25));
    // Nobody else there: it takes what comes.
    table->set_drained(0, table->read(0).id, true);
    for (int i = 0; i < 50; ++i)
        REQUIRE(reserve_worker(snapshot, *table, 0, "", {}));
}

TEST_CASE("idle workers take strict turns over several children") {
    Bench bench;
    bench.add({.name = "a"});
    bench.add({.name = "b"});
    std::string order;
    for (std::uint32_t i = 0; i < 12; ++i) {
        const auto child = i % 5;
        const auto* const chosen = bench.reserve(child);
        REQUIRE(chosen != nullptr);
        order += chosen->record.name_view();
        bench.table->release(chosen->slot, child);
    }
    CHECK(order == "abababababab");
    // A newcomer was used least recently of all.
    bench.add({.name = "c"});
    order.clear();
    for (int i = 0; i < 6; ++i) {
        const auto* const chosen = bench.reserve();
        order += chosen->record.name_view();
        bench.table->release(chosen->slot, 0);
    }
    CHECK(order == "cabcab");
}

TEST_CASE("many idle workers take strict turns as well") {
    constexpr std::uint32_t kWorkers = 3 * kCompared + 1;
    SharedTable table({.workers = kWorkers, .children = 2});
    for (std::uint32_t i = 0; i < kWorkers; ++i)
        add_worker(*table, {.name = std::to_string(i)});
    Snapshot snapshot;
    (void)snapshot.refresh(*table);
    std::map<std::uint32_t, int> got;
    for (int i = 0; i < 5 * static_cast<int>(kWorkers); ++i) {
        const auto* const chosen = reserve_worker(snapshot, *table, 0, "", {});
        REQUIRE(chosen != nullptr);
        ++got[chosen->slot];
        table->release(chosen->slot, 0);
    }
    REQUIRE(got.size() == kWorkers);
    for (const auto& [slot, count] : got)
        CHECK(count == 5);
}

TEST_CASE("many workers are loaded evenly, and to the last place") {
    constexpr std::uint32_t kWorkers = 3 * kCompared + 1;
    constexpr std::uint32_t kCapacity = 4;
    SharedTable table({.workers = kWorkers, .children = 2});
    for (std::uint32_t i = 0; i < kWorkers; ++i)
        add_worker(*table, {.name = std::to_string(i), .capacity = kCapacity});
    Snapshot snapshot;
    (void)snapshot.refresh(*table);
    for (std::uint32_t round = 1; round <= kCapacity; ++round) {
        for (std::uint32_t i = 0; i < kWorkers; ++i)
            REQUIRE(reserve_worker(snapshot, *table, 0, "", {}));
        for (std::uint32_t slot = 0; slot < kWorkers; ++slot)
            CHECK(table->in_flight(slot) == round);
    }
    CHECK(reserve_worker(snapshot, *table, 0, "", {}) == nullptr);
    // Wherever the only place is, it is found.
    for (std::uint32_t slot = 0; slot < kWorkers; slot += kCompared / 2) {
        table->release(slot, 0);
        const auto* const chosen = reserve_worker(snapshot, *table, 0, "", {});
        REQUIRE(chosen != nullptr);
        CHECK(chosen->slot == slot);
    }
}

TEST_CASE("nobody gets more than its capacity") {
    Bench bench;
    bench.add({.name = "small", .capacity = 1, .weight = 100});
    bench.add({.name = "large", .capacity = 3});
    std::map<std::string, int> got;
    for (int i = 0; i < 6; ++i)
        ++got[bench.next(static_cast<std::uint32_t>(i))];
    CHECK(got == std::map<std::string, int>{{"small", 1}, {"large", 3}, {"", 2}});
    bench.table->release(0, 0);
    CHECK(bench.next() == "small");
}

TEST_CASE("a request goes to workers of its service only") {
    Bench bench;
    bench.add({.name = "plain"});
    bench.add({.name = "api", .service = "api"});
    CHECK(bench.next(0, "api") == "api");
    CHECK(bench.next(0, "api") == "api");
    CHECK(bench.next(0, "") == "plain");
    CHECK(bench.next(0, "ap").empty());
    CHECK(bench.next(0, "apis").empty());
}

TEST_CASE("a draining worker gets nothing new") {
    Bench bench;
    bench.add({.name = "going", .draining = true});
    CHECK(bench.next().empty());
    bench.add({.name = "staying", .capacity = 2});
    CHECK(bench.next() == "staying");
    CHECK(bench.next() == "staying");
    CHECK(bench.next().empty());
}

TEST_CASE("a worker that this request may not use is passed over") {
    Bench bench;
    bench.add({.name = "a"});
    bench.add({.name = "b"});
    const Eligible not_a = [](const Candidate& candidate) { return candidate.record.name_view() != "a"; };
    for (int i = 0; i < 4; ++i)
        CHECK(bench.next(0, "", not_a) == "b");
    CHECK(bench.next(0, "", [](const Candidate&) { return false; }).empty());
    CHECK(bench.table->in_flight(0) == 0);
    CHECK(bench.next() == "a");
}

TEST_CASE("a slot that is lost to another child sends the request elsewhere") {
    Bench bench;
    bench.add({.name = "a", .capacity = 1});
    bench.add({.name = "b", .capacity = 1});
    // eligible() is asked between the look at the counters and the reservation.
    int lost = 0;
    const Eligible rival = [&](const Candidate& candidate) {
        if (lost == 0 && bench.table->try_reserve(candidate.slot, candidate.record.capacity, 7))
            ++lost;
        return true;
    };
    SECTION("to the other worker") {
        CHECK(bench.next(0, "", rival) == "b");
        CHECK(lost == 1);
    }
    SECTION("nowhere when there is none") {
        REQUIRE(bench.table->try_reserve(1, 1, 6));
        CHECK(bench.next(0, "", rival).empty());
        CHECK(lost == 1);
    }
    CHECK(bench.table->in_flight(0) == 1);
    CHECK(bench.table->in_flight(1) == 1);
    CHECK(bench.table->leave(7) == 1);
}

TEST_CASE("many children at once fill the workers to the brim and not further") {
    SharedTable table({.workers = 3, .children = 6});
    add_worker(*table, {.name = "a", .capacity = 50});
    add_worker(*table, {.name = "b", .capacity = 30});
    add_worker(*table, {.name = "c", .capacity = 20});
    std::atomic<int> reserved{0};
    std::vector<std::thread> children;
    for (std::uint32_t child = 0; child < 6; ++child)
        children.emplace_back([&, child] {
            Snapshot snapshot;
            (void)snapshot.refresh(*table);
            for (int i = 0; i < 40; ++i)
                if (reserve_worker(snapshot, *table, child, "", {}) != nullptr)
                    ++reserved;
        });
    for (auto& child : children)
        child.join();
    CHECK(reserved == 100);
    CHECK(table->in_flight(0) == 50);
    CHECK(table->in_flight(1) == 30);
    CHECK(table->in_flight(2) == 20);
}

TEST_CASE("a drained worker is chosen again once it is resumed") {
    SharedTable table({.workers = 2, .children = 1});
    const auto slot = add_worker(*table, {.name = "only"});
    const auto id = table->read(slot).id;
    Snapshot snapshot;
    snapshot.refresh(*table);
    table->set_drained(slot, id, true);
    CHECK_FALSE(reserve_worker(snapshot, *table, 0, "", {}));
    table->set_drained(slot, id, false);
    const auto* const chosen = reserve_worker(snapshot, *table, 0, "", {});
    REQUIRE(chosen);
    CHECK(chosen->record.id == id);
}
