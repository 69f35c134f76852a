// Routers that are found by name: all addresses of a name, each once, as they come and go.
#include <chrono>
#include <optional>
#include <string>

#include "catch.hpp"
#include "name_server.hpp"
#include "router_loop.hpp"

using namespace test;
using namespace std::chrono_literals;

namespace {

const std::string kName = "router.test";

/// Two registries at one port, and a name server that knows of them what a test says.
struct Place {
    zmq::context_t context;
    Registry one{context, "tcp://127.0.0.1:*"};
    Registry two{context, "tcp://127.0.0.2:" + port_of(one)};
    NameServer names;
    AskedServers asked{{names.port()}};

    Place() {
        one.identity = 1;
        two.identity = 2;
    }
    [[nodiscard]] std::string router() const { return "tcp://" + kName + ":" + port_of(one); }
    [[nodiscard]] bool until(RouterLoop& loop, const std::function<bool()>& done) {
        return test::until({&loop, &one, &two, &names}, done);
    }
    [[nodiscard]] std::size_t announcements() const {
        return one.announced().size() + two.announced().size();
    }
};

}  // namespace

TEST_CASE("each address of a name is a router of its own") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1", "127.0.0.2"}};
    RouterLoop loop{{place.router()}};
    CHECK(place.until(
        loop, [&] { return place.one.announced().size() == 1 && place.two.announced().size() == 1; }));
}

TEST_CASE(
    "a router with several addresses gets the worker once, and over another address when it loses that one") {
    Place place;
    place.two.identity = place.one.identity;
    place.names.records[kName] = {.addresses = {"127.0.0.1", "127.0.0.2"}};
    RouterLoop loop{{place.router()}};
    REQUIRE(place.until(loop, [&] {
        return place.one.links().size() + place.two.links().size() == 2 && place.announcements() == 1;
    }));
    Registry& holder = place.one.announced().empty() ? place.two : place.one;
    Registry& other = &holder == &place.one ? place.two : place.one;
    // The other address was asked who it is, and nothing else.
    CHECK(other.announced().empty());
    const std::string link = holder.announced().front();
    REQUIRE(place.until(loop, [&] { return holder.link(link).pings > 0; }));
    CHECK(other.links().size() == 1);
    holder.silent = true;
    holder.link(link).session.go_away(spdy::GoAwayCode::ok);
    holder.send(link, "", holder.link(link).session.take_output());
    CHECK(place.until(loop, [&] { return other.announced().size() == 1; }));
}

TEST_CASE("a router that is named twice gets the worker once") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1"}};
    RouterLoop loop{{place.router(), "tcp://127.0.0.1:" + port_of(place.one)}};
    REQUIRE(place.until(loop, [&] { return place.one.links().size() == 2 && place.announcements() >= 1; }));
    const std::string link = place.one.announced().front();
    REQUIRE(place.until(loop, [&] { return place.one.link(link).pings > 0; }));
    CHECK(place.announcements() == 1);
}

TEST_CASE("a name that does not resolve takes nothing from another router, and is found once it does") {
    Place place;
    const bool silent = GENERATE(false, true);
    if (silent)
        place.names.records[kName] = {.silent = true};
    RouterLoop loop{{place.router(), "tcp://127.0.0.2:" + port_of(place.one)}};
    REQUIRE(place.until(loop, [&] { return place.two.announced().size() == 1; }));
    if (!silent) {
        REQUIRE(place.until(loop, [&] { return loop.logs("the name router.test does not exist"); }));
        // Once, however often it is asked.
        const int queries = place.names.queries();
        REQUIRE(place.until(loop, [&] { return place.names.queries() > queries; }));
        CHECK(loop.lines() == 2);
    }
    place.names.records[kName] = {.addresses = {"127.0.0.1"}};
    CHECK(place.until(loop, [&] { return place.one.announced().size() == 1; }));
}

