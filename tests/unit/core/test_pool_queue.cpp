// Requests that wait, are given up, or are still there at the end.
#include <algorithm>
#include <thread>

#include "catch.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;

namespace {

/// Returns when the pool has dealt with all that was handed to it before.
void settle(PoolBench& bench) {
    FakeWorker probe(answering("probe"));
    const auto slot = bench.add(probe, {.service = "probe"});
    auto head = get_request("/");
    head.service = "probe";
    REQUIRE(Call(*bench.pool, std::move(head)).outcome() == "200 probe");
    bench.remove(slot);
}

}  // namespace

TEST_CASE("pool: a request waits for the first worker") {
    PoolBench bench;
    auto call = bench.get("/a");
    auto upload = Call(*bench.pool, post_request("/b"));
    CHECK(eventually([&] { return bench.table->anyone_waiting(); }));
    CHECK(call.queued());
    FakeWorker worker(echoing());
    bench.add(worker);
    CHECK(call.outcome() == "200 ");
    CHECK(upload.send("body", true));
    CHECK(upload.outcome() == "200 body");
    bench.rest();
}

TEST_CASE("pool: requests wait for a slot, first come, first served") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 1});
    std::vector<Call> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(bench.get("/" + std::to_string(i)));
    for (int i = 0; i < 4; ++i) {
        const auto path = "/" + std::to_string(i);
        REQUIRE(worker.log().await("END " + path));
        CHECK(worker.log().count("SYN") == static_cast<std::size_t>(i) + 1);
        worker.act(path, [](FakeWorker::Request request) { request.reply("200", true); });
        CHECK(calls[static_cast<std::size_t>(i)].outcome() == "200 ");
    }
    bench.rest();
}

TEST_CASE("pool: the more urgent go first, and equals in the order they came") {
    PoolBench bench;
    FakeWorker worker(holding());
    std::vector<Call> calls;
    const auto submit = [&](const std::string& path, spdy::Priority priority) {
        auto head = get_request(path);
        head.priority = priority;
        calls.emplace_back(*bench.pool, std::move(head));
    };
    submit("/3-first", 3);
    submit("/7", 7);
    submit("/3-second", 3);
    submit("/0", 0);
    settle(bench);
    bench.add(worker, {.capacity = 1});
    for (const std::string path : {"/0", "/3-first", "/3-second", "/7"}) {
        REQUIRE(worker.log().await("END " + path));
        worker.act(path, [](FakeWorker::Request request) { request.reply("200", true); });
    }
    for (Call& call : calls)
        CHECK(call.outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: who waits for one service does not hold up another") {
    PoolBench bench;
    auto head = get_request("/");
    head.service = "absent";
    Call waiting(*bench.pool, std::move(head));
    FakeWorker worker(answering("x"));
    bench.add(worker);
    CHECK(bench.get("/").outcome() == "200 x");
    CHECK(waiting.queued());
    FakeWorker absent(answering("here"));
    bench.add(absent, {.service = "absent"});
    CHECK(waiting.outcome() == "200 here");
    bench.rest();
}

TEST_CASE("pool: the queue has an end") {
    PoolBench bench(with(&PoolOptions::queue_length, 2));
    auto first = bench.get("/1");
    auto second = bench.get("/2");
    auto third = bench.get("/3");
    CHECK(third.outcome() == "queue_full");
    CHECK(first.queued());
    CHECK(second.queued());
    FakeWorker worker(answering("x"));
    bench.add(worker);
    CHECK(first.outcome() == "200 x");
    CHECK(second.outcome() == "200 x");
    CHECK(bench.get("/4").outcome() == "200 x");
    bench.rest();
}

TEST_CASE("pool: a queue is full of those who wait, not of those who come at the same moment") {
    for (const std::size_t length : {0U, 1U}) {
        PoolBench bench(with(&PoolOptions::queue_length, length));
        FakeWorker worker(answering("x"));
        bench.add(worker, {.capacity = 1000});
        for (int round = 0; round < 20; ++round) {
            std::vector<Call> calls;
            for (int i = 0; i < 20; ++i)
                calls.push_back(bench.get("/"));
            for (auto& call : calls)
                CHECK(call.outcome() == "200 x");
        }
        bench.rest();
    }
}

TEST_CASE("pool: without a queue a request is answered at once") {
    PoolBench bench(with(&PoolOptions::queue_length, 0));
    CHECK(bench.get("/1").outcome() == "queue_full");
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 1});
    auto call = bench.get("/2");
    REQUIRE(worker.log().await("END /2"));
    CHECK(bench.get("/3").outcome() == "queue_full");
    worker.act("/2", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(call.outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: a request that is given up in the queue reaches no worker") {
    PoolBench bench;
    auto abandoned = bench.get("/abandoned");
    auto kept = bench.get("/kept");
    settle(bench);
    SECTION("and told to the pool") {
        abandoned.cancel();
    }
    SECTION("or not") {
        CHECK(abandoned.exchange().abandon());
        CHECK_FALSE(abandoned.exchange().abandon());
    }
    FakeWorker worker(answering("x"));
    bench.add(worker);
    CHECK(kept.outcome() == "200 x");
    CHECK(worker.log().count("/abandoned") == 0);
    bench.rest();
}

TEST_CASE("pool: nobody counts as waiting once the last one gave up") {
    PoolBench bench;
    auto call = bench.get("/");
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    call.cancel();
    CHECK(eventually([&] { return !bench.table->anyone_waiting(); }));
    bench.rest();
}

TEST_CASE("pool: a request that a worker has cannot be abandoned, but cancelled") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 1});
    auto call = bench.get("/a");
    REQUIRE(worker.log().await("END /a"));
    CHECK_FALSE(call.exchange().abandon());
    auto next = bench.get("/b");
    call.cancel();
    CHECK(worker.log().await("RST /a CANCEL"));
    REQUIRE(worker.log().await("END /b"));  // the slot is free again
    worker.act("/b", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(next.outcome() == "200 ");
    CHECK(call.exchange().inbox.empty());
    bench.rest();
}

