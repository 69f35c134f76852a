// GOAWAY: workers that drain, and workers that break off.
#include "catch.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

namespace {

/// A GOAWAY with a last-good stream of our choice, which no Session would send.
std::string go_away(spdy::StreamId last_good, spdy::GoAwayCode code) {
    std::string frame("\x80\x03\x00\x07\x00\x00\x00\x08", 8);
    for (const auto number : {last_good, static_cast<std::uint32_t>(code)})
        for (int shift = 24; shift >= 0; shift -= 8)
            frame += static_cast<char>(number >> shift & 0xffU);
    return frame;
}

void say_goodbye(FakeWorker& worker, spdy::StreamId last_good, spdy::GoAwayCode code) {
    worker.each_peer(
        [&](const FakeWorker::Peer& peer) { worker.send_raw(peer, {go_away(last_good, code)}); });
}

}  // namespace

TEST_CASE("pool: a draining worker finishes what it has and gets nothing new") {
    PoolBench bench;
    FakeWorker draining(holding());
    FakeWorker other(answering("other"));
    bench.add(draining);
    bench.table->touch(bench.add(other));
    auto before = bench.get("/before");
    REQUIRE(draining.log().await("END /before"));
    draining.each_peer([](FakeWorker::Peer& peer) { peer.session.go_away(spdy::GoAwayCode::ok); });
    draining.act("/before", [](FakeWorker::Request request) { request.reply("200"); });
    REQUIRE(before.await_head());  // the GOAWAY has come as well
    for (int i = 0; i < 6; ++i)
        CHECK(bench.get("/after").outcome() == "200 other");
    draining.act("/before", [](FakeWorker::Request request) { request.send("finished", true); });
    CHECK(before.outcome() == "200 finished");
    CHECK(bench.get("/after").outcome() == "200 other");
    CHECK(draining.log().count("SYN") == 1);
    CHECK(draining.log().count("PEER") == 1);
    bench.rest();
}

TEST_CASE("pool: what a draining worker did not take goes to another") {
    PoolBench bench;
    FakeWorker draining(holding());
    FakeWorker other(echoing());
    bench.add(draining);
    auto taken = bench.post("/taken", "x");
    REQUIRE(draining.log().await("END /taken"));
    auto late = bench.post("/late", "late body");
    REQUIRE(draining.log().await("END /late"));
    bench.add(other);
    say_goodbye(draining, 1, spdy::GoAwayCode::ok);
    CHECK(late.outcome() == "200 late body");
    draining.act("/taken", [](FakeWorker::Request request) { request.reply("201", true); });
    CHECK(taken.outcome() == "201 ");
    bench.rest();
}

TEST_CASE("pool: what a draining worker cancels in the end has lost it") {
    PoolBench bench;
    FakeWorker draining(holding());
    FakeWorker other(answering("other"));
    bench.add(draining);
    auto repeatable = bench.get("/get");
    REQUIRE(draining.log().await("END /get"));
    auto single = bench.post("/post", "x");
    REQUIRE(draining.log().await("END /post"));
    bench.add(other);
    draining.each_peer([](FakeWorker::Peer& peer) { peer.session.go_away(spdy::GoAwayCode::ok); });
    for (const char* const path : {"/get", "/post"})
        draining.act(path, [](FakeWorker::Request request) { request.reset(spdy::ResetCode::cancel); });
    CHECK(repeatable.outcome() == "200 other");
    CHECK(single.outcome() == "worker_lost");
    bench.rest();
}

TEST_CASE("pool: a worker that says goodbye with an error is lost") {
    PoolBench bench;
    FakeWorker broken(holding());
    FakeWorker other(answering("other"));
    bench.add(broken, {.name = "broken"});
    auto repeatable = bench.get("/get");
    REQUIRE(broken.log().await("END /get"));
    auto single = bench.post("/post", "x");
    REQUIRE(broken.log().await("END /post"));
    auto unprocessed = bench.post("/unprocessed", "y");
    REQUIRE(broken.log().await("END /unprocessed"));
    bench.add(other);
    say_goodbye(broken, 3, spdy::GoAwayCode::internal_error);
    CHECK(repeatable.outcome() == "200 other");
    CHECK(single.outcome() == "worker_lost");
    // Above the last stream that the worker took: safe to repeat.
    CHECK(unprocessed.outcome() == "200 other");
    CHECK(bench.log.await("lost worker 'broken': it said goodbye with INTERNAL_ERROR"));
    bench.rest();
}

TEST_CASE("pool: a worker that is marked as draining gets nothing new") {
    PoolBench bench;
    FakeWorker draining(holding());
    FakeWorker other(answering("other"));
    const auto slot = bench.add(draining);
    bench.table->touch(bench.add(other));
    auto before = bench.get("/before");
    REQUIRE(draining.log().await("END /before"));
    auto record = bench.table->read(slot);
    record.draining = 1;
    bench.table->write(slot, record);
    bench.table_changed();
    for (int i = 0; i < 3; ++i)
        CHECK(bench.get("/after").outcome() == "200 other");
    draining.act("/before", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(before.outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: a worker that left the table finishes what it has") {
    PoolBench bench;
    FakeWorker leaving(holding());
    FakeWorker other(answering("other"));
    const auto slot = bench.add(leaving);
    bench.table->touch(bench.add(other));
    auto before = bench.get("/before");
    REQUIRE(leaving.log().await("END /before"));
    bench.remove(slot);
    CHECK(bench.get("/after").outcome() == "200 other");
    // Its slot is not given to another worker while it is counted there.
    CHECK(bench.table->in_flight(slot) == 1);
    CHECK(find_free(*bench.table) != slot);
    leaving.act("/before", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(before.outcome() == "200 ");
    bench.rest();
    CHECK(find_free(*bench.table) == slot);
}
