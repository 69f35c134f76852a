// Workers that die, hang, refuse or cannot be reached.
#include <array>
#include <atomic>

#include "catch.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;

namespace {

/// Two workers of which the first one listed gets the first request: it was used least recently.
struct Pair {
    explicit Pair(FakeWorker::Script first_script, FakeWorker::Script second_script = answering("second"))
        : first{std::move(first_script)}, second{std::move(second_script)} {
        first_slot = bench.add(first, {.name = "first"});
        second_slot = bench.add(second, {.name = "second"});
        bench.table->touch(second_slot);
    }
    PoolBench bench{PoolOptions{}};
    FakeWorker first;
    FakeWorker second;
    std::uint32_t first_slot = 0;
    std::uint32_t second_slot = 0;
};

}  // namespace

TEST_CASE("pool: a worker dies over a request that may be repeated") {
    Pair pair(holding());
    auto call = pair.bench.get("/a");
    REQUIRE(pair.first.log().await("END /a"));
    CHECK(call.exchange().worker_name() == "first");
    pair.first.die();
    CHECK(call.outcome() == "200 second");
    CHECK(call.exchange().worker_name() == "second");
    pair.bench.rest();
}

TEST_CASE("pool: a worker dies over a request whose body is still at hand") {
    Pair pair(holding(), echoing());
    const std::string body(40000, 'b');
    auto call = pair.bench.put("/a", body);
    REQUIRE(pair.first.log().await("END /a"));
    pair.first.die();
    REQUIRE(call.await_end());
    CHECK((call.body == body));
    pair.bench.rest();
}

TEST_CASE("pool: a worker dies in the middle of a request body, and another gets all of it") {
    Pair pair(holding(), echoing());
    Call call(*pair.bench.pool, put_request("/a"));
    REQUIRE(call.send("one ", false));
    REQUIRE(call.send("two ", false));
    REQUIRE(pair.first.log().await("SYN /a"));
    pair.first.die();
    REQUIRE(pair.second.log().await("SYN /a"));
    REQUIRE(call.send("three", true));
    CHECK(call.outcome() == "200 one two three");
    pair.bench.rest();
}

TEST_CASE("pool: a body that is too large to keep is not sent again") {
    Pair pair(holding(), echoing());
    auto call = pair.bench.put("/a", std::string(200'000, 'b'));
    REQUIRE(pair.first.log().await("END /a"));
    pair.first.die();
    CHECK(call.outcome() == "worker_lost");
    CHECK(pair.second.log().count("SYN") == 0);
    pair.bench.rest();
}

TEST_CASE("pool: a worker dies over a request that may not be repeated") {
    Pair pair(holding());
    auto call = pair.bench.post("/a", "x");
    REQUIRE(pair.first.log().await("END /a"));
    pair.first.die();
    CHECK(call.outcome() == "worker_lost");
    CHECK(pair.second.log().count("SYN") == 0);
    pair.bench.rest();
}

TEST_CASE("pool: a worker dies after the head of its response") {
    Pair pair(holding());
    auto call = pair.bench.get("/a");
    REQUIRE(pair.first.log().await("END /a"));
    pair.first.act("/a", [](FakeWorker::Request request) {
        request.reply("200");
        request.send("half", false);
    });
    REQUIRE(call.await_body(4));
    pair.first.die();
    CHECK(call.outcome() == "200 then worker_lost");
    CHECK(pair.second.log().count("SYN") == 0);
    pair.bench.rest();
}

TEST_CASE("pool: what came before a worker's death arrives") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto call = bench.get("/a");
    REQUIRE(worker.log().await("END /a"));
    worker.act("/a", [](FakeWorker::Request request) {
        request.reply("200");
        request.send("all of it", true);
    });
    REQUIRE(call.await_head());
    worker.die();
    CHECK(call.outcome() == "200 all of it");
    bench.rest();
}

TEST_CASE("pool: a refused request goes to another worker, whatever its method") {
    Pair pair(refusing(), echoing());
    CHECK(pair.bench.post("/a", "the whole body").outcome() == "200 the whole body");
    CHECK(pair.first.log().count("SYN /a") == 1);
    pair.bench.rest();
}

TEST_CASE("pool: a request that is refused after part of its body goes on with all of it") {
    FakeWorker::Script script;
    script.more = [](FakeWorker::Request request) { request.reset(spdy::ResetCode::refused_stream); };
    Pair pair(script, echoing());
    Call call(*pair.bench.pool, post_request("/a"));
    REQUIRE(call.send("one ", false));
    REQUIRE(pair.second.log().await("SYN /a"));
    REQUIRE(call.send("two ", false));
    REQUIRE(call.send("three", true));
    CHECK(call.outcome() == "200 one two three");
    pair.bench.rest();
}

TEST_CASE("pool: a request that is refused after its answer began has failed") {
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) {
        request.reply("200");
        request.reset(spdy::ResetCode::refused_stream);
    };
    Pair pair(script);
    CHECK(pair.bench.get("/a").outcome() == "200 then worker_reset");
    CHECK(pair.second.log().count("SYN") == 0);
    pair.bench.rest();
}