TEST_CASE("an answer that fails or is empty removes nobody") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1"}, .ttl = 1};
    RouterLoop loop{{place.router()}, 0ms};
    REQUIRE(place.until(loop, [&] { return place.one.announced().size() == 1; }));
    const std::string link = place.one.announced().front();
    for (const auto& nothing :
         {NameServer::Record{.code = NameServer::server_failure}, NameServer::Record{}}) {
        place.names.records[kName] = nothing;
        const int queries = place.names.queries();
        REQUIRE(place.until(loop, [&] { return place.names.queries() >= queries + 2; }));
        REQUIRE(place.until(loop, [&] {
            return loop.logs(nothing.code == NameServer::no_error ? "has no address" : "SERVFAIL") ||
                   loop.lines() >= 2;
        }));
    }
    const int pings = place.one.link(link).pings;
    REQUIRE(place.until(loop, [&] { return place.one.link(link).pings > pings; }));
    CHECK(place.one.announced() == std::vector{link});
    CHECK(place.one.links().size() == 1);
}

TEST_CASE("a name is asked again when its record's time is over: routers come and go with it") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1"}, .ttl = 1};
    RouterLoop loop{{place.router()}, 0ms};
    REQUIRE(place.until(loop, [&] { return place.one.announced().size() == 1; }));
    place.names.records[kName].addresses = {"127.0.0.2"};
    // The worker says goodbye to the router that is no longer named, in order.
    CHECK(place.until(
        loop, [&] { return place.two.announced().size() == 1 && place.one.links().begin()->second.left; }));
    CHECK(place.one.links().begin()->second.went_away);
}

TEST_CASE("within the grace, a router that is no longer named keeps its worker for as long as it is there") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1"}, .ttl = 1};
    RouterLoop loop{{place.router()}};
    REQUIRE(place.until(loop, [&] { return place.one.announced().size() == 1; }));
    const std::string link = place.one.announced().front();
    place.names.records[kName].addresses = {"127.0.0.2"};
    REQUIRE(place.until(loop, [&] { return place.two.announced().size() == 1; }));
    CHECK(place.one.announced().size() == 1);
    place.one.link(link).session.go_away(spdy::GoAwayCode::ok);
    place.one.send(link, "", place.one.link(link).session.take_output());
    // It does not come back: three heartbeats of the other's are far more than its pause would be.
    const std::string kept = place.two.announced().front();
    const int pings = place.two.link(kept).pings;
    REQUIRE(place.until(loop, [&] { return place.two.link(kept).pings >= pings + 2; }));
    CHECK(place.one.links().size() == 1);
}

TEST_CASE("a lost router is looked up anew, however long its record lives") {
    Place place;
    place.names.records[kName] = {.addresses = {"127.0.0.1"}, .ttl = 86400};
    RouterLoop loop{{place.router()}};
    REQUIRE(place.until(loop, [&] { return place.one.announced().size() == 1; }));
    const std::string link = place.one.announced().front();
    place.names.records[kName].addresses = {"127.0.0.2"};
    place.one.silent = true;
    place.one.link(link).session.go_away(spdy::GoAwayCode::ok);
    place.one.send(link, "", place.one.link(link).session.take_output());
    CHECK(place.until(loop, [&] { return place.two.announced().size() == 1; }));
}

TEST_CASE("localhost is either loopback address, and the other one is no news") {
    zmq::context_t context;
    const std::string host = GENERATE("127.0.0.1", "[::1]");
    Registry registry{context, "tcp://" + host + ":*"};
    registry.identity = 1;
    RouterLoop loop{{"tcp://localhost:" + port_of(registry)}};
    REQUIRE(until({&loop, &registry}, [&] { return registry.announced().size() == 1; }));
    const std::string link = registry.announced().front();
    const int pings = registry.link(link).pings;
    REQUIRE(until({&loop, &registry}, [&] { return registry.link(link).pings > pings + 1; }));
    CHECK(loop.lines() == 1);
    CHECK(loop.logs("announced to tcp://localhost:"));
}
