// The worker table as one process sees it.
#include <cstring>

#include "catch.hpp"
#include "shared_table.hpp"

using namespace zmqspdy::router;

TEST_CASE("a table takes room for each worker and each child") {
    const auto bytes = WorkerTable::bytes_for({.workers = 1, .children = 1});
    CHECK(bytes > sizeof(WorkerRecord));
    CHECK(WorkerTable::bytes_for({.workers = 2, .children = 1}) >= bytes + sizeof(WorkerRecord));
    CHECK(WorkerTable::bytes_for({.workers = 1, .children = 2}) > bytes);
    CHECK(WorkerTable::bytes_for({.workers = 1000, .children = 1}) <
          WorkerTable::bytes_for({.workers = 1000, .children = 2}));
}

TEST_CASE("a new table is empty") {
    SharedTable table({.workers = 3, .children = 2});
    CHECK(table->size() == WorkerTable::Size{.workers = 3, .children = 2});
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
        CHECK(table->read(slot).id == 0);
        CHECK(table->in_flight(slot) == 0);
        CHECK(table->last_used(slot) == 0);
    }
    CHECK_FALSE(table->anyone_waiting());
}

TEST_CASE("a table is found again by those who attach to it") {
    SharedTable table({.workers = 3, .children = 2});
    add_worker(*table, {.name = "kept"});
    const auto again = WorkerTable::attach(table.memory(), table->geometry());
    REQUIRE(again);
    CHECK(again->size() == table->size());
    CHECK(again->read(0).name_view() == "kept");
    CHECK(again->generation() == table->generation());
}

TEST_CASE("memory that is laid out otherwise is refused") {
    SharedTable table({.workers = 1, .children = 1});
    auto geometry = table->geometry();
    CHECK(WorkerTable::attach(table.memory(), geometry));
    CHECK_FALSE(WorkerTable::attach(nullptr, geometry));
    CHECK_FALSE(WorkerTable::attach(table.memory(), WorkerTable::Geometry{}));
    ++geometry.layout;
    CHECK_FALSE(WorkerTable::attach(table.memory(), geometry));
}

TEST_CASE("a record is read as it was written") {
    SharedTable table;
    const WorkerSpec spec{.name = "blue",
                          .capacity = 65535,
                          .weight = 100,
                          .service = "api",
                          .endpoint = "tcp://127.0.0.1:5000",
                          .draining = true,
                          .relayed = true};
    table->write(5, record_of(77, spec));
    const auto record = table->read(5);
    CHECK(record.id == 77);
    CHECK(record.capacity == 65535);
    CHECK(record.weight == 100);
    CHECK(record.draining == 1);
    CHECK(record.relayed == 1);
    CHECK(record.name_view() == "blue");
    CHECK(record.service_view() == "api");
    CHECK(record.endpoint_view() == "tcp://127.0.0.1:5000");
    CHECK(table->read(4).id == 0);
    CHECK(table->read(6).id == 0);
    table->clear(5);
    CHECK(table->read(5).id == 0);
    CHECK(table->read(5).name_view().empty());
}

TEST_CASE("text that does not fit is cut and still ends") {
    std::array<char, 8> to{};
    assign(to, "1234567");
    CHECK(std::string_view(to.data()) == "1234567");
    assign(to, "123456789");
    CHECK(std::string_view(to.data()) == "1234567");
    assign(to, "");
    CHECK(std::string_view(to.data()).empty());
}

TEST_CASE("every change of a record moves the generation on") {
    SharedTable table;
    auto generation = table->generation();
    const auto moved = [&] { return std::exchange(generation, table->generation()) < generation; };
    CHECK_FALSE(moved());
    table->write(0, record_of(1, {}));
    CHECK(moved());
    table->write(0, record_of(1, {}));
    CHECK(moved());
    table->clear(0);
    CHECK(moved());
    // Counters are no news.
    CHECK(table->try_reserve(0, 1, 0));
    table->touch(0);
    table->release(0, 0);
    CHECK_FALSE(moved());
}

TEST_CASE("reservations end at the capacity") {
    SharedTable table;
    CHECK_FALSE(table->try_reserve(0, 0, 0));
    CHECK(table->try_reserve(0, 2, 0));
    CHECK(table->try_reserve(0, 2, 1));
    CHECK_FALSE(table->try_reserve(0, 2, 2));
    CHECK(table->in_flight(0) == 2);
    CHECK(table->in_flight(1) == 0);
    table->release(0, 0);
    CHECK(table->try_reserve(0, 2, 2));
    // A capacity that was lowered: what is there stays, nothing comes.
    CHECK_FALSE(table->try_reserve(0, 1, 0));
    CHECK(table->in_flight(0) == 2);
}

TEST_CASE("touch() hands out tickets that grow over all slots") {
    SharedTable table;
    table->touch(3);
    table->touch(1);
    CHECK(table->last_used(3) != 0);
    CHECK(table->last_used(3) < table->last_used(1));
    table->touch(3);
    CHECK(table->last_used(3) > table->last_used(1));
    CHECK(table->last_used(0) == 0);
}