TEST_CASE("pool: cancelling in the middle of the response, and after it") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto call = bench.get("/a");
    REQUIRE(worker.log().await("END /a"));
    worker.act("/a", [](FakeWorker::Request request) {
        request.reply("200");
        request.send("half", false);
    });
    REQUIRE(call.await_body(4));
    call.cancel();
    CHECK(worker.log().await("RST /a CANCEL"));
    call.cancel();

    auto other = bench.get("/b");
    REQUIRE(worker.log().await("END /b"));
    worker.act("/b", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(other.outcome() == "200 ");
    other.cancel();
    settle(bench);
    CHECK(worker.log().count("RST") == 1);
    bench.rest();
}

TEST_CASE("pool: random cancelling leaves nothing behind") {
    PoolBench bench;
    FakeWorker worker(answering(std::string(10000, 'x')));
    bench.add(worker, {.capacity = 3});
    for (int round = 0; round < 30; ++round) {
        std::vector<Call> calls;
        for (int i = 0; i < 10; ++i)
            calls.push_back(bench.get("/"));
        for (std::size_t i = 0; i < calls.size(); ++i) {
            if (i % 3 == static_cast<std::size_t>(round) % 3)
                calls[i].cancel();
            else
                CHECK(calls[i].outcome() == "200 " + std::string(10000, 'x'));
        }
    }
    bench.rest();
}

TEST_CASE("pool: stopping tells everybody") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker, {.capacity = 2});
    auto running = bench.get("/running");
    REQUIRE(worker.log().await("END /running"));
    auto begun = bench.post("/begun", "x");
    REQUIRE(worker.log().await("END /begun"));
    worker.act("/begun", [](FakeWorker::Request request) { request.reply("200"); });
    REQUIRE(begun.await_head());
    auto waiting = bench.get("/waiting");
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    CHECK(bench.pool->stop(10s));
    CHECK(running.outcome() == "shutting_down");
    CHECK(begun.outcome() == "200 then shutting_down");
    CHECK(waiting.outcome() == "shutting_down");
    bench.rest();
}

TEST_CASE("pool: after the end every request is told so") {
    PoolBench bench;
    FakeWorker worker(answering("x"));
    bench.add(worker);
    CHECK(bench.get("/a").outcome() == "200 x");
    CHECK(bench.pool->stop(10s));
    auto late = bench.get("/late");
    CHECK(late.outcome() == "shutting_down");
    late.cancel();
    bench.rest();
}

TEST_CASE("pool: stopping while requests come from everywhere") {
    for (int round = 0; round < 10; ++round) {
        PoolBench bench;
        FakeWorker worker(answering("x"));
        bench.add(worker);
        std::vector<std::thread> clients;
        std::atomic<int> odd{0};
        for (int i = 0; i < 3; ++i)
            clients.emplace_back([&] {
                while (true) {
                    auto call = bench.get("/");
                    const auto outcome = call.outcome();
                    if (outcome == "200 x")
                        continue;
                    if (outcome != "shutting_down")
                        ++odd;
                    return;
                }
            });
        REQUIRE(worker.log().await("SYN", 20));
        CHECK(bench.pool->stop(10s));
        for (auto& client : clients)
            client.join();
        CHECK(odd == 0);
        bench.rest();
    }
}

