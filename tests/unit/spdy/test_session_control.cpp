// SETTINGS, PING, GOAWAY, and what a session says of itself.
#include <array>
#include <type_traits>

#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::block;
using wire::Buffer;

static_assert(std::is_nothrow_move_constructible_v<Session> && !std::is_copy_constructible_v<Session>);

TEST_CASE("a session greets with SETTINGS and raises its window at once") {
    SessionOptions options;
    options.max_concurrent_streams = 7;
    options.stream_window = 1000;
    options.session_window = 100000;
    Session session{options};
    CHECK(session.take_output() == wire::settings({{4, 7}, {7, 1000}})
                                       << wire::window_update(0, 100000 - 65536));
    options.session_window = 1;  // SPDY/3.1 has no way to make it smaller than it begins
    CHECK(Session{options}.take_output() == wire::settings({{4, 7}, {7, 1000}}));
    options.session_window = options.stream_window = 0xffffffff;
    CHECK(Session{options}.take_output() == wire::settings({{4, 7}, {7, 0x7fffffff}})
                                                << wire::window_update(0, 0x7fffffff - 65536));
}

TEST_CASE("the first frame has to be SETTINGS") {
    wire::Deflater zlib;
    for (const Buffer& first :
         {wire::ping(1), wire::syn_stream(1, zlib.block(wire::plain({}))), wire::data(1, "x"),
          wire::control(99, 0, {}), wire::rst(1, 5), wire::data(0, "")}) {
        const Outcome outcome = outcome_of({{.role = Role::server}}, first << wire::settings());
        CHECK(outcome.fault == "the first frame is not SETTINGS");
        CHECK(outcome.events.empty());
        // Whoever spoke with the peer before may have processed any of its streams: none is taken back.
        CHECK(outcome.frames == Lines{"GOAWAY 2147483647 PROTOCOL_ERROR"});
    }
    const Outcome http = outcome_of({{.role = Role::server}}, wire::bytes("GET / HTTP/1.1\r\n\r\n"));
    CHECK(http.fault == "the first frame is not SETTINGS");
}

TEST_CASE("SETTINGS may be empty, come again, and hold what we do not know") {
    const Outcome outcome = at_client(wire::settings({{1, 5}, {99, 6}, {0xffffff, 7}})
                                      << wire::control(4, kFlagClearSettings, wire::u32(0)));
    CHECK(outcome.events == Lines{"settings", "settings"});
    CHECK(outcome.fault.empty());
}

TEST_CASE("of a setting that comes twice in a frame the first counts, and later frames override") {
    const auto limit = [](std::uint32_t expected) {
        return [expected](Session& session) { CHECK(session.peer_max_concurrent_streams() == expected); };
    };
    (void)outcome_of({{}, {}, limit(0xffffffff)}, wire::settings());
    (void)outcome_of({{}, {}, limit(5)}, wire::settings({{4, 5}, {4, 6}}));
    (void)outcome_of({{}, {}, limit(6)}, wire::settings({{4, 5}}) << wire::settings({{4, 6}, {4, 7}}));
    (void)outcome_of({{}, {}, limit(5)}, wire::settings({{4, 5}}) << wire::settings({{7, 6}}));
    // Flags are not part of the id.
    (void)outcome_of({{}, {}, limit(5)}, wire::settings({{0x03000004, 5}}));
    // The second is not even looked at.
    CHECK(at_client(wire::settings({{7, 1}, {7, 0xffffffff}})).fault.empty());
}

TEST_CASE("SETTINGS of the wrong size end the session") {
    const std::string wrong = "SETTINGS has the wrong size";
    for (const Buffer& body :
         {Buffer{}, wire::u24(0), wire::u32(1), wire::u32(0) << wire::u24(0), wire::u32(0x20000000),
          wire::u32(0x20000001) << wire::u32(4) << wire::u32(5), wire::u32(2) << wire::u32(4) << wire::u32(5),
          wire::u32(0) << wire::u32(4) << wire::u32(5), wire::u32(0xffffffff)}) {
        CHECK(at_server(wire::control(4, 0, body)).fault == wrong);
    }
}