TEST_CASE("rows are taken by children until there are none") {
    SharedTable table({.workers = 1, .children = 2});
    CHECK_FALSE(table->find_child(100));
    const auto first = table->join(100);
    const auto second = table->join(200);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first != second);
    CHECK(table->find_child(100) == first);
    CHECK(table->find_child(200) == second);
    CHECK_FALSE(table->join(300));
    CHECK(table->leave(*first) == 0);
    CHECK_FALSE(table->find_child(100));
    CHECK(table->join(300) == first);
}

TEST_CASE("a child that leaves gives back what it had, and only that") {
    SharedTable table({.workers = 3, .children = 2});
    const auto leaving = *table->join(100);
    const auto staying = *table->join(200);
    for (int i = 0; i < 3; ++i)
        REQUIRE(table->try_reserve(0, 10, leaving));
    REQUIRE(table->try_reserve(2, 10, leaving));
    REQUIRE(table->try_reserve(0, 10, staying));
    CHECK(table->leave(leaving) == 4);
    CHECK(table->in_flight(0) == 1);
    CHECK(table->in_flight(2) == 0);
    CHECK(table->leave(leaving) == 0);
    CHECK(table->in_flight(0) == 1);
    table->release(0, staying);
    CHECK(table->in_flight(0) == 0);
}

TEST_CASE("somebody waits as long as one child does") {
    SharedTable table({.workers = 1, .children = 3});
    const auto a = *table->join(1);
    const auto b = *table->join(2);
    table->set_waiting(a, true);
    table->set_waiting(a, true);
    CHECK(table->anyone_waiting());
    table->set_waiting(b, true);
    table->set_waiting(a, false);
    CHECK(table->anyone_waiting());
    table->set_waiting(a, false);
    CHECK(table->anyone_waiting());
    SECTION("until it does no more") {
        table->set_waiting(b, false);
    }
    SECTION("or is gone") {
        CHECK(table->leave(b) == 0);
    }
    CHECK_FALSE(table->anyone_waiting());
}

TEST_CASE("queue positions go by priority, then by time, among those of one service") {
    const auto now = std::chrono::steady_clock::now();
    const auto later = now + std::chrono::milliseconds{2};
    const QueuePosition urgent(0, later, "a");
    const QueuePosition first(3, now, "a");
    const QueuePosition second(3, later, "a");
    CHECK(urgent.goes_before(first));
    CHECK(first.goes_before(second));
    CHECK_FALSE(second.goes_before(first));
    CHECK_FALSE(first.goes_before(first));
    CHECK_FALSE(first.goes_before(QueuePosition(3, later, "b")));
    CHECK_FALSE(QueuePosition{}.goes_before(first));
}

TEST_CASE("a child's waiters are seen by the others until it leaves") {
    SharedTable table({.workers = 1, .children = 2});
    const auto now = std::chrono::steady_clock::now();
    const QueuePosition mine(3, now, "a");
    const std::array earlier{QueuePosition(3, now, "b"),
                             QueuePosition(3, now - std::chrono::seconds{1}, "a")};
    const auto other = *table->join(1);
    const auto me = *table->join(2);
    table->set_waiting(other, true);
    CHECK_FALSE(table->first_before(me, mine, {}));
    table->publish_waiters(other, earlier);
    CHECK(table->first_before(me, mine, {}) == earlier[1]);
    CHECK_FALSE(table->first_before(me, mine, std::array{earlier[1]}));
    CHECK_FALSE(table->first_before(other, mine, {}));
    SECTION("it has none any more") {
        table->publish_waiters(other, {});
    }
    SECTION("it is gone") {
        CHECK(table->leave(other) == 0);
        table->set_waiting(me, true);
    }
    CHECK_FALSE(table->first_before(me, mine, {}));
}

TEST_CASE("a drain belongs to one announcement of a worker") {
    SharedTable table({.workers = 2, .children = 1});
    const auto slot = add_worker(*table, {.name = "one"});
    const auto id = table->read(slot).id;
    CHECK_FALSE(table->is_drained(slot, id));
    table->set_drained(slot, id, true);
    CHECK(table->is_drained(slot, id));
    CHECK_FALSE(table->is_drained(slot, id + 1));
    table->set_drained(slot, id, false);
    CHECK_FALSE(table->is_drained(slot, id));
}

TEST_CASE("what a child reports is shown with the places it holds, until it leaves") {
    SharedTable table({.workers = 2, .children = 2});
    const auto slot = add_worker(*table, {.name = "one"});
    const auto child = table->join(4711);
    REQUIRE(child);
    REQUIRE(table->try_reserve(slot, 10, *child));
    table->report(*child, {.queued = 3, .streams = 1, .sessions = 2});
    const auto shown = table->child(*child);
    REQUIRE(shown);
    CHECK(shown->pid == 4711);
    CHECK(shown->slots == 1);
    CHECK(shown->activity == ChildActivity{.queued = 3, .streams = 1, .sessions = 2});
    CHECK(table->leave(*child) == 1);
    CHECK_FALSE(table->child(*child));
    REQUIRE(table->join(4712) == child);
    CHECK(table->child(*child)->activity == ChildActivity{});
}