TEST_CASE("pool: a request that is reset has failed") {
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) { request.reset(spdy::ResetCode::internal_error); };
    Pair pair(script);
    auto call = pair.bench.get("/a");
    CHECK(call.outcome() == "worker_reset");
    CHECK(call.code == spdy::ResetCode::internal_error);
    CHECK(pair.second.log().count("SYN") == 0);
    pair.bench.rest();
}

TEST_CASE("pool: a worker that had no room gets the request again after a moment") {
    PoolBench bench;
    std::atomic<int> asked{0};
    FakeWorker::Script script = answering("room now");
    script.opened = [&asked](FakeWorker::Request request) {
        if (++asked <= 3)
            request.reset(spdy::ResetCode::refused_stream);
    };
    FakeWorker worker(script);
    bench.add(worker);
    // More often than it may be tried anew elsewhere: nothing was lost over it.
    CHECK(bench.get("/a", 1).outcome() == "200 room now");
    CHECK(asked == 4);
    bench.rest();
}

TEST_CASE("pool: no worker gets the same request twice") {
    PoolBench bench;
    std::array<FakeWorker, 3> workers{FakeWorker{failing()}, FakeWorker{failing()}, FakeWorker{failing()}};
    for (const auto& worker : workers)
        bench.add(worker);
    auto call = bench.get("/a", 100);
    for (const auto& worker : workers)
        CHECK(worker.log().await("SYN /a"));
    // All have had it and failed over it: it waits for a new one.
    FakeWorker last(answering("last"));
    bench.add(last);
    CHECK(call.outcome() == "200 last");
    for (const auto& worker : workers)
        CHECK(worker.log().count("SYN /a") == 1);
    bench.rest();
}

TEST_CASE("pool: no worker gets the same request twice under another id") {
    PoolBench bench;
    FakeWorker first(failing());
    bench.add(first, {.instance = 7});
    auto call = bench.get("/a", 100);
    REQUIRE(first.log().await("SYN /a"));
    // As another registry would announce it.
    FakeWorker anew(answering("the same"));
    bench.add(anew, {.instance = 7});
    FakeWorker other(answering("another"));
    bench.add(other, {.instance = 8});
    CHECK(call.outcome() == "200 another");
    CHECK(anew.log().count("SYN /a") == 0);
    CHECK(bench.get("/b").outcome() == "200 the same");
    bench.rest();
}

TEST_CASE("pool: retries are bounded") {
    PoolBench bench;
    std::array<FakeWorker, 4> workers{FakeWorker{failing()}, FakeWorker{failing()}, FakeWorker{failing()},
                                      FakeWorker{failing()}};
    for (const auto& worker : workers)
        bench.add(worker);
    const auto tried = [&workers] {
        std::size_t count = 0;
        for (const auto& worker : workers)
            count += worker.log().count("SYN");
        return count;
    };
    CHECK(bench.get("/a", 2).outcome() == "no_worker_left");
    CHECK(tried() == 3);
    CHECK(bench.get("/b", 0).outcome() == "no_worker_left");
    CHECK(tried() == 4);
    bench.rest();
}

TEST_CASE("pool: a worker that hangs is given up after three heartbeats") {
    PoolBench bench(with(&PoolOptions::heartbeat, 50ms));
    FakeWorker hanging(holding());
    FakeWorker other(answering("other"));
    bench.add(hanging, {.name = "hanging"});
    bench.table->touch(bench.add(other));
    auto repeatable = bench.get("/a");
    REQUIRE(hanging.log().await("END /a"));
    hanging.stall();
    CHECK(repeatable.outcome() == "200 other");
    CHECK(bench.log.await("lost worker 'hanging': it has been silent for 3 heartbeats"));
    hanging.resume();
    bench.rest();
}