TEST_CASE("a client keeps to the peer's limit of streams, and to 0") {
    Session session{{}};
    std::vector<Event> events;
    CHECK(session.open(block({{"a", "b"}}), 0, true));
    REQUIRE_FALSE(session.receive(wire::settings({{4, 2}}), events));
    CHECK(session.open(block({{"a", "b"}}), 0, true));
    CHECK_FALSE(session.can_open());
    CHECK(session.open(block({{"a", "b"}}), 0, true) == std::nullopt);
    session.reset(1, ResetCode::cancel);
    CHECK(session.open(block({{"a", "b"}}), 0, true) == StreamId{5});
    REQUIRE_FALSE(session.receive(wire::settings({{4, 0}}), events));
    session.reset(3, ResetCode::cancel);
    session.reset(5, ResetCode::cancel);
    CHECK_FALSE(session.can_open());
}

TEST_CASE("a PING of the peer is echoed") {
    CHECK(at_server(wire::ping(1) << wire::ping(0xffffffff)).frames == Lines{"PING 1", "PING 4294967295"});
    CHECK(at_client(wire::ping(2) << wire::ping(0)).frames == Lines{"PING 2", "PING 0"});
}

TEST_CASE("a PING of our parity is the answer to ours, once, or else ignored") {
    const Case client{{}, [](Session& session) {
                          CHECK(session.ping() == 1);
                          CHECK(session.ping() == 3);
                      }};
    const Outcome outcome = outcome_of(
        client, wire::settings() << wire::ping(1) << wire::ping(1) << wire::ping(3) << wire::ping(5));
    CHECK(outcome.events == Lines{"settings", "ping 1", "ping 3"});
    CHECK(outcome.frames.empty());

    const Case server{{.role = Role::server}, [](Session& session) { CHECK(session.ping() == 2); }};
    const Outcome other = outcome_of(
        server, wire::settings() << wire::ping(0) << wire::ping(4) << wire::ping(2) << wire::ping(2));
    CHECK(other.events == Lines{"settings", "ping 2"});
    CHECK(other.frames.empty());
}

TEST_CASE("after the peer's GOAWAY our streams above last-good are refused, the others go on") {
    wire::Deflater zlib;
    const auto check = [](Session& session) {
        CHECK(session.peer_went_away());
        CHECK_FALSE(session.went_away());
        CHECK_FALSE(session.can_open());
        CHECK_FALSE(session.is_open(3));
    };
    const auto open_four = [](Session& session) {
        for (int i = 0; i < 4; ++i)
            CHECK(session.open(block({{"a", "b"}}), 0, true));
    };
    const Outcome outcome =
        outcome_of({{}, open_four, check},
                   wire::settings() << wire::go_away(1, 0)
                                    << wire::syn_reply(1, zlib.block(wire::plain({{":status", "200"}}))));
    CHECK(outcome.events == Lines{"settings", "goaway 1 OK", "reset 3 REFUSED_STREAM by peer",
                                  "reset 5 REFUSED_STREAM by peer", "reset 7 REFUSED_STREAM by peer",
                                  "reply 1 :status=200"});
    CHECK(outcome.frames.empty());
}

TEST_CASE("GOAWAY of 4 bytes is that of SPDY/2, other sizes end the session") {
    CHECK(at_client(wire::control(7, 0, wire::u32(1))).events ==
          Lines{"goaway 1 OK", "reset 3 REFUSED_STREAM by peer"});
    for (const std::size_t size : {0u, 3u, 5u, 7u, 9u, 12u})
        CHECK(at_client(wire::control(7, 0, Buffer(size))).fault == "GOAWAY has the wrong size");
}

