// Interim responses, trailers, priorities, and the token that says that nobody waits any more.
#include <atomic>
#include <mutex>
#include <stop_token>
#include <vector>

#include "catch.hpp"
#include "setting.hpp"

using namespace test;
using zmqspdy::Request;
using zmqspdy::Responder;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

using Fields = std::map<std::string, std::string>;

TEST_CASE("early hints leave before the answer, as many as there are") {
    const bool relay = GENERATE(false, true);
    Setting setting{[](Worker& w) {
                        w.get("/", [](Request& request) {
                            request.early_hints({{"Link", "</a.css>"}, {"link", "</b.css>"}});
                            request.early_hints({});
                            return Response::text("body");
                        });
                    },
                    {},
                    relay};
    const Reply& reply = setting.ask({});
    CHECK(reply.status() == "200");
    CHECK(reply.body == "body");
    REQUIRE(reply.interim.size() == 2);
    CHECK(reply.interim.front().at(":status") == "103");
    CHECK(reply.interim.front().at("link") == std::string("</a.css>\0</b.css>", 17));
    CHECK(reply.trailers.empty());
}

TEST_CASE("early hints are checked like headers, and do nothing once the answer has begun") {
    Setting setting{[](Worker& w) {
        w.get("/bad", [](Request& request) {
            request.early_hints({{"link", "a\r\nb"}});
            return Response{};
        });
        w.get("/late", [](Request& request) {
            return Response::stream("text/plain", [&request](Writer& out) {
                request.early_hints({{"link", "</late.css>"}});
                (void)out.write("body");
            });
        });
    }};
    CHECK(setting.ask({.path = "/bad"}).status() == "500");
    const Reply& late = setting.ask({.path = "/late"});
    CHECK(late.body == "body");
    CHECK(late.interim.empty());
    CHECK(late.trailers.empty());
    Request by_hand{"GET", "/"};
    by_hand.early_hints({{"link", "</a.css>"}});
    CHECK_THROWS_AS(by_hand.early_hints({{"connection", "close"}}), std::invalid_argument);
}

TEST_CASE("trailers follow the body, whole, streamed or empty") {
    const bool relay = GENERATE(false, true);
    Setting setting{[](Worker& w) {
                        w.get("/whole/:size", [](Request& request) {
                            return Response::text(std::string(std::stoul(request.param("size")), 'x'))
                                .trailer("X-Sum", "42");
                        });
                        w.get("/stream", [](Request&) {
                            return Response::stream("text/plain",
                                                    [](Writer& out) {
                                                        (void)out.write("body");
                                                        out.trailer("x-sum", "42");
                                                    })
                                .trailer("x-first", "1");
                        });
                        w.get(
                            "/inline", [](Request&) { return Response::text("x").trailer("x-sum", "42"); },
                            Run::on_io_thread);
                    },
                    {},
                    relay};
    for (const std::size_t size : {0UL, 1UL, 70'000UL, 1'000'000UL}) {
        const Reply& reply = setting.ask({.path = "/whole/" + std::to_string(size)});
        CHECK(reply.body.size() == size);
        CHECK(reply.trailers == Fields{{"x-sum", "42"}});
        CHECK_FALSE(reply.headers.contains("content-length"));
        CHECK_FALSE(reply.headers.contains("x-sum"));
    }
    const Reply& streamed = setting.ask({.path = "/stream"});
    CHECK(streamed.body == "body");
    CHECK(streamed.trailers == Fields{{"x-first", "1"}, {"x-sum", "42"}});
    CHECK(setting.ask({.path = "/inline"}).trailers == Fields{{"x-sum", "42"}});
    CHECK(setting.ask({.method = "HEAD", .path = "/whole/3"}).trailers.empty());
}

TEST_CASE("what must be known before the body cannot be a trailer") {
    for (const char* name : {"Content-Length", "transfer-encoding", "Host", "Set-Cookie", "Content-Type",
                             "Trailer", "authorization", "zmqspdy-remote-user", "x_sum", "a b", ""}) {
        CAPTURE(name);
        CHECK_THROWS_AS((void)Response::text("").trailer(name, "1"), std::invalid_argument);
    }
    CHECK_THROWS_AS((void)Response::text("").trailer("x-sum", "a\nb"), std::invalid_argument);
    CHECK(Response::text("").trailer("X-Sum", "1").trailers() == Response::Fields{{"x-sum", "1"}});
}

TEST_CASE("a request's trailers are there once its body has been read") {
    const bool relay = GENERATE(false, true);
    Setting setting{[](Worker& w) {
                        w.post("/", [](Request& request) {
                            const auto before = request.trailers().size();
                            const std::string body = request.text();
                            std::string answer = std::to_string(before) + " " + body;
                            for (const auto& [name, value] : request.trailers())
                                answer += " " + name + "=" + value;
                            return Response::text(answer + (request.header("x-sum") ? " merged" : ""));
                        });
                    },
                    {},
                    relay};
    Child& child = setting.child();
    const auto stream = child.ask({.method = "POST", .body = std::string("body"), .more = true});
    spdy::HeaderBlock trailers;
    trailers.add("x-sum", "1");
    trailers.add("x-sum", "2");
    child.send_trailers(stream, trailers);
    REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "0 body x-sum=1 x-sum=2");
}

