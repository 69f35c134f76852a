// Frames that no sound peer sends: sizes, versions, types, ids, and header blocks that inflate to nonsense.
#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::Buffer;
using wire::control;
using wire::Deflater;
using wire::syn_reply;
using wire::syn_stream;

namespace {

const Buffer kGet = wire::plain({{":method", "GET"}});

Buffer header_of(std::uint32_t type, std::uint32_t length) {
    return wire::u32(0x80030000 | type) << wire::u32(length);
}

}  // namespace

TEST_CASE("control frames of fixed size end the session at any other size") {
    const auto fault_of = [](std::uint32_t type, std::size_t size) {
        const Outcome server = at_server(control(type, 0, Buffer(size, std::byte{1})));
        CHECK(server.fault == at_client(control(type, 0, Buffer(size, std::byte{1}))).fault);
        if (!server.fault.empty())
            CHECK(server.frames == Lines{"GOAWAY 0 PROTOCOL_ERROR"});
        return server.fault;
    };
    for (const std::size_t size : {0u, 7u, 9u}) {
        CHECK(fault_of(3, size) == "RST_STREAM has the wrong size");
        CHECK(fault_of(9, size) == "WINDOW_UPDATE has the wrong size");
    }
    for (const std::size_t size : {0u, 3u, 5u, 8u})
        CHECK(fault_of(6, size) == "PING has the wrong size");
    for (std::size_t size = 0; size < 10; ++size)
        CHECK(fault_of(1, size) == "SYN_STREAM is too short");
    for (std::size_t size = 0; size < 4; ++size) {
        CHECK(fault_of(2, size) == "SYN_REPLY is too short");
        CHECK(fault_of(8, size) == "HEADERS is too short");
    }
    CHECK(fault_of(3, 8).empty());
    CHECK(fault_of(9, 8).empty());
    CHECK(fault_of(6, 4).empty());
}

TEST_CASE("a control frame of length 0xffffff ends the session before it comes in, whatever its type") {
    for (const std::uint32_t type : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, 11u, 0xffffu}) {
        CHECK(at_server(header_of(type, 0xffffff)).fault == "a control frame is too large");
        CHECK(at_client(header_of(type, 0xffffff)).fault == "a control frame is too large");
    }
}

TEST_CASE("control frames up to 8192 bytes are always taken") {
    SessionOptions options;
    options.max_control_frame = 1;
    CHECK(at_server(control(99, 0, Buffer(8192)), options).fault.empty());
    CHECK(at_server(control(99, 0, Buffer(8193)), options).fault == "a control frame is too large");
}

TEST_CASE("a frame header cut at 1 to 7 bytes is waited for") {
    for (const Buffer& frame : {wire::ping(1), wire::data(1, "")}) {
        for (std::size_t size = 1; size < 8; ++size) {
            Session session{{.role = Role::server}};
            std::vector<Event> events;
            const Bytes all{frame};
            CHECK(session.at_frame_boundary());
            CHECK_FALSE(session.receive(wire::settings(), events));
            CHECK_FALSE(session.receive(all.first(size), events));
            CHECK_FALSE(session.at_frame_boundary());
            CHECK(events.size() == 1);
            CHECK_FALSE(session.receive(all.subspan(size), events));
            CHECK(session.at_frame_boundary());
        }
    }
}

TEST_CASE("other versions than 3 end the session, and a SYN_STREAM gets UNSUPPORTED_VERSION as well") {
    for (const std::uint16_t version : {0, 1, 2, 4, 0x7fff}) {
        for (const std::uint32_t type : {2u, 3u, 4u, 6u, 7u, 8u, 9u, 77u}) {
            const Outcome outcome = at_server(control(type, 0, Buffer(8), version));
            CHECK(outcome.fault == "a control frame of another version than SPDY/3");
            CHECK(outcome.frames == Lines{"GOAWAY 0 PROTOCOL_ERROR"});
        }
        const Outcome outcome = at_server(control(1, 0, wire::u32(1) << Buffer(10), version));
        CHECK(outcome.frames == Lines{"RST 1 UNSUPPORTED_VERSION", "GOAWAY 0 PROTOCOL_ERROR"});
        CHECK_FALSE(outcome_of({}, control(4, 0, wire::u32(0), version)).fault.empty());
    }
}