TEST_CASE("GOAWAY with a last-good in the future, an unknown status, or twice, is taken") {
    CHECK(at_client(wire::go_away(99, 1)).events == Lines{"goaway 99 PROTOCOL_ERROR"});
    const Outcome twice = at_client(wire::go_away(0xffffffff, 77) << wire::go_away(1, 2));
    CHECK(twice.events ==
          Lines{"goaway 2147483647 UNKNOWN", "goaway 1 INTERNAL_ERROR", "reset 3 REFUSED_STREAM by peer"});
    CHECK(at_server(wire::go_away(0, 0)).events == Lines{"goaway 0 OK"});
}

TEST_CASE("after our GOAWAY new streams are ignored, their blocks inflated, and open ones go on") {
    wire::Deflater zlib;
    Session server{{.role = Role::server}};
    std::vector<Event> events;
    const Buffer get = wire::plain({{":method", "GET"}});
    REQUIRE_FALSE(server.receive(wire::settings() << wire::syn_stream(3, zlib.block(get)), events));
    (void)server.take_output();
    server.go_away(GoAwayCode::ok);
    server.go_away(GoAwayCode::ok);
    CHECK(server.went_away());
    CHECK(server.take_output() == wire::go_away(3, 0));
    events.clear();
    const Buffer later = wire::syn_stream(5, zlib.block(get))
                         << wire::data(5, "x") << wire::data(9, "y") << wire::headers(5, zlib.block(get))
                         << wire::headers(3, zlib.block(get), kFlagFin);
    REQUIRE_FALSE(server.receive(later, events));
    CHECK(describe_events(events) == Lines{"headers 3 :method=GET FIN"});
    CHECK(server.output_size() == 0);
    CHECK(server.reply(3, block({{":status", "200"}}), true));
    CHECK(server.open_streams() == 0);

    Session client{{}};
    client.go_away(GoAwayCode::ok);
    CHECK_FALSE(client.can_open());
}

TEST_CASE("last-good is the last stream taken, not one that was refused") {
    SessionOptions options{.role = Role::server, .max_concurrent_streams = 1};
    wire::Deflater zlib;
    Session server{options};
    std::vector<Event> events;
    const Buffer get = wire::plain({{":method", "GET"}});
    REQUIRE_FALSE(server.receive(
        wire::settings() << wire::syn_stream(1, zlib.block(get)) << wire::syn_stream(3, zlib.block(get)),
        events));
    (void)server.take_output();
    server.go_away(GoAwayCode::internal_error);
    CHECK(server.take_output() == wire::go_away(1, 2));
}

TEST_CASE("after a fault the session repeats it and sends nothing more") {
    Session session{{}};
    std::vector<Event> events;
    const auto id = session.open(block({{"a", "b"}}), 0, false);
    REQUIRE(id);
    const auto fault = session.receive(wire::settings() << wire::control(6, 0, {}) << wire::ping(2), events);
    REQUIRE(fault);
    (void)session.take_output();
    events.clear();
    const auto again = session.receive(wire::ping(2), events);
    REQUIRE(again);
    CHECK(again->why == fault->why);
    CHECK(events.empty());
    CHECK(session.faulted());
    CHECK(session.went_away());
    CHECK_FALSE(session.can_open());
    CHECK(session.open(block({{"a", "b"}}), 0, true) == std::nullopt);
    CHECK_FALSE(session.headers(*id, block({{"a", "b"}}), false));
    CHECK(session.send(*id, wire::bytes("x"), true) == 0);
    CHECK(session.sendable(*id) == 0);
    session.reset(*id, ResetCode::cancel);
    session.consume(*id, 10);
    (void)session.ping();
    session.go_away(GoAwayCode::ok);
    CHECK(session.output_size() == 0);
}

TEST_CASE("a session moves with its state") {
    Session from{{}};
    (void)from.open(block({{"a", "b"}}), 0, true);
    Session to{std::move(from)};
    CHECK(to.open_streams() == 1);
    CHECK(to.open(block({{"a", "b"}}), 0, true) == StreamId{3});
}