TEST_CASE("a request's trailers come with the FIN or before it, in one block or several, within bounds") {
    const bool relay = GENERATE(false, true);
    Setting setting{[](Worker& w) {
                        w.post("/", [](Request& request) {
                            std::string answer = request.text();
                            for (const auto& [name, value] : request.trailers())
                                answer += " " + name + "=" + value;
                            return Response::text(answer);
                        });
                    },
                    {},
                    relay};
    Child& child = setting.child();
    const auto block = [](const std::string& name, const std::string& value) {
        spdy::HeaderBlock trailers;
        trailers.add(name, value);
        return trailers;
    };
    const auto ask = [&](const std::string& rest, bool fin_on_headers) {
        const auto stream = child.ask({.method = "POST", .body = std::string("bo"), .more = true});
        (void)child.session().headers(stream, block("x-sum", "1"), false);
        (void)child.session().headers(stream, {}, false);
        (void)child.session().headers(stream, block("x-sum", "2"), fin_on_headers);
        if (!fin_on_headers)
            child.send_body(stream, rest, true);
        REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
        return child.reply(stream).body;
    };
    CHECK(ask("", true) == "bo x-sum=1 x-sum=2");
    CHECK(ask("", false) == "bo x-sum=1 x-sum=2");
    CHECK(ask("dy", false) == "body x-sum=1 x-sum=2");

    const auto flood = [&](std::size_t blocks, const auto& field) {
        const auto stream = child.ask({.method = "POST", .body = std::string("bo"), .more = true});
        for (std::size_t i = 0; i < blocks; ++i)
            (void)child.session().headers(stream, field(i), false);
        child.send_body(stream, "", true);
        REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
        return child.reply(stream).body;
    };
    const auto empty = [](std::size_t) { return spdy::HeaderBlock{}; };
    CHECK(flood(60, empty) == "bo");
    CHECK(flood(70, empty).empty());
    CHECK(flood(40, [&](std::size_t i) {
              return block("x-" + std::to_string(i), std::string(2000, 'v'));
          }).empty());
    CHECK(ask("", false) == "bo x-sum=1 x-sum=2");  // nobody else noticed
}

