// Workers that break the protocol lose their own requests, and nobody else's.
#include <functional>

#include "catch.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

namespace {

std::string bytes_of(spdy::Session& session) {
    const auto output = session.take_output();
    return std::string(text(output));
}

/// A DATA frame, whatever the state of its stream.
std::string data_frame(spdy::StreamId stream, std::string_view payload, bool fin) {
    std::string frame;
    for (int shift = 24; shift >= 0; shift -= 8)
        frame += static_cast<char>(stream >> shift & 0xffU);
    frame += static_cast<char>(fin ? 1 : 0);
    for (int shift = 16; shift >= 0; shift -= 8)
        frame += static_cast<char>(payload.size() >> shift & 0xffU);
    return frame + std::string(payload);
}

/// What the worker does to the session of an open request.
using Crime = std::function<void(FakeWorker::Request)>;

/// Runs `crime` while a well-behaved worker has a request under way, and more come and go.
void commit(const Crime& crime, const std::string& expected, const std::string& logged) {
    PoolBench bench;
    FakeWorker criminal(holding());
    FakeWorker honest(holding());
    bench.add(criminal, {.name = "criminal"});
    bench.table->touch(bench.add(honest, {.name = "honest"}));
    auto victim = bench.get("/victim");
    REQUIRE(criminal.log().await("END /victim"));
    auto bystander = bench.get("/bystander");
    REQUIRE(honest.log().await("END /bystander"));
    honest.act("/bystander", [](FakeWorker::Request request) {
        request.reply("200");
        request.send("half, ", false);
    });
    REQUIRE(bystander.await_body(6));

    criminal.act("/victim", crime);
    CHECK(victim.outcome() == expected);
    if (!logged.empty()) {
        INFO(bench.log.text());
        CHECK(bench.log.await("lost worker 'criminal': " + logged));
    }
    CHECK(bench.log.count("lost worker 'honest'") == 0);
    honest.act("/bystander", [](FakeWorker::Request request) { request.send("other half", true); });
    CHECK(bystander.outcome() == "200 half, other half");
    bench.rest();
}

}  // namespace

TEST_CASE("pool: a message of two parts") {
    commit(
        [](FakeWorker::Request request) {
            request.worker.send_raw(request.peer, {"", "x"});
        },
        "protocol", "it sent a message of 2 parts instead of one");
}

TEST_CASE("pool: a message of many parts") {
    commit(
        [](FakeWorker::Request request) {
            request.worker.send_raw(request.peer, std::vector<std::string>(50, "x"));
        },
        "protocol", "it sent a message of 50 parts instead of one");
}

TEST_CASE("pool: a frame split over two messages") {
    commit(
        [](FakeWorker::Request request) {
            request.reply("200");
            const auto frame = bytes_of(request.peer.session);
            request.worker.send_raw(request.peer, {frame.substr(0, frame.size() / 2)});
            request.worker.send_raw(request.peer, {frame.substr(frame.size() / 2)});
        },
        "protocol", "it split a frame over two messages");
}

TEST_CASE("pool: garbage") {
    commit(
        [](FakeWorker::Request request) {
            request.worker.send_raw(request.peer, {"\x80 HTTP/1.1 200 OK\r\n\r\nthis is no SPDY at all"});
        },
        "protocol", "it broke SPDY: ");
}

TEST_CASE("pool: an endless stream of garbage") {
    commit(
        [](FakeWorker::Request request) {
            for (int i = 0; i < 100; ++i)
                request.worker.send_raw(request.peer, {std::string(5000, '\xff')});
        },
        "protocol", "it broke SPDY: ");
}

TEST_CASE("pool: a stream opened by a worker") {
    commit(
        [](FakeWorker::Request request) {
            // SYN_STREAM with a block that is no zlib stream.
            request.worker.send_raw(request.peer,
                                    {std::string("\x80\x03\x00\x01\x00\x00\x00\x0c"
                                                 "\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\xff\xff",
                                                 20)});
        },
        "protocol", "it broke SPDY: ");
}

TEST_CASE("pool: more than the windows allow") {
    commit(
        [](FakeWorker::Request request) {
            request.reply("200");
            request.worker.send_raw(request.peer,
                                    {data_frame(request.stream, std::string(300 * 1024, 'x'), false)});
        },
        "200 then protocol", "");
}

TEST_CASE("pool: DATA before the reply costs its stream alone") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto victim = bench.get("/victim");
    REQUIRE(worker.log().await("END /victim"));
    auto neighbour = bench.get("/neighbour");
    REQUIRE(worker.log().await("END /neighbour"));
    worker.act("/victim", [](FakeWorker::Request request) {
        request.worker.send_raw(request.peer, {data_frame(request.stream, "too early", true)});
    });
    CHECK(victim.outcome() == "protocol");
    CHECK(worker.log().await("RST /victim PROTOCOL_ERROR"));
    worker.act("/neighbour", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(neighbour.outcome() == "200 ");
    CHECK(bench.log.count("lost") == 0);
    bench.rest();
}

TEST_CASE("pool: a response that ends before its head costs its stream alone") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto victim = bench.get("/victim");
    REQUIRE(worker.log().await("END /victim"));
    worker.act("/victim", [](FakeWorker::Request request) {
        // HEADERS without FIN, made whole by a flag that no session would set.
        request.peer.session.headers(request.stream, headers({{":status", "103"}}), false);
        auto frame = bytes_of(request.peer.session);
        frame[4] = 1;
        request.worker.send_raw(request.peer, {frame});
    });
    CHECK(victim.outcome() == "protocol");
    auto next = bench.get("/next");
    REQUIRE(worker.log().await("END /next"));
    worker.act("/next", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(next.outcome() == "200 ");
    CHECK(bench.log.count("lost") == 0);
    bench.rest();
}

TEST_CASE("pool: a broken session is replaced by a new one") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto victim = bench.get("/victim");
    REQUIRE(worker.log().await("END /victim"));
    worker.act("/victim", [](FakeWorker::Request request) {
        request.worker.send_raw(request.peer, {"a", "b"});
    });
    CHECK(victim.outcome() == "protocol");
    // After a moment in which the worker is left alone.
    auto next = bench.get("/next");
    REQUIRE(worker.log().await("END /next"));
    CHECK(worker.log().count("PEER") == 2);
    worker.run([] {});
    worker.act("/next", [](FakeWorker::Request request) { request.reply("200", true); });
    CHECK(next.outcome() == "200 ");
    bench.rest();
}