TEST_CASE("pool: a slow worker that answers PINGs is left alone") {
    PoolBench bench(with(&PoolOptions::heartbeat, 50ms));
    FakeWorker worker(holding());
    bench.add(worker);
    auto call = bench.get("/a");
    REQUIRE(worker.log().await("END /a"));
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(eventually([&] { return std::chrono::steady_clock::now() - start > 500ms; }));
    worker.act("/a", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(call.outcome() == "200 ");
    CHECK(bench.log.count("lost") == 0);
    bench.rest();
}

TEST_CASE("pool: a worker that was never reached has processed nothing") {
    PoolBench bench;
    std::string nowhere;
    {
        const FakeWorker gone(holding());
        nowhere = gone.endpoint();
    }
    add_worker(*bench.table, {.name = "gone", .endpoint = nowhere});
    FakeWorker second(echoing());
    bench.table->touch(bench.add(second));
    // So that another may have the request, whatever its method.
    auto call = bench.post("/a", "body");
    CHECK(call.outcome() == "200 body");
    bench.rest();
}

TEST_CASE("pool: an endpoint that libzmq does not take costs no request") {
    PoolBench bench;
    add_worker(*bench.table, {.name = "odd", .endpoint = "tcp://not a host:1"});
    FakeWorker second(echoing());
    bench.table->touch(bench.add(second));
    CHECK(bench.post("/a", "body").outcome() == "200 body");
    CHECK(bench.log.await("worker 'odd' cannot be dialled at tcp://not a host:1"));
    bench.rest();
}

TEST_CASE("pool: a worker that comes back at its endpoint is used again") {
    PoolBench bench(with(&PoolOptions::heartbeat, 50ms));
    auto first = std::make_unique<FakeWorker>(answering("first"));
    const auto slot = bench.add(*first);
    CHECK(bench.get("/a").outcome() == "200 first");
    first->die();
    REQUIRE(bench.log.await("lost worker 'worker': its connection ended"));
    FakeWorker again(answering("again"));
    // The same worker as far as the table says, at another endpoint only because this one may not be free yet.
    auto record = bench.table->read(slot);
    assign(record.endpoint, again.endpoint());
    bench.table->write(slot, record);
    bench.table_changed();
    CHECK(bench.get("/b").outcome() == "200 again");
    bench.rest();
}

TEST_CASE("pool: a worker that fails again and again is left alone for longer and longer") {
    PoolBench bench;
    std::atomic<int> failures{0};
    const auto answer = answering("bad").completed;
    FakeWorker::Script script;
    script.opened = [&failures](FakeWorker::Request request) {
        if (++failures <= 4)
            request.peer.session.go_away(spdy::GoAwayCode::internal_error);
    };
    script.completed = [&failures, answer](FakeWorker::Request request) {
        if (failures > 4)
            answer(request);
    };
    FakeWorker bad(script);
    FakeWorker good(answering("good"));
    bench.add(good, {.name = "good"});
    const auto start = std::chrono::steady_clock::now();
    bench.add(bad, {.name = "bad"});
    // Its announcement lives on; nobody notices but the log.
    CHECK(eventually([&] {
        const auto outcome = bench.get("/a").outcome();
        if (outcome != "200 bad")
            CHECK(outcome == "200 good");
        return outcome == "200 bad";
    }));
    // 100, 200, 400 and 800 ms: without those it would fail four times at once.
    CHECK(std::chrono::steady_clock::now() - start >= 1500ms);
    CHECK(bench.log.count("lost worker 'bad'") == 4);
    CHECK(bench.log.count("it failed 3 times in a row, and gets nothing for 400 ms") == 1);
    CHECK(bench.log.await("worker 'bad' serves again"));
    bench.rest();
}

TEST_CASE("pool: a worker that it cannot connect to for three heartbeats is reported, and no other") {
    // Within a long heartbeat it may just be restarting.
    const auto heartbeat = GENERATE(20ms, 60000ms);
    CAPTURE(heartbeat.count());
    PoolBench bench(with(&PoolOptions::heartbeat, heartbeat));
    const auto slot = add_worker(*bench.table, {.name = "far", .endpoint = "ipc://@zmqspdy/nobody"});
    const auto id = bench.table->read(slot).id;
    auto call = bench.get("/a");
    REQUIRE(bench.log.await("'far': it cannot be reached; it failed 3 times in a row"));
    if (heartbeat == 20ms)
        CHECK(eventually([&] { return bench.table->is_undialable(slot, id); }));
    else
        CHECK_FALSE(bench.table->is_undialable(slot, id));
    // The request is still there for one that it can reach.
    FakeWorker near(answering("near"));
    const auto near_slot = bench.add(near, {.name = "near"});
    CHECK(call.outcome() == "200 near");
    CHECK_FALSE(bench.table->is_undialable(near_slot, bench.table->read(near_slot).id));
    bench.rest();
}
