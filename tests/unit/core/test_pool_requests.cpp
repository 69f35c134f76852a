// Requests that go well.
#include "catch.hpp"
#include "headers.hpp"
#include "pool_bench.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;

namespace {

std::string pattern(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + i * 31 % 26 + i / 4099 % 3);
    return text;
}

}  // namespace

TEST_CASE("pool: a request and its response") {
    PoolBench bench;
    FakeWorker worker(answering("hello"));
    bench.add(worker, {.name = "blue"});
    auto call = bench.get("/a");
    CHECK(call.outcome() == "200 hello");
    CHECK(call.exchange().worker_name() == "blue");
    CHECK(worker.log().count("SYN /a") == 1);
    bench.rest();
}

TEST_CASE("pool: one connection carries many requests") {
    PoolBench bench;
    FakeWorker worker(answering("hello"));
    bench.add(worker, {.capacity = 200});
    std::vector<Call> calls;
    for (int i = 0; i < 100; ++i)
        calls.push_back(bench.get("/" + std::to_string(i)));
    for (auto& call : calls)
        CHECK(call.outcome() == "200 hello");
    CHECK(worker.log().count("PEER") == 1);
    CHECK(worker.log().count("SYN") == 100);
    CHECK(worker.log().count("FAULT") == 0);
    bench.rest();
}

TEST_CASE("pool: a response without a body") {
    PoolBench bench;
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) { request.reply("204", true); };
    FakeWorker worker(script);
    bench.add(worker);
    CHECK(bench.get("/").outcome() == "204 ");
    bench.rest();
}

TEST_CASE("pool: a request body comes back") {
    PoolBench bench;
    FakeWorker worker(echoing());
    bench.add(worker);
    CHECK(bench.post("/echo", "some body").outcome() == "200 some body");
    CHECK(bench.post("/echo", "").outcome() == "200 ");
    bench.rest();
}

TEST_CASE("pool: a response is handed on as it comes") {
    PoolBench bench;
    FakeWorker worker(holding());
    bench.add(worker);
    auto call = bench.get("/stream");
    REQUIRE(worker.log().await("END /stream"));
    worker.act("/stream", [](FakeWorker::Request request) { request.reply("200"); });
    REQUIRE(call.await_head());
    CHECK(call.body.empty());
    for (const auto* piece : {"one ", "two ", "three "}) {
        const auto before = call.body.size();
        worker.act("/stream", [&](FakeWorker::Request request) { request.send(piece, false); });
        REQUIRE(call.await_body(before + std::strlen(piece)));
        CHECK_FALSE(call.complete);
    }
    worker.act("/stream", [](FakeWorker::Request request) { request.send("", true); });
    CHECK(call.outcome() == "200 one two three ");
    bench.rest();
}

TEST_CASE("pool: interim responses and trailers") {
    PoolBench bench;
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) {
        request.peer.session.headers(request.stream, headers({{":status", "103"}}), false);
        request.peer.session.headers(request.stream, headers({{":status", "103"}}), false);
        request.reply("200");
        request.send("body", false);
        request.peer.session.headers(request.stream, headers({{"checksum", "42"}}), true);
    };
    FakeWorker worker(script);
    bench.add(worker);
    auto call = bench.get("/");
    CHECK(call.outcome() == "200 body");
    CHECK(call.interim == std::vector<std::string>{"103", "103"});
    CHECK(call.trailer == "42");
    bench.rest();
}

