// Requests and responses over real sockets, direct and relayed.
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "fake_router.hpp"

using namespace test;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

void greet(Worker& worker) {
    worker.get("/hello/:name",
               [](Request& request) { return Response::text("Hello, " + request.param("name") + "\n"); });
    worker.get(
        "/inline", [](Request&) { return Response::text("at once\n"); }, Run::on_io_thread);
    worker.post("/length",
                [](Request& request) { return Response::text(std::to_string(request.text().size())); });
    worker.get("/throws", [](Request&) -> Response { throw std::runtime_error("on purpose"); });
    worker.get(
        "/inline-throws", [](Request&) -> Response { throw 42; }, Run::on_io_thread);
}

std::string endpoint_of(Registry& registry, const std::string& id) {
    return to_string(registry.link(id).announcement->endpoint.value());
}

}  // namespace

TEST_CASE("a request is answered, over a connection of its own and through the registry") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.relay = GENERATE(false, true);
    RunningWorker worker{options, greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const std::string link = registry.announced().front();
    REQUIRE(registry.link(link).announcement->name == "test");
    REQUIRE(registry.link(link).announcement->capacity == 8);
    REQUIRE(registry.link(link).announcement->endpoint.has_value() != options.relay);
    Child child =
        options.relay ? Child{registry, link, "child-1"} : Child{context, endpoint_of(registry, link)};
    const auto ask = [&](const Ask& what) -> Reply& {
        const auto stream = child.ask(what);
        REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
        return child.reply(stream);
    };

    SECTION("a whole answer comes in one message") {
        const auto& reply = ask({.path = "/hello/w%6frld"});
        CHECK(reply.status() == "200");
        CHECK(reply.body == "Hello, world\n");
        CHECK(reply.headers.at("content-length") == "13");
        CHECK(reply.headers.at("content-type") == "text/plain; charset=utf-8");
        CHECK(child.messages() <= 2);  // SETTINGS may come first
    }
    SECTION("a handler on the I/O thread") {
        CHECK(ask({.path = "/inline"}).body == "at once\n");
        CHECK(ask({.path = "/inline-throws"}).status() == "500");
        CHECK(ask({.path = "/inline", .body = std::string("unread")}).body == "at once\n");
    }
    SECTION("HEAD has the headers of GET, and no body") {
        const auto& reply = ask({.method = "HEAD", .path = "/hello/you"});
        CHECK(reply.status() == "200");
        CHECK(reply.body.empty());
        CHECK(reply.headers.at("content-length") == "11");
    }
    SECTION("errors") {
        CHECK(ask({.path = "/nowhere"}).status() == "404");
        const auto& refused =
            ask({.method = "POST", .path = "/hello/you", .body = std::string(100'000, 'x')});
        CHECK(refused.status() == "405");
        CHECK(refused.headers.at("allow") == "GET, HEAD");
        const auto& failed = ask({.path = "/throws"});
        CHECK(failed.status() == "500");
        CHECK(failed.body == "Internal Server Error\n");
        CHECK(ask({.path = "no-slash"}).status() == "400");
    }
    SECTION("a body that came along") {
        CHECK(ask({.method = "POST", .path = "/length", .body = std::string("12345")}).body == "5");
        CHECK(ask({.method = "POST", .path = "/length", .body = std::string(1'000'000, 'x')}).body ==
              "1000000");
        CHECK(ask({.method = "POST", .path = "/length", .body = std::string()}).body == "0");
    }
    SECTION("many at once") {
        std::vector<zmqspdy::spdy::StreamId> streams;
        for (int i = 0; i < 8; ++i)
            streams.push_back(child.ask({.path = i % 2 == 0 ? "/hello/you" : "/inline"}));
        REQUIRE(until({&registry, &child}, [&] {
            return std::all_of(streams.begin(), streams.end(),
                               [&](auto id) { return child.reply(id).ended(); });
        }));
        for (const auto id : streams)
            CHECK(child.reply(id).status() == "200");
    }
}

TEST_CASE("a request that lacks a pseudo header is answered 400") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child child{context, endpoint_of(registry, registry.announced().front())};
    zmqspdy::spdy::HeaderBlock headers;
    headers.add(":method", "GET");
    headers.add(":path", "/inline");
    headers.add(":version", "HTTP/1.1");
    headers.add(":scheme", "http");
    const auto stream = child.session().open(headers, 3, true);
    REQUIRE(until({&registry, &child}, [&] { return child.reply(*stream).ended(); }));
    CHECK(child.reply(*stream).status() == "400");
}

TEST_CASE("an answer may come later, from another thread") {
    zmq::context_t context;
    Registry registry{context};
    std::mutex mutex;
    std::vector<zmqspdy::Responder> waiting;
    const auto count = [&] {
        const std::lock_guard lock{mutex};
        return waiting.size();
    };
    RunningWorker worker{options_for({registry.endpoint()}), [&](Worker& w) {
                             const auto later = [&](Request&) {
                                 return Response::later([&](zmqspdy::Responder responder) {
                                     const std::lock_guard lock{mutex};
                                     waiting.push_back(std::move(responder));
                                 });
                             };
                             w.get("/later", later, GENERATE(Run::on_thread_pool, Run::on_io_thread));
                             w.get("/fails", [](Request&) {
                                 return Response::later([](const auto&) { throw std::runtime_error("no"); });
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child child{context, endpoint_of(registry, registry.announced().front())};
    std::vector<zmqspdy::spdy::StreamId> streams;
    for (int i = 0; i < 3; ++i)
        streams.push_back(child.ask({.path = "/later"}));
    const auto fails = child.ask({.path = "/fails"});
    REQUIRE(until({&registry, &child}, [&] { return count() == 3 && child.reply(fails).ended(); }));
    CHECK(child.reply(fails).status() == "500");
    std::thread other{[&] {
        const std::lock_guard lock{mutex};
        waiting[0].send(Response::text("at last\n"));
        waiting[0].send(Response::text("too late\n"));
        waiting[1].send(
            Response::stream("text/plain", [](Writer& out) { (void)out.write("in a stream\n"); }));
        waiting.clear();  // the third is dropped
    }};
    other.join();
    std::vector<std::string> bodies;
    REQUIRE(until({&registry, &child}, [&] {
        return std::all_of(streams.begin(), streams.end(), [&](auto id) { return child.reply(id).ended(); });
    }));
    for (const auto id : streams)
        bodies.push_back(child.reply(id).body);
    std::sort(bodies.begin(), bodies.end());
    CHECK(bodies == std::vector<std::string>{"Internal Server Error\n", "at last\n", "in a stream\n"});
}

TEST_CASE("beyond the capacity of all sessions together a request is refused") {
    zmq::context_t context;
    Registry registry{context};
    std::atomic<bool> go{false};
    std::atomic<int> running{0};
    auto options = options_for({registry.endpoint()});
    options.capacity = 3;
    RunningWorker worker{options, [&](Worker& w) {
                             w.get("/wait", [&](Request& request) {
                                 ++running;
                                 while (!go && request.sleep_for(std::chrono::milliseconds(1))) {
                                 }
                                 return Response::text("done\n");
                             });
                         }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto endpoint = endpoint_of(registry, registry.announced().front());
    Child first{context, endpoint};
    Child second{context, endpoint};
    const auto a = first.ask({.path = "/wait"});
    const auto b = first.ask({.path = "/wait"});
    const auto c = second.ask({.path = "/wait"});
    REQUIRE(until({&registry, &first, &second}, [&] { return running == 3; }));
    const auto refused = second.ask({.path = "/wait"});
    REQUIRE(until({&registry, &first, &second}, [&] { return second.reply(refused).ended(); }));
    CHECK(second.reply(refused).reset == zmqspdy::spdy::ResetCode::refused_stream);
    go = true;
    REQUIRE(until({&registry, &first, &second}, [&] {
        return first.reply(a).ended() && first.reply(b).ended() && second.reply(c).ended();
    }));
    CHECK(second.reply(c).body == "done\n");
    const auto again = second.ask({.path = "/wait"});
    REQUIRE(until({&registry, &second}, [&] { return second.reply(again).ended(); }));
    CHECK(second.reply(again).body == "done\n");
}

TEST_CASE("two routers are served at once") {
    zmq::context_t context;
    Registry one{context, "tcp://127.0.0.1:*"};
    Registry two{context};
    RunningWorker worker{options_for({one.endpoint(), two.endpoint()}), greet};
    REQUIRE(until({&one, &two}, [&] { return one.announced().size() == 1 && two.announced().size() == 1; }));
    Child a{context, endpoint_of(one, one.announced().front())};
    Child b{context, endpoint_of(two, two.announced().front())};
    const auto from_a = a.ask({.path = "/hello/one"});
    const auto from_b = b.ask({.path = "/hello/two"});
    REQUIRE(until({&one, &two, &a, &b}, [&] { return a.reply(from_a).ended() && b.reply(from_b).ended(); }));
    CHECK(a.reply(from_a).body == "Hello, one\n");
    CHECK(b.reply(from_b).body == "Hello, two\n");
}