TEST_CASE("a client that expects 100 Continue is told when the handler wants the body, and not otherwise") {
    Setting setting{[](Worker& w) {
        w.post("/reads", [](Request& request) { return Response::text(request.text()); });
        w.post("/refuses", [](Request&) { return Response::text("no").status(403); });
        w.post("/echoes", [](Request& request) {
            return Response::stream("text/plain", [&request](Writer& out) {
                for (const auto chunk : request.body())
                    (void)out.write(chunk);
            });
        });
    }};
    Child& child = setting.child();
    const auto ask = [&](const std::string& path) {
        return child.ask({.method = "POST",
                          .path = path,
                          .headers = {{"expect", "100-continue"}},
                          .body = std::string(),
                          .more = true});
    };
    for (const char* path : {"/reads", "/echoes"}) {
        CAPTURE(path);
        const auto stream = ask(path);
        REQUIRE(setting.until([&] { return !child.reply(stream).interim.empty(); }));
        CHECK(child.reply(stream).interim.front().at(":status") == "100");
        child.send_body(stream, "body", true);
        REQUIRE(setting.until([&] { return child.reply(stream).ended(); }));
        CHECK(child.reply(stream).body == "body");
        CHECK(child.reply(stream).interim.size() == 1);
    }
    const auto refused = ask("/refuses");
    REQUIRE(setting.until([&] { return child.reply(refused).ended(); }));
    CHECK(child.reply(refused).status() == "403");
    CHECK(child.reply(refused).interim.empty());
}

TEST_CASE("the stop token calls back when the client leaves, wherever the handler is") {
    std::atomic<int> called{0};
    std::atomic<bool> waiting{false};
    Setting setting{[&](Worker& w) {
        w.get("/waits", [&](Request& request) {
            const std::stop_callback callback(request.stop_token(), [&called] { ++called; });
            waiting = true;
            (void)request.sleep_for(std::chrono::minutes(1));
            // Cancelled already: called at once, on this thread.
            const std::stop_callback late(request.stop_token(), [&called] { ++called; });
            return Response{};
        });
        w.get("/answers", [&](Request& request) {
            const std::stop_callback callback(request.stop_token(), [&called] { called = 100; });
            return Response::text("done");
        });
    }};
    CHECK(setting.ask({.path = "/answers"}).body == "done");
    Child& child = setting.child();
    const auto stream = child.ask({.path = "/waits"});
    REQUIRE(setting.until([&] { return waiting.load(); }));
    child.session().reset(stream, spdy::ResetCode::cancel);
    REQUIRE(setting.until([&] { return called.load() == 2; }));
    CHECK_FALSE(Request("GET", "/").stop_token().stop_possible());
}

TEST_CASE("the more urgent go first when requests wait for a thread, equals in the order they came") {
    std::mutex mutex;
    std::vector<std::string> order;
    std::atomic<bool> blocked{false};
    std::atomic<bool> go{false};
    Setting setting{[&](Worker& w) {
                        w.get("/first", [&](Request&) {
                            blocked = true;
                            go.wait(false);
                            return Response{};
                        });
                        w.get("/:name", [&](Request& request) {
                            const std::lock_guard lock{mutex};
                            order.push_back(request.param("name") + std::to_string(request.priority()));
                            return Response{};
                        });
                    },
                    {},
                    false,
                    1};
    Child& child = setting.child();
    std::vector<spdy::StreamId> streams{child.ask({.path = "/first"})};
    REQUIRE(setting.until([&] { return blocked.load(); }));
    for (const auto& [path, priority] :
         {std::pair{"/a", 3}, std::pair{"/b", 7}, std::pair{"/c", 3}, std::pair{"/d", 0}})
        streams.push_back(child.ask({.path = path, .priority = static_cast<spdy::Priority>(priority)}));
    // A PING behind them: once it is answered they are all there.
    const auto ping = child.session().ping();
    REQUIRE(setting.until([&] { return child.answered_ping() == ping; }));
    go = true;
    go.notify_all();
    REQUIRE(setting.until([&] {
        return std::all_of(streams.begin(), streams.end(), [&](auto id) { return child.reply(id).ended(); });
    }));
    const std::lock_guard lock{mutex};
    CHECK(order == std::vector<std::string>{"d0", "a3", "c3", "b7"});
}
