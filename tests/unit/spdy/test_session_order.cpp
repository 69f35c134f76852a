// Which frames a stream takes in which state.
#include <zlib.h>

#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::block;
using wire::Buffer;
using wire::data;
using wire::Deflater;
using wire::rst;
using wire::syn_reply;
using wire::syn_stream;

namespace {

const Buffer kGet = wire::plain({{":method", "GET"}});
const Buffer kOk = wire::plain({{":status", "200"}});

}  // namespace

TEST_CASE("a request comes in: SYN_STREAM, DATA, trailers") {
    Deflater zlib;
    const Buffer request = syn_stream(1, zlib.block(kGet), 0, 5)
                           << data(1, "body ") << data(1, "and more")
                           << wire::headers(1, zlib.block(wire::plain({{"x-sum", "7"}})), kFlagFin);
    const Outcome outcome = at_server(request);
    CHECK(outcome.events ==
          Lines{"opened 1 p5 :method=GET", "data 1 body and more", "headers 1 x-sum=7 FIN"});
    CHECK(outcome.frames.empty());
    CHECK(outcome.fault.empty());
    CHECK(outcome.open == 1);
}

TEST_CASE("a response comes in: interim HEADERS, SYN_REPLY, DATA") {
    Deflater zlib;
    const Outcome outcome = at_client(wire::headers(3, zlib.block(wire::plain({{":status", "103"}})))
                                      << syn_reply(1, zlib.block(kOk), kFlagFin)
                                      << syn_reply(3, zlib.block(kOk)) << data(3, "x") << data(3, "", true));
    CHECK(outcome.events ==
          Lines{"headers 3 :status=103", "reply 1 :status=200 FIN", "reply 3 :status=200", "data 3 x FIN"});
    CHECK(outcome.frames.empty());
    CHECK(outcome.open == 0);
}

TEST_CASE("a second SYN_REPLY resets the stream with STREAM_IN_USE, after FIN as well") {
    for (const bool fin : {false, true}) {
        Deflater zlib;
        // An upload: our side stays open.
        const Case upload{{}, [](Session& session) {
                              (void)session.open(block({{":path", "/"}}), 0, false);
                          }};
        const Outcome outcome =
            outcome_of(upload, wire::settings() << syn_reply(1, zlib.block(kOk), fin ? kFlagFin : 0)
                                                << syn_reply(1, zlib.block(kOk)));
        CHECK(outcome.events.back() == "reset 1 STREAM_IN_USE by us");
        CHECK(outcome.frames == Lines{"RST 1 STREAM_IN_USE"});
        CHECK(outcome.open == 0);
    }
}

TEST_CASE(
    "SYN_REPLY and HEADERS for a stream that never was get INVALID_STREAM, and their blocks are inflated") {
    Deflater zlib;
    const Outcome outcome = at_client(syn_reply(5, zlib.block(kOk))
                                      << wire::headers(2, zlib.block(kOk)) << syn_reply(1, zlib.block(kOk)));
    CHECK(outcome.events == Lines{"reply 1 :status=200"});
    CHECK(outcome.frames == Lines{"RST 5 INVALID_STREAM", "RST 2 INVALID_STREAM"});
    CHECK(outcome.fault.empty());
}

TEST_CASE("a SYN_REPLY from a client resets the client's stream") {
    Deflater zlib;
    const Outcome outcome = at_server(syn_stream(1, zlib.block(kGet))
                                      << syn_reply(1, zlib.block(kOk)) << syn_reply(3, zlib.block(kOk))
                                      << syn_stream(5, zlib.block(kGet)));
    CHECK(outcome.events ==
          Lines{"opened 1 p0 :method=GET", "reset 1 STREAM_IN_USE by us", "opened 5 p0 :method=GET"});
    CHECK(outcome.frames == Lines{"RST 1 STREAM_IN_USE", "RST 3 INVALID_STREAM"});
}

TEST_CASE("DATA before SYN_REPLY resets the stream with PROTOCOL_ERROR") {
    Deflater zlib;
    const Outcome outcome = at_client(data(1, "early") << syn_reply(3, zlib.block(kOk)));
    CHECK(outcome.events == Lines{"reset 1 PROTOCOL_ERROR by us", "reply 3 :status=200"});
    CHECK(outcome.frames == Lines{"RST 1 PROTOCOL_ERROR"});
}

TEST_CASE("a stream that ends before its SYN_REPLY is reset") {
    Deflater zlib;
    const Outcome outcome = at_client(wire::headers(1, zlib.block(kOk), kFlagFin));
    CHECK(outcome.events == Lines{"reset 1 PROTOCOL_ERROR by us"});
    CHECK(outcome.frames == Lines{"RST 1 PROTOCOL_ERROR"});
}

