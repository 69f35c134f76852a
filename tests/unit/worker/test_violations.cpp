// Peers that break the protocol are told to go, and nobody else notices.
#include <algorithm>
#include <array>

#include "catch.hpp"
#include "fake_router.hpp"

using namespace test;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;

namespace {

std::vector<std::byte> settings_and_request() {
    spdy::Session session{spdy::SessionOptions{}};
    spdy::HeaderBlock headers;
    for (const auto name : {":method", ":path", ":version", ":host", ":scheme"})
        headers.add(name, "/");
    (void)session.open(headers, 0, true);
    return session.take_output();
}

void greet(Worker& worker) {
    worker.any("/*path", [](Request&) { return Response::text("hello\n"); });
}

}  // namespace

TEST_CASE("a peer that breaks the protocol gets GOAWAY, its neighbours get answers") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto endpoint = to_string(*registry.link(registry.announced().front()).announcement->endpoint);
    Child bad{context, endpoint};
    Child good{context, endpoint};
    const auto before = good.ask({});
    REQUIRE(until({&registry, &good}, [&] { return good.reply(before).ended(); }));

    SECTION("no SETTINGS") {
        (void)bad.take_output();
        (void)bad.ask({});
    }
    SECTION("two parts of its own") {
        bad.send_raw({settings_and_request(), settings_and_request()});
    }
    SECTION("two parts, the first of them empty") {
        bad.send_raw({{}, settings_and_request()});
    }
    SECTION("a frame over two messages") {
        (void)bad.take_output();
        auto first = settings_and_request();
        std::vector<std::byte> second(first.end() - 5, first.end());
        first.resize(first.size() - 5);
        bad.send_raw({first});
        bad.send_raw({second});
    }
    SECTION("bytes that are no frames") {
        (void)bad.take_output();
        bad.send_raw({std::vector<std::byte>(1000, std::byte{0xa5})});
    }
    REQUIRE(until({&registry, &bad, &good}, [&] { return bad.told_to_go(); }));
    const auto messages = bad.messages();
    bad.send_raw({settings_and_request()});
    bad.send_raw({settings_and_request()});
    const auto after = good.ask({});
    REQUIRE(until({&registry, &bad, &good}, [&] { return good.reply(after).ended(); }));
    CHECK(good.reply(after).body == "hello\n");
    CHECK(bad.messages() == messages);
}

TEST_CASE("relayed peers are held to the same") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.relay = true;
    RunningWorker worker{options, greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const std::string link = registry.announced().front();
    Child bad{registry, link, "bad"};
    Child good{registry, link, "good"};
    (void)bad.take_output();
    registry.send(link, "bad", std::vector<std::byte>(100, std::byte{0x5a}));
    const auto stream = good.ask({});
    REQUIRE(until({&registry, &bad, &good}, [&] { return bad.told_to_go() && good.reply(stream).ended(); }));
    CHECK(good.reply(stream).body == "hello\n");
    CHECK(registry.links().size() == 1);
}

TEST_CASE("an empty message is only a probe") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    Child child{context, to_string(*registry.link(registry.announced().front()).announcement->endpoint)};
    child.send_raw({{}});
    child.step();
    child.send_raw({{}});
    const auto stream = child.ask({});
    REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "hello\n");
}

TEST_CASE("children that come and go leave nothing behind") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto endpoint = to_string(*registry.link(registry.announced().front()).announcement->endpoint);
    for (int i = 0; i < 50; ++i) {
        Child child{context, endpoint};
        const auto stream = child.ask({});
        REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
    }
}

TEST_CASE("a dialler that knows no better fills no log, however often it comes") {
    zmq::context_t context;
    Registry registry{context};
    LoggedWorker worker{options_for({registry.endpoint()}),
                        [](Request&) { return Response::text("hello\n"); }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto endpoint = to_string(*registry.link(registry.announced().front()).announcement->endpoint);
    const auto lines = [&worker] {
        const std::string log = worker.log();
        return std::count(log.begin(), log.end(), '\n');
    };
    for (int i = 0; i < 200; ++i) {
        Child bad{context, endpoint};
        (void)bad.take_output();
        bad.send_raw({std::vector<std::byte>(64, std::byte{0xff})});
        REQUIRE(until({&registry, &bad}, [&] { return bad.told_to_go(); }));
    }
    CHECK(lines() > 0);
    CHECK(lines() < 100);
    Child good{context, endpoint};
    const auto stream = good.ask({});
    CHECK(until({&registry, &good}, [&] { return good.reply(stream).ended(); }));
}

TEST_CASE("a peer's id has the size that the protocol gives it") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto link = registry.announced().front();
    const auto endpoint = to_string(*registry.link(link).announcement->endpoint);
    Child longest{registry, link, std::string(255, 'p')};
    const auto stream = longest.ask({});
    CHECK(until({&registry, &longest}, [&] { return longest.reply(stream).ended(); }));
    // Longer than that it is nobody's.
    registry.send(link, std::string(256, 'p'), settings_and_request());
    Child after{context, endpoint};
    const auto other = after.ask({});
    REQUIRE(until({&registry, &after}, [&] { return after.reply(other).ended(); }));
    CHECK(registry.link(link).relayed.count(std::string(256, 'p')) == 0);
}