TEST_CASE("pool: so many requests of one service may wait, over all children, and no more") {
    PoolOptions options;
    options.service_queue_length = 3;
    PoolBench bench(options);
    options.child = 1;
    auto other = bench.make_pool(options);
    REQUIRE(bench.table->join(1) == 0U);
    REQUIRE(bench.table->join(2) == 1U);
    const auto ask = [](DealerPool& pool, const std::string& service) {
        auto head = get_request("/");
        head.service = service;
        return Call(pool, std::move(head));
    };
    const auto waits = [&](std::uint32_t child, std::uint32_t queued) {
        return eventually([&] { return bench.table->child(child)->activity.queued == queued; });
    };
    auto first = ask(*bench.pool, "few");
    REQUIRE(waits(0, 1));
    auto second = ask(*other, "few");
    REQUIRE(waits(1, 1));
    auto third = ask(*bench.pool, "few");
    REQUIRE(waits(0, 2));
    CHECK(ask(*bench.pool, "few").outcome() == "service_queue_full");
    CHECK(ask(*other, "few").outcome() == "service_queue_full");

    // Others have queues of their own.
    auto elsewhere = ask(*bench.pool, "many");
    auto nowhere = ask(*other, "");
    REQUIRE(waits(0, 3));
    REQUIRE(waits(1, 2));

    // Whoever leaves makes room, in whichever child, and in whichever way.
    third.cancel();
    REQUIRE(waits(0, 2));
    auto fourth = ask(*other, "few");
    REQUIRE(waits(1, 3));
    CHECK(ask(*bench.pool, "few").outcome() == "service_queue_full");
    FakeWorker worker(answering("done"));
    const auto slot = bench.add(worker, {.service = "few"});
    for (auto* const call : {&first, &second, &fourth})
        CHECK(call->outcome() == "200 done");
    bench.remove(slot);
    REQUIRE(waits(0, 1));
    REQUIRE(waits(1, 1));

    // As when a child is killed.
    std::vector<Call> calls;
    for (std::uint32_t i = 0; i < 3; ++i) {
        calls.push_back(ask(*other, "few"));
        REQUIRE(waits(1, i + 2));
    }
    CHECK(ask(*bench.pool, "few").outcome() == "service_queue_full");
    CHECK(bench.table->leave(1) == 0);
    auto last = ask(*bench.pool, "few");
    CHECK(waits(0, 2));
    for (auto* const call : {&elsewhere, &nowhere, &last})
        call->cancel();
    for (auto& call : calls)
        call.cancel();
    bench.rest();
}

TEST_CASE("pool: a burst for a free worker is not taken for a queue") {
    PoolOptions options;
    options.service_queue_length = 1;
    PoolBench bench(options);
    auto head = get_request("/stuck");
    head.service = "nobody";
    Call stuck(*bench.pool, std::move(head));
    REQUIRE(eventually([&] { return bench.table->anyone_waiting(); }));
    FakeWorker worker(answering("done"));
    bench.add(worker, {.capacity = 100});
    std::vector<Call> calls;
    for (int i = 0; i < 50; ++i)
        calls.push_back(bench.get("/"));
    for (auto& call : calls)
        CHECK(call.outcome() == "200 done");
    stuck.cancel();
    bench.rest();
}

TEST_CASE("pool: children that fill a service's queue at the same moment let in no more than may wait") {
    PoolOptions options;
    options.service_queue_length = 8;
    PoolBench bench(options);
    options.child = 1;
    auto other = bench.make_pool(options);
    for (int round = 0; round < 30; ++round) {
        std::vector<Call> here;
        std::vector<Call> there;
        const auto crowd = [](DealerPool& pool, std::vector<Call>& calls) {
            for (int i = 0; i < 10; ++i)
                calls.emplace_back(pool, get_request("/"));
        };
        std::thread meanwhile([&] { crowd(*other, there); });
        crowd(*bench.pool, here);
        meanwhile.join();
        const auto refused = [](const std::vector<Call>& calls) {
            return std::count_if(calls.begin(), calls.end(),
                                 [](const Call& call) { return !call.exchange().inbox.empty(); });
        };
        CHECK(eventually([&] { return refused(here) + refused(there) >= 12; }));
        for (auto* const calls : {&here, &there})
            for (Call& call : *calls)
                call.cancel();
        CHECK(eventually([&] { return bench.table->waiting_beside(2, "") == 0; }));
    }
    bench.rest();
}