TEST_CASE("pool: trailers of a request follow its body, also to the next worker") {
    PoolBench bench(with(&PoolOptions::window, 32 * 1024));
    auto script = echoing();
    script.window = 20000;
    FakeWorker worker(script);
    FakeWorker dying(failing());
    bench.add(dying);
    Call call(*bench.pool, put_request("/echo"));
    REQUIRE(dying.log().await("SYN"));
    bench.add(worker);
    const auto body = pattern(30'000);
    call.send(body, true, headers({{"checksum", "42"}}));
    REQUIRE(call.await_end());
    CHECK((call.body == body));
    CHECK(worker.log().count("TRAILER /echo checksum=42") == 1);
    bench.rest();
}

TEST_CASE("pool: bodies that are larger than every window") {
    PoolBench bench(with(&PoolOptions::window, 32 * 1024));
    auto script = echoing();
    script.window = 20000;
    script.session_window = 70000;
    FakeWorker worker(script);
    bench.add(worker);
    const auto body = pattern(3'000'000);
    auto call = bench.post("/echo", body);
    REQUIRE(call.await_end());
    CHECK(call.failure == Failure::none);
    CHECK((call.body == body));
    CHECK(worker.log().count("FAULT") == 0);
    bench.rest();
}

TEST_CASE("pool: windows that are larger than a message may be") {
    PoolBench bench(with(&PoolOptions::window, 16 * 1024 * 1024));
    auto script = answering("thanks");
    script.window = 16 * 1024 * 1024;
    script.session_window = 64 * 1024 * 1024;
    FakeWorker worker(script);
    bench.add(worker);
    Call call(*bench.pool, post_request("/upload"));
    // All of it at once, and before the worker has told its windows.
    CHECK(call.send(pattern(12 * 1024 * 1024), true));
    CHECK(call.outcome() == "200 thanks");
    bench.rest();
}

TEST_CASE("pool: many large headers at once are not one large message") {
    PoolBench bench;
    std::vector<Call> calls;
    const std::string cookie(60000, 'c');
    for (int i = 0; i < 200; ++i) {
        auto head = get_request("/" + std::to_string(i));
        head.headers.add("cookie", cookie);
        calls.emplace_back(*bench.pool, std::move(head));
    }
    FakeWorker worker(answering("hello"));
    bench.add(worker, {.capacity = 1000});
    std::size_t answered = 0;
    for (auto& call : calls)
        answered += call.outcome() == "200 hello" ? 1 : 0;
    CHECK(answered == calls.size());
    CHECK(worker.log().count("FAULT") == 0);
    bench.rest();
}

TEST_CASE("pool: a worker that does not read its uploads holds them back") {
    PoolBench bench(with(&PoolOptions::window, 32 * 1024));
    auto script = answering("x");
    script.consumes = false;
    script.window = 40000;
    FakeWorker worker(script);
    bench.add(worker);
    REQUIRE(bench.get("/warm").outcome() == "200 x");  // the worker's windows are known from here on
    Call call(*bench.pool, post_request("/upload"));
    REQUIRE(call.send(pattern(40000), false));
    REQUIRE(eventually([&] { return call.exchange().body_backlog == 0; }));
    REQUIRE(call.send(pattern(32 * 1024), false));
    REQUIRE(bench.get("/warm").outcome() == "200 x");
    CHECK(call.exchange().body_backlog == 32 * 1024);
    worker.act("/upload", [](FakeWorker::Request request) {
        CHECK(request.body().size() == 40000);
        request.peer.session.consume(request.stream, 40000);
    });
    CHECK(eventually([&] { return call.exchange().body_backlog == 0; }));
    call.cancel();
    CHECK(worker.log().await("RST /upload CANCEL"));
    bench.rest();
}

TEST_CASE("pool: a client that does not read holds only its own response back") {
    PoolBench bench(with(&PoolOptions::window, 16 * 1024));
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) {
        request.reply("200");
        request.send(pattern(request.path() == "/slow" ? 100'000 : 5'000), true);
    };
    FakeWorker worker(script);
    bench.add(worker);
    auto slow = bench.get("/slow");
    slow.stop_reading();
    REQUIRE(slow.await_body(16 * 1024));
    for (int i = 0; i < 20; ++i)
        CHECK(bench.get("/quick").outcome() == "200 " + pattern(5'000));
    CHECK(slow.body.size() == 16 * 1024);
    slow.cancel();
    CHECK(worker.log().await("RST /slow CANCEL"));
    bench.rest();
}

TEST_CASE("pool: an answer before the end of the request") {
    PoolBench bench;
    FakeWorker::Script script;
    script.opened = [](FakeWorker::Request request) {
        request.reply("413");
        request.send("too large", true);
    };
    FakeWorker worker(script);
    bench.add(worker);
    Call call(*bench.pool, post_request("/upload"));
    CHECK(call.outcome() == "413 too large");
    CHECK(worker.log().await("RST /upload CANCEL"));
    CHECK_FALSE(call.send("the rest", true));
    CHECK(bench.post("/again", "x").outcome() == "413 too large");
    bench.rest();
}

TEST_CASE("pool: idle workers take turns") {
    PoolBench bench;
    FakeWorker a(answering("a"));
    FakeWorker b(answering("b"));
    bench.add(a);
    bench.add(b);
    std::string order;
    for (int i = 0; i < 10; ++i) {
        auto call = bench.get("/");
        REQUIRE(call.await_end());
        order += call.body;
        bench.rest();
    }
    CHECK((order == "ababababab" || order == "bababababa"));
}

TEST_CASE("pool: a request goes to a worker of its service") {
    PoolBench bench;
    FakeWorker plain(answering("plain"));
    FakeWorker api(answering("api"));
    bench.add(plain);
    bench.add(api, {.service = "api"});
    for (int i = 0; i < 5; ++i) {
        auto head = get_request("/");
        head.service = "api";
        CHECK(Call(*bench.pool, std::move(head)).outcome() == "200 api");
        CHECK(bench.get("/").outcome() == "200 plain");
    }
    bench.rest();
}
