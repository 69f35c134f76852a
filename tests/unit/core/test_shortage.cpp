// Why a request that waits has no worker.
#include <array>
#include <random>
#include <vector>

#include "catch.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

namespace {

Cause cause(const Call& call) {
    return cause_of(call.exchange().shortage.load());
}

Call get_of_service(PoolBench& bench, const std::string& service) {
    auto head = get_request("/");
    head.service = service;
    return {*bench.pool, std::move(head)};
}

/// What a worker may be like that does not take the request.
enum class Kind { full, drained, leaving, of_other_service };

void add(PoolBench& bench, Kind kind, std::uint32_t number) {
    const std::string name = "worker-" + std::to_string(number);
    const auto slot = add_worker(*bench.table, {.name = name,
                                                .capacity = 1,
                                                .service = kind == Kind::of_other_service ? "other" : "mine",
                                                .endpoint = "ipc://@zmqspdy/nobody-" + name,
                                                .draining = kind == Kind::leaving});
    if (kind == Kind::full)
        REQUIRE(bench.table->try_reserve(slot, 1, 7));
    if (kind == Kind::drained)
        bench.table->set_drained(slot, bench.table->read(slot).id, true);
}

}  // namespace

TEST_CASE("shortage: each worker that does not take a request is counted for what keeps it from that") {
    std::minstd_rand random{7};  // NOLINT: the same populations each time
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        PoolBench bench;
        std::array<std::uint32_t, 4> count{};
        const auto workers = random() % 7;
        for (std::uint32_t i = 0; i < workers; ++i) {
            const auto kind = random() % 4;
            ++count.at(kind);
            add(bench, static_cast<Kind>(kind), i);
        }
        auto first = get_of_service(bench, "mine");
        auto second =
            get_of_service(bench, "mine");  // its service is known to be hopeless when its turn comes
        for (const Call* call : {&first, &second}) {
            REQUIRE(eventually([&] { return call->exchange().shortage.load().looked != 0; }));
            const Shortage found = call->exchange().shortage.load();
            CHECK(found.full == count[0]);
            CHECK(found.drained == count[1]);
            CHECK(found.leaving == count[2]);
            CHECK((found.elsewhere != 0) == (count[3] != 0));
            CHECK(found.failing == 0);
            CHECK(found.lost == 0);
            const Cause expected = count[0] != 0   ? Cause::full
                                   : count[1] != 0 ? Cause::drained
                                   : count[2] != 0 ? Cause::leaving
                                   : count[3] != 0 ? Cause::no_service
                                                   : Cause::no_worker;
            CHECK(cause_of(found) == expected);
        }
        first.cancel();
        second.cancel();
        CHECK(eventually([&] { return !bench.table->anyone_waiting(); }));
    }
}

TEST_CASE("shortage: a request whose only worker was lost over it says so, also when that has left") {
    PoolBench bench;
    FakeWorker worker(holding());
    const auto slot = bench.add(worker);
    auto call = bench.get("/a");
    REQUIRE(worker.log().await("END /a"));
    worker.die();
    REQUIRE(eventually([&] { return cause(call) == Cause::lost; }));
    bench.remove(slot);
    auto other = bench.get("/b");
    CHECK(eventually([&] { return cause(other) == Cause::no_worker; }));
    CHECK(cause(call) == Cause::lost);
    CHECK(call.exchange().shortage.load().lost == 1);
    call.cancel();
    other.cancel();
    bench.rest();
}

TEST_CASE("shortage: a worker that is announced but cannot be dialled is told from one that is not there") {
    PoolBench bench;
    (void)add_worker(*bench.table, {.name = "walled", .endpoint = "ipc://@zmqspdy/nobody-listens-here"});
    auto call = bench.get("/a");
    CHECK(eventually([&] { return cause(call) == Cause::unreachable; }));
    call.cancel();
    CHECK(eventually([&] { return !bench.table->anyone_waiting(); }));
}

TEST_CASE("shortage: a request that finds the queue full is told what those in it wait for") {
    PoolBench bench(with(&PoolOptions::queue_length, 1));
    add(bench, Kind::drained, 1);
    auto waits = get_of_service(bench, "mine");
    REQUIRE(eventually([&] { return cause(waits) == Cause::drained; }));
    auto refused = get_of_service(bench, "mine");
    CHECK(refused.outcome() == "queue_full");
    CHECK(cause(refused) == Cause::drained);
    waits.cancel();
    bench.rest();
}

TEST_CASE("shortage: the sentence names each obstacle once, and what to do") {
    Shortage shortage;
    CHECK(describe(shortage, "", "") == "those who came before it wait as well");
    shortage.looked = 1;
    CHECK(describe(shortage, "", "").find("--router") != std::string::npos);
    shortage.elsewhere = 1;
    CHECK(describe(shortage, "", "").find("ZmqSpdyService") != std::string::npos);
    CHECK(describe(shortage, "blue", "").find("service 'blue'") != std::string::npos);
    shortage.lost = 1;
    CHECK(describe(shortage, "", "one") == "worker 'one' was lost over it; no other is announced");
    shortage.full = 2;
    shortage.drained = 1;
    CHECK(describe(shortage, "blue", "one") ==
          "worker 'one' was lost over it; 2 workers have as many requests as they take; 1 worker is drained "
          "(zmqspdyctl resume) (service 'blue')");
}
