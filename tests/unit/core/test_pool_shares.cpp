// What a response that nobody reads yet holds in memory.
#include <set>

#include "catch.hpp"
#include "eventually.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"
#include "transport/message.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

namespace {

/// What waits in an exchange's inbox, as a request thread that is busy with its client has it.
struct Waiting {
    std::string body;
    std::size_t events = 0;
    std::size_t shared = 0;  ///< bytes of whole messages, each counted once
    bool complete = false;
};

Waiting waiting(Exchange& exchange) {
    Waiting all;
    std::set<const zmq::message_t*> messages;
    for (auto event = exchange.inbox.take_all(); event; event = std::move(event->next)) {
        ++all.events;
        all.body += text(event->payload);
        all.complete = event->fin;
        if (event->message && messages.insert(event->message.get()).second)
            all.shared += event->message->size();
    }
    return all;
}

}  // namespace

TEST_CASE("pool: a client that stalls holds what is for it, not the messages of its neighbours") {
    constexpr std::size_t kEvents = 20;
    constexpr std::size_t kNeighbour = 10'000;
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto stalled = bench.get("/stalled");
    auto neighbour = bench.get("/neighbour");
    REQUIRE(worker.log().await("END /stalled"));
    REQUIRE(worker.log().await("END /neighbour"));
    worker.act("/stalled", [](FakeWorker::Request request) { request.reply("200"); });
    REQUIRE(stalled.await_head());
    spdy::StreamId other = 0;
    worker.act("/neighbour", [&](FakeWorker::Request request) {
        other = request.stream;
        request.reply("200");
    });
    for (std::size_t i = 0; i < kEvents; ++i)
        worker.act("/stalled", [&](FakeWorker::Request request) {
            FakeWorker::Request{request.worker, request.peer, other}.send(std::string(kNeighbour, 'n'),
                                                                          false);
            request.send("event\n", i + 1 == kEvents);
        });
    REQUIRE(neighbour.await_body(kEvents * kNeighbour));
    CHECK(neighbour.body == std::string(kEvents * kNeighbour, 'n'));
    const auto held = waiting(stalled.exchange());
    CHECK(held.body.size() == kEvents * 6);
    CHECK(held.complete);
    CHECK(held.shared == 0);
    CHECK(held.events == 1);
    neighbour.cancel();
    bench.rest();
}

TEST_CASE("pool: large pieces are shared, and small ones stay in their order") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto call = bench.get("/");
    REQUIRE(worker.log().await("END /"));
    worker.act("/", [](FakeWorker::Request request) { request.reply("200"); });
    REQUIRE(call.await_head());
    std::string expected;
    for (int i = 0; i < 30; ++i) {
        const std::string piece(i % 10 == 0 ? 8'000 : 1 + static_cast<std::size_t>(i),
                                static_cast<char>('a' + i % 26));
        expected += piece;
        worker.act("/", [&](FakeWorker::Request request) { request.send(piece, i == 29); });
    }
    REQUIRE(worker.log().count("RST") == 0);
    REQUIRE(eventually([&] { return bench.in_flight() == 0; }));
    const auto held = waiting(call.exchange());
    CHECK(held.body == expected);
    CHECK(held.complete);
    CHECK(held.shared >= 24'000);
    CHECK(held.shared < 2 * expected.size());
    CHECK(held.events == 6);
    bench.rest();
}

TEST_CASE("a share of a message is worth its whole when that is not many times as large") {
    using transport::worth_sharing;
    CHECK(worth_sharing(4096, 4096));
    CHECK(worth_sharing(4096, 4 * 4096));
    CHECK_FALSE(worth_sharing(4096, 5 * 4096));
    CHECK_FALSE(worth_sharing(4095, 4095));
    CHECK(worth_sharing(64 * 1024, 256 * 1024));
    CHECK_FALSE(worth_sharing(0, 0));
}