TEST_CASE("unknown control types, NOOP and CREDENTIAL are ignored") {
    for (const std::uint32_t type : {0u, 5u, 10u, 11u, 0xffffu}) {
        const Outcome outcome =
            at_server(control(type, 0xff, {}) << control(type, 0, wire::bytes("anything")) << wire::ping(1));
        CHECK(outcome.fault.empty());
        CHECK(outcome.events.empty());
        CHECK(outcome.frames == Lines{"PING 1"});
    }
}

TEST_CASE("unknown flags are ignored") {
    Deflater zlib;
    Buffer request = syn_stream(1, zlib.block(kGet), 0xfc)
                     << wire::data(1, "x") << wire::headers(1, zlib.block(kGet), 0xfe);
    const Outcome outcome = at_server(request << control(6, 0xff, wire::u32(1)));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET", "data 1 x", "headers 1 :method=GET"});
    CHECK(outcome.frames == Lines{"PING 1"});
}

TEST_CASE("frames of a stream on stream 0 end the session") {
    Deflater zlib;
    CHECK(at_server(wire::data(0, "x")).fault == "DATA on stream 0");
    CHECK(at_server(wire::data(0, "", true)).fault == "DATA on stream 0");
    CHECK(at_server(wire::rst(0, 1)).fault == "RST_STREAM on stream 0");
    CHECK(at_client(wire::headers(0, zlib.block(kGet))).fault == "headers on stream 0");
    Deflater other;
    CHECK(at_client(syn_reply(0, other.block(kGet))).fault == "headers on stream 0");
}

TEST_CASE("a bad block in SYN_STREAM resets the stream that would have been, and the session goes on") {
    using namespace std::string_literals;
    const Buffer whole = wire::plain({{"name", "value"}});
    const std::vector<Buffer> bad{
        {},
        wire::u24(0),
        wire::u32(0xffffffff),
        Buffer{whole.begin(), whole.end() - 1},
        whole << wire::bytes("x"),
        wire::u32(1) << wire::u32(0xffffffff) << wire::bytes("name"),
        wire::u32(1) << wire::u32(4) << wire::bytes("name") << wire::u32(0xffffffff),
        wire::plain({{"", "value"}}),
        wire::plain({{"Name", "value"}}),
        wire::plain({{"a", "1"}, {"b", "2"}, {"a", "3"}}),
        wire::plain({{"a", "\0x"s}}),
        wire::plain({{"a", "x\0"s}}),
        wire::plain({{"a", "x\0\0y"s}}),
        wire::plain({{"a\0b"s, "x"}}),
        wire::plain({{"caf\xc3\xa9", "x"}}),
    };
    for (const Buffer& plain : bad) {
        Deflater to_server;
        const Outcome server = at_server(syn_stream(1, to_server.block(plain))
                                         << wire::data(1, "late") << syn_stream(3, to_server.block(kGet)));
        CHECK(server.fault.empty());
        CHECK(server.events == Lines{"opened 3 p0 :method=GET"});
        CHECK(server.frames == Lines{"RST 1 PROTOCOL_ERROR"});

        Deflater to_client;
        const Outcome client =
            at_client(syn_reply(1, to_client.block(plain)) << wire::headers(3, to_client.block(plain)));
        CHECK(client.events == Lines{"reset 1 PROTOCOL_ERROR by us", "reset 3 PROTOCOL_ERROR by us"});
        CHECK(client.frames == Lines{"RST 1 PROTOCOL_ERROR", "RST 3 PROTOCOL_ERROR"});
        CHECK(client.open == 0);
    }
}

TEST_CASE("a block with more names than allowed resets the stream") {
    SessionOptions options;
    options.max_headers = 2;
    Deflater zlib;
    const Outcome outcome =
        at_server(syn_stream(1, zlib.block(wire::plain({{"a", "1"}, {"b", "2"}})))
                      << syn_stream(3, zlib.block(wire::plain({{"a", "1"}, {"b", "2"}, {"c", "3"}}))),
                  options);
    CHECK(outcome.events == Lines{"opened 1 p0 a=1 b=2"});
    CHECK(outcome.frames == Lines{"RST 3 PROTOCOL_ERROR"});
}

TEST_CASE("what HTTP would refuse is passed on: that is for HTTP to judge") {
    Deflater zlib;
    CHECK(at_server(syn_stream(1, zlib.block(wire::plain({{"a", "x\r\ny"}})))).events ==
          Lines{"opened 1 p0 a=x\r\ny"});
    CHECK(at_server(syn_stream(1, Deflater{}.block(wire::plain({})))).events == Lines{"opened 1 p0 "});
}
