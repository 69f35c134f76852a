// Capacity over several children, and what bounds a session.
#include <thread>

#include "catch.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;

TEST_CASE("pool: two children share the capacity of a worker") {
    PoolBench bench;
    const auto other = bench.make_pool(with(&PoolOptions::child, 1));
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 1});
    auto first = bench.get("/first");
    REQUIRE(worker.log().await("END /first"));
    Call second(*other, get_request("/second"));
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    CHECK(worker.log().count("SYN") == 1);
    // The slot that one child frees wakes the other.
    worker.act("/first", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(first.outcome() == "200 ");
    REQUIRE(worker.log().await("END /second"));
    worker.act("/second", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(second.outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: who has waited longest is next, over all children") {
    PoolBench bench;
    const auto other = bench.make_pool(with(&PoolOptions::child, 1));
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 1});
    const auto row = bench.table->join(1);
    REQUIRE(row == 0U);
    REQUIRE(bench.table->join(2) == 1U);
    std::vector<Call> calls;
    const auto queue = [&](DealerPool& pool, std::uint32_t child, const std::string& path,
                           std::uint32_t queued) {
        calls.emplace_back(pool, get_request(path));
        REQUIRE(eventually([&] { return bench.table->child(child)->activity.queued == queued; }));
        // Turns are told apart by milliseconds.
        const auto now = to_shared(std::chrono::steady_clock::now());
        REQUIRE(eventually([&] { return to_shared(std::chrono::steady_clock::now()) > now; }));
    };
    calls.push_back(bench.get("/first"));
    REQUIRE(worker.log().await("END /first"));
    queue(*bench.pool, 0, "/a1", 1);
    queue(*bench.pool, 0, "/a2", 2);
    queue(*other, 1, "/b1", 1);
    queue(*bench.pool, 0, "/a3", 3);
    queue(*other, 1, "/b2", 2);
    queue(*bench.pool, 0, "/a4", 4);
    for (const std::string path : {"/first", "/a1", "/a2", "/b1", "/a3", "/b2", "/a4"}) {
        REQUIRE(worker.log().await("END " + path));
        worker.act(path, [](FakeWorker::Request request) { request.reply("200", true); });
    }
    for (auto& call : calls)
        CHECK(call.outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: a child whose request no worker may have holds nobody up") {
    PoolBench bench;
    const auto other = bench.make_pool(with(&PoolOptions::child, 1));
    FakeWorker worker(answering("done"));
    bench.add(worker);
    auto head = get_request("/stuck");
    head.service = "nobody";
    Call stuck(*other, std::move(head));
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    // A waiter that is never served, of the service that the others want.
    bench.table->set_waiting(2, true);
    bench.table->publish_waiters(2, std::array{QueuePosition(0, std::chrono::steady_clock::now() - 1h, "")});
    for (int i = 0; i < 20; ++i)
        CHECK(bench.get("/a").outcome() == "200 done");
    bench.table->publish_waiters(2, {});
    bench.table->set_waiting(2, false);
    stuck.cancel();
    bench.rest();
}

TEST_CASE("pool: two busy children never exceed the capacity") {
    PoolBench bench;
    const auto other = bench.make_pool(with(&PoolOptions::child, 1));
    std::atomic<int> at_once{0};
    std::atomic<int> most{0};
    FakeWorker::Script script;
    // One thread serves both sessions, so a request is under way from one event to the next.
    script.opened = [&](FakeWorker::Request) { most = std::max<int>(most, ++at_once); };
    script.completed = [&](FakeWorker::Request request) {
        --at_once;
        request.reply("200", true);
    };
    FakeWorker worker(script);
    bench.add(worker, {.capacity = 1});
    const auto client = [&](DealerPool& pool, int& good) {
        for (int i = 0; i < 200; ++i) {
            Call call(pool, post_request("/"));
            good += call.send("x", true) && call.outcome() == "200 " ? 1 : 0;
        }
    };
    int good_here = 0;
    int good_there = 0;
    std::thread there([&] { client(*other, good_there); });
    client(*bench.pool, good_here);
    there.join();
    CHECK(good_here == 200);
    CHECK(good_there == 200);
    CHECK(most == 1);
    bench.rest();
}

TEST_CASE("pool: a child that is to end gives up what it still has after its limit, and nothing before") {
    std::atomic<bool> ending{false};
    PoolOptions options;
    options.is_ending = [&] { return ending.load(); };
    options.ending_limit = 200ms;
    options.heartbeat = 10s;
    PoolBench bench(options);
    FakeWorker worker(holding());
    bench.add(worker);
    auto silent = bench.get("/silent");
    auto stream = bench.get("/stream");
    REQUIRE(worker.log().await("END /silent"));
    REQUIRE(worker.log().await("END /stream"));
    worker.act("/stream", [](FakeWorker::Request request) {
        request.reply("200");
        request.send("part", false);
    });
    REQUIRE(stream.await_body(4));
    std::this_thread::sleep_for(300ms);
    CHECK(worker.log().count("RST") == 0);

    const auto start = std::chrono::steady_clock::now();
    ending = true;
    CHECK(stream.outcome() == "200 then overstayed");
    CHECK(silent.outcome() == "overstayed");
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(took >= 200ms);
    CHECK(took < 2s);
    CHECK(worker.log().await("RST /stream CANCEL"));
    CHECK(worker.log().await("RST /silent CANCEL"));
    bench.rest();
}

TEST_CASE("pool: a session may be smaller than the worker") {
    PoolBench bench;
    auto script = holding();
    script.max_streams = 2;
    FakeWorker worker(script);
    bench.add(worker, {.capacity = 100});
    auto warm = bench.get("/warm");
    REQUIRE(worker.log().await("END /warm"));
    worker.act("/warm", [](FakeWorker::Request request) { request.reply("200", true); });
    REQUIRE(warm.outcome() == "200 ");  // the limit is known from here on
    std::vector<Call> calls;
    for (int i = 0; i < 5; ++i)
        calls.push_back(bench.get("/" + std::to_string(i)));
    for (int i = 0; i < 5; ++i) {
        const auto path = "/" + std::to_string(i);
        REQUIRE(worker.log().await("END " + path));
        worker.act(path, [](FakeWorker::Request request) { request.reply("200", true); });
        CHECK(calls[static_cast<std::size_t>(i)].outcome() == "200 ");
    }
    CHECK(worker.log().count("RST") == 0);
    CHECK(worker.log().count("PEER") == 1);
    bench.rest();
}

TEST_CASE("pool: headers that no session takes fail their own request and nothing else") {
    PoolBench bench;
    FakeWorker worker(answering("x"));
    bench.add(worker);
    auto neighbour = bench.get("/a");
    auto head = get_request("/large");
    head.headers.add("cookie", std::string(70'000, 'c'));
    Call large(*bench.pool, std::move(head));
    CHECK(large.outcome() == "no_worker_left");
    CHECK(neighbour.outcome() == "200 x");
    CHECK(bench.get("/b").outcome() == "200 x");
    CHECK(worker.log().count("/large") == 0);
    bench.rest();
}

TEST_CASE("pool: a request waits no longer than needed while others stream") {
    PoolBench bench(with(&PoolOptions::heartbeat, 10s));
    FakeWorker streaming(holding());
    bench.add(streaming, {.capacity = 1});
    auto stream = bench.get("/stream");
    REQUIRE(streaming.log().await("END /stream"));
    streaming.act("/stream", [](FakeWorker::Request request) { request.reply("200"); });
    auto waiting = bench.get("/waiting");
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    // A slot that frees up without a word, as when a child was killed: found although the pool is never idle.
    FakeWorker worker(answering("x"));
    const auto slot = add_worker(*bench.table, {.capacity = 1, .endpoint = worker.endpoint()});
    REQUIRE(bench.table->try_reserve(slot, 1, 7));
    bench.table_changed();
    std::atomic<bool> stop{false};
    std::thread ticker([&] {
        while (!stop) {
            streaming.act("/stream", [](FakeWorker::Request request) { request.send("tick ", false); });
            std::this_thread::sleep_for(5ms);
        }
    });
    REQUIRE(stream.await_body(50));
    CHECK(waiting.queued());
    CHECK(bench.table->leave(7) == 1);
    CHECK(waiting.outcome() == "200 x");
    stop = true;
    ticker.join();
    stream.cancel();
    bench.rest();
}