TEST_CASE("DATA or HEADERS after FIN reset the stream with STREAM_ALREADY_CLOSED") {
    Deflater zlib;
    const Outcome outcome =
        at_server(syn_stream(1, zlib.block(kGet), kFlagFin)
                  << data(1, "late") << syn_stream(3, zlib.block(kGet)) << data(3, "x", true)
                  << wire::headers(3, zlib.block(kGet)) << syn_stream(5, zlib.block(kGet)));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET FIN", "reset 1 STREAM_ALREADY_CLOSED by us",
                                  "opened 3 p0 :method=GET", "data 3 x FIN",
                                  "reset 3 STREAM_ALREADY_CLOSED by us", "opened 5 p0 :method=GET"});
    CHECK(outcome.frames == Lines{"RST 1 STREAM_ALREADY_CLOSED", "RST 3 STREAM_ALREADY_CLOSED"});
}

TEST_CASE("DATA for a stream that never was gets INVALID_STREAM once, however it is cut") {
    const Outcome outcome = at_server(data(1, "for nobody") << data(2, ""));
    CHECK(outcome.events.empty());
    CHECK(outcome.frames == Lines{"RST 1 INVALID_STREAM", "RST 2 INVALID_STREAM"});
    CHECK(outcome.fault.empty());
}

TEST_CASE("frames that were under way when we reset their stream are dropped, their blocks are inflated") {
    Deflater zlib;
    const Case cancelled{{}, [](Session& session) {
                             const auto id = session.open(block({{":path", "/"}}), 0, true);
                             (void)session.open(block({{":path", "/"}}), 0, true);
                             session.reset(*id, ResetCode::cancel);
                         }};
    const Outcome outcome = outcome_of(
        cancelled, wire::settings() << syn_reply(1, zlib.block(kOk)) << wire::headers(1, zlib.block(kOk))
                                    << data(1, "late") << data(1, "", true) << rst(1, 5)
                                    << wire::window_update(1, 100) << syn_reply(3, zlib.block(kOk)));
    CHECK(outcome.events == Lines{"settings", "reply 3 :status=200"});
    CHECK(outcome.frames.empty());
    CHECK(outcome.fault.empty());
}

TEST_CASE("RST_STREAM closes a stream and is never answered") {
    Deflater zlib;
    const Outcome outcome =
        at_server(syn_stream(1, zlib.block(kGet)) << rst(1, 5) << rst(1, 5) << rst(3, 1) << data(1, "late")
                                                  << syn_stream(3, zlib.block(kGet)) << rst(3, 3));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET", "reset 1 CANCEL by peer",
                                  "opened 3 p0 :method=GET", "reset 3 REFUSED_STREAM by peer"});
    CHECK(outcome.frames.empty());
    CHECK(outcome.open == 0);
}

TEST_CASE(
    "RST_STREAM with the invalid status 0 closes the stream as PROTOCOL_ERROR, unknown ones are passed on") {
    Deflater zlib;
    const Outcome outcome = at_client(rst(1, 0) << rst(3, 4711));
    CHECK(outcome.events == Lines{"reset 1 PROTOCOL_ERROR by peer", "reset 3 UNKNOWN by peer"});
    CHECK(outcome.open == 0);
}

TEST_CASE("SYN_STREAM with id 0, an id of ours or a decreasing id ends the session") {
    const std::string not_theirs = "SYN_STREAM with an id that is not the peer's to use";
    for (const StreamId id : {0u, 2u, 0x7ffffffeu}) {
        Deflater zlib;
        const Outcome outcome = at_server(syn_stream(id, zlib.block(kGet)));
        CHECK(outcome.fault == not_theirs);
        CHECK(outcome.frames == Lines{"GOAWAY 0 PROTOCOL_ERROR"});
    }
    Deflater zlib;
    const Outcome outcome = at_server(syn_stream(5, zlib.block(kGet))
                                      << syn_stream(3, zlib.block(kGet)) << syn_stream(7, zlib.block(kGet)));
    CHECK(outcome.fault == "SYN_STREAM with a decreasing id");
    CHECK(outcome.events == Lines{"opened 5 p0 :method=GET"});
    CHECK(outcome.frames == Lines{"GOAWAY 5 PROTOCOL_ERROR"});
}

TEST_CASE("SYN_STREAM with the id just used resets that stream") {
    Deflater zlib;
    const Outcome outcome = at_server(syn_stream(1, zlib.block(kGet))
                                      << syn_stream(1, zlib.block(kGet)) << syn_stream(1, zlib.block(kGet))
                                      << syn_stream(3, zlib.block(kGet)));
    CHECK(outcome.events ==
          Lines{"opened 1 p0 :method=GET", "reset 1 PROTOCOL_ERROR by us", "opened 3 p0 :method=GET"});
    CHECK(outcome.frames == Lines{"RST 1 PROTOCOL_ERROR", "RST 1 PROTOCOL_ERROR"});
}

TEST_CASE("the last id of a session can be used, with gaps before it") {
    Deflater zlib;
    const Outcome outcome = at_server(syn_stream(99, zlib.block(kGet))
                                      << syn_stream(0x7fffffff, zlib.block(kGet)) << data(0x7fffffff, "x"));
    CHECK(outcome.events ==
          Lines{"opened 99 p0 :method=GET", "opened 2147483647 p0 :method=GET", "data 2147483647 x"});
}

TEST_CASE("the reserved bit before an id is ignored") {
    Deflater zlib;
    const Outcome outcome = at_server(syn_stream(0x80000001, zlib.block(kGet)) << rst(0x80000001, 5));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET", "reset 1 CANCEL by peer"});
}

TEST_CASE("pushed streams are refused, their blocks inflated, their DATA dropped") {
    Deflater zlib;
    const Outcome outcome = at_client(syn_stream(2, zlib.block(kGet), kFlagUnidirectional, 0, 1)
                                      << wire::headers(2, zlib.block(kOk)) << data(2, "pushed")
                                      << syn_stream(4, zlib.block(kGet)) << syn_reply(1, zlib.block(kOk)));
    CHECK(outcome.events == Lines{"reply 1 :status=200"});
    CHECK(outcome.frames == Lines{"RST 2 REFUSED_STREAM", "RST 4 REFUSED_STREAM"});

    Deflater other;
    CHECK(at_client(syn_stream(5, other.block(kGet))).fault ==
          "SYN_STREAM with an id that is not the peer's to use");
}

TEST_CASE("a server refuses unidirectional and associated streams") {
    Deflater zlib;
    const Outcome outcome =
        at_server(syn_stream(1, zlib.block(kGet), kFlagUnidirectional)
                  << syn_stream(3, zlib.block(kGet), 0, 0, 2) << syn_stream(5, zlib.block(kGet)));
    CHECK(outcome.events == Lines{"opened 5 p0 :method=GET"});
    CHECK(outcome.frames == Lines{"RST 1 REFUSED_STREAM", "RST 3 REFUSED_STREAM"});
}

TEST_CASE("streams above the limit are refused, and there is room again when one closes") {
    SessionOptions options;
    options.max_concurrent_streams = 2;
    Deflater zlib;
    Buffer input;
    for (const StreamId id : {1u, 3u, 5u})
        input = input << syn_stream(id, zlib.block(kGet), kFlagFin);
    input = input << rst(1, 5) << syn_stream(7, zlib.block(kGet), kFlagFin) << data(5, "late");
    const Outcome outcome = at_server(input, options);
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET FIN", "opened 3 p0 :method=GET FIN",
                                  "reset 1 CANCEL by peer", "opened 7 p0 :method=GET FIN"});
    CHECK(outcome.frames == Lines{"RST 5 REFUSED_STREAM"});
    CHECK(outcome.open == 2);
}

TEST_CASE("a stream is open until both ends have sent FIN") {
    Deflater zlib;
    const auto answer = [](Session& session) {
        CHECK(session.is_open(1));
        CHECK_FALSE(session.headers(1, block({{"a", "b"}}), true));
        CHECK(session.headers(1, block({{":status", "103"}}), false));
        CHECK(session.sendable(1) == 0);
        CHECK(session.send(1, wire::bytes("early"), true) == 0);
        CHECK(session.reply(1, block({{":status", "200"}}), false));
        CHECK_FALSE(session.reply(1, block({{":status", "200"}}), false));
        CHECK(session.send(1, wire::bytes("abc"), false) == 3);
        CHECK(session.headers(1, block({{"a", "b"}}), true));
        CHECK_FALSE(session.headers(1, block({{"a", "b"}}), true));
        CHECK(session.send(1, wire::bytes("late"), true) == 0);
        CHECK_FALSE(session.is_open(1));
        session.reset(1, ResetCode::cancel);
    };
    const Case server{{.role = Role::server}, {}, answer};
    const Outcome outcome = outcome_of(server, wire::settings() << syn_stream(1, zlib.block(kGet), kFlagFin));
    CHECK(outcome.frames == Lines{"HEADERS 1", "SYN_REPLY 1", "DATA 1 3", "HEADERS 1 FIN"});
    CHECK(outcome.open == 0);
}

TEST_CASE("calls that a role does not have do nothing") {
    Session server{{.role = Role::server}};
    CHECK_FALSE(server.can_open());
    CHECK(server.open(block({{"a", "b"}}), 0, true) == std::nullopt);
    Session client{{}};
    const auto id = client.open(block({{"a", "b"}}), 200, false);
    REQUIRE(id);
    (void)client.take_output();
    CHECK_FALSE(client.reply(*id, block({{"a", "b"}}), false));
    CHECK_FALSE(client.reply(99, block({{"a", "b"}}), false));
    CHECK(client.send(99, wire::bytes("x"), true) == 0);
    client.reset(99, ResetCode::cancel);
    client.consume(99, 1000);
    CHECK(client.output_size() == 0);
}

TEST_CASE("blocks above the limit that we would enforce are not sent") {
    Session client{{}};
    const HeaderBlock large = block({{"cookie", std::string(64 * 1024, 'c')}});
    CHECK(client.open(large, 0, true) == std::nullopt);
    CHECK(client.open(block({{"cookie", std::string(64 * 1024 - 18, 'c')}}), 0, true) == StreamId{1});
    CHECK_FALSE(client.headers(1, large, false));
    CHECK(client.open_streams() == 1);
}
