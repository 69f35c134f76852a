// Windows of streams and of the session, in both directions.
#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::block;
using wire::Buffer;
using wire::data_of_size;
using wire::Deflater;
using wire::syn_stream;
using wire::window_update;

namespace {

const Buffer kGet = wire::plain({{":method", "GET"}});

/// A client with one upload open, that has received SETTINGS with INITIAL_WINDOW_SIZE `window`.
struct Uploader {
    explicit Uploader(std::uint32_t window = 65536, const SessionOptions& options = {}) : session{options} {
        REQUIRE(session.open(block({{":path", "/"}}), 0, false) == StreamId{1});
        receive(wire::settings({{7, window}}));
        (void)session.take_output();
        events.clear();
    }
    void receive(const Buffer& bytes) { REQUIRE_FALSE(session.receive(bytes, events)); }
    std::size_t send(std::size_t size, bool fin = false) { return session.send(1, Buffer(size), fin); }
    Lines sent() { return wire::describe_frames(session.take_output()); }
    Lines events_now() {
        Lines lines = describe_events(events);
        events.clear();
        return lines;
    }

    Session session;
    std::vector<Event> events;
};

}  // namespace

TEST_CASE("before SETTINGS both windows are 64 KiB") {
    Session session{{}};
    REQUIRE(session.open(block({{":path", "/"}}), 0, false));
    CHECK(session.sendable(1) == 65536);
    CHECK(session.send(1, Buffer(65537), true) == 65536);
    CHECK(session.sendable(1) == 0);
}

TEST_CASE("send() stops at the stream's window, keeps the FIN, and goes on when it opens") {
    Uploader client{10};
    CHECK(client.send(25, true) == 10);
    CHECK(client.send(15, true) == 0);
    CHECK(client.sent() == Lines{"DATA 1 10"});
    client.receive(window_update(1, 10));
    CHECK(client.events_now() == Lines{"window 1"});
    CHECK(client.send(15, true) == 10);
    client.receive(window_update(1, 10));
    CHECK(client.session.sendable(1) == 10);
    CHECK(client.send(5, true) == 5);
    CHECK(client.sent() == Lines{"DATA 1 15 FIN"});
    CHECK(client.send(5) == 0);
}

TEST_CASE("send() stops at the session's window, for all streams") {
    Uploader client{1000000};
    REQUIRE(client.session.open(block({{":path", "/"}}), 0, false) == StreamId{3});
    (void)client.session.take_output();
    CHECK(client.send(65000) == 65000);
    CHECK(client.session.sendable(3) == 536);
    CHECK(client.session.send(3, Buffer(1000), true) == 536);
    CHECK(client.session.sendable(1) == 0);
    client.receive(window_update(0, 464));
    CHECK(client.events_now() == Lines{"window 0"});
    CHECK(client.session.send(3, Buffer(464), true) == 464);
    CHECK(client.sent() == Lines{"DATA 1 65000", "DATA 3 1000 FIN"});
}

TEST_CASE("an empty DATA with FIN needs no window") {
    Uploader client{0};
    CHECK(client.session.sendable(1) == 0);
    CHECK(client.send(1, true) == 0);
    CHECK(client.sent().empty());
    CHECK(client.send(0, false) == 0);
    CHECK(client.sent().empty());
    CHECK(client.send(0, true) == 0);
    CHECK(client.sent() == Lines{"DATA 1 0 FIN"});
    CHECK(client.send(0, true) == 0);
    CHECK(client.sent().empty());
}

TEST_CASE("a body is cut into frames of the largest size allowed") {
    SessionOptions options;
    options.max_data_frame = 1000;
    Uploader client{65536, options};
    CHECK(client.send(2500, true) == 2500);
    CHECK(client.sent() == Lines{"DATA 1 1000", "DATA 1 1000", "DATA 1 500 FIN"});
    options.max_data_frame = 0;
    Uploader odd{65536, options};
    CHECK(odd.send(2, false) == 2);
    CHECK(odd.sent() == Lines{"DATA 1 1", "DATA 1 1"});
}

TEST_CASE("a smaller INITIAL_WINDOW_SIZE makes windows negative, and only what is above 0 counts") {
    Uploader client{100};
    CHECK(client.send(80) == 80);
    client.receive(wire::settings({{7, 10}}));  // now -70
    CHECK(client.events_now() == Lines{"settings"});
    CHECK(client.send(5) == 0);
    client.receive(window_update(1, 70));
    CHECK(client.events_now().empty());
    CHECK(client.send(5) == 0);
    client.receive(window_update(1, 3));
    CHECK(client.events_now() == Lines{"window 1"});
    CHECK(client.send(5) == 3);
    client.receive(wire::settings({{7, 12}}));
    CHECK(client.events_now() == Lines{"settings", "window 0"});
    CHECK(client.session.sendable(1) == 2);
    client.receive(wire::settings({{7, 0}}));
    CHECK(client.session.sendable(1) == 0);
    REQUIRE(client.session.open(block({{":path", "/"}}), 0, false) == StreamId{3});
    CHECK(client.session.sendable(3) == 0);
}

TEST_CASE("INITIAL_WINDOW_SIZE up to 2^31-1 is legal") {
    Uploader client{0x7fffffff};
    CHECK(client.session.sendable(1) == 65536);
    CHECK(at_client(wire::settings({{7, 0x80000000}})).fault == "SETTINGS INITIAL_WINDOW_SIZE above 2^31-1");
    CHECK(at_client(wire::settings({{7, 0xffffffff}})).fault == "SETTINGS INITIAL_WINDOW_SIZE above 2^31-1");
}

TEST_CASE("INITIAL_WINDOW_SIZE that would make an open window too large ends the session") {
    const Case upload{{}, [](Session& session) { (void)session.open(block({{"a", "b"}}), 0, false); }};
    const Outcome outcome =
        outcome_of(upload, wire::settings() << window_update(1, 1) << wire::settings({{7, 0x7fffffff}}));
    CHECK(outcome.fault == "SETTINGS INITIAL_WINDOW_SIZE makes a window exceed 2^31-1");
}

TEST_CASE("WINDOW_UPDATE of 0 resets the stream or ends the session") {
    const Case upload{{}, [](Session& session) { (void)session.open(block({{"a", "b"}}), 0, false); }};
    const Outcome stream = outcome_of(upload, wire::settings() << window_update(1, 0));
    CHECK(stream.events.back() == "reset 1 PROTOCOL_ERROR by us");
    CHECK(stream.frames == Lines{"RST 1 PROTOCOL_ERROR"});
    CHECK(outcome_of(upload, wire::settings() << window_update(1, 0x80000000)).frames ==
          Lines{"RST 1 PROTOCOL_ERROR"});
    CHECK(at_client(window_update(0, 0)).fault == "WINDOW_UPDATE of 0 on the session");
}

TEST_CASE("WINDOW_UPDATE beyond 2^31-1 resets the stream or ends the session") {
    const Case upload{{}, [](Session& session) { (void)session.open(block({{"a", "b"}}), 0, false); }};
    const std::uint32_t most = 0x7fffffff - 65536;
    CHECK(outcome_of(upload, wire::settings() << window_update(1, most) << window_update(0, most))
              .frames.empty());
    const Outcome stream = outcome_of(upload, wire::settings() << window_update(1, most + 1));
    CHECK(stream.events.back() == "reset 1 FLOW_CONTROL_ERROR by us");
    CHECK(stream.frames == Lines{"RST 1 FLOW_CONTROL_ERROR"});
    CHECK(at_client(window_update(0, most + 1)).fault ==
          "WINDOW_UPDATE makes the window of the session exceed 2^31-1");
}

TEST_CASE("WINDOW_UPDATE for a stream that is unknown, closed or finished by us is ignored") {
    const Outcome outcome = at_client(window_update(99, 0) << window_update(2, 5) << window_update(1, 0)
                                                           << window_update(1, 0x7fffffff) << wire::rst(3, 5)
                                                           << window_update(3, 0));
    CHECK(outcome.events == Lines{"reset 3 CANCEL by peer"});
    CHECK(outcome.frames.empty());
    CHECK(outcome.fault.empty());
}

TEST_CASE("a peer may fill the stream's window and no more") {
    SessionOptions options;
    options.stream_window = 100000;
    options.session_window = 1000000;
    Deflater zlib;
    const Outcome filled = at_server(
        syn_stream(1, zlib.block(kGet)) << data_of_size(1, 60000) << data_of_size(1, 40000), options);
    CHECK(filled.frames.empty());
    Deflater other;
    const Outcome over = at_server(syn_stream(1, other.block(kGet))
                                       << data_of_size(1, 60000) << data_of_size(1, 40001)
                                       << wire::data(1, "late") << syn_stream(3, other.block(kGet)),
                                   options);
    CHECK(over.events == Lines{"opened 1 p0 :method=GET", "data 1 " + std::string(60000, 'x'),
                               "reset 1 FLOW_CONTROL_ERROR by us", "opened 3 p0 :method=GET"});
    CHECK(over.frames == Lines{"RST 1 FLOW_CONTROL_ERROR"});
}

TEST_CASE("a client that does not know a small window yet may send 64 KiB, a server knows") {
    SessionOptions options;
    options.stream_window = 10;
    Deflater zlib;
    CHECK(at_server(syn_stream(1, zlib.block(kGet)) << data_of_size(1, 65536), options).frames.size() == 0);
    Deflater other;
    CHECK(at_server(syn_stream(1, other.block(kGet)) << data_of_size(1, 65537), options).frames ==
          Lines{"RST 1 FLOW_CONTROL_ERROR"});
    Deflater reply;
    CHECK(at_client(wire::syn_reply(1, reply.block(kGet)) << data_of_size(1, 11), options).frames ==
          Lines{"RST 1 FLOW_CONTROL_ERROR"});
}

TEST_CASE("the session's window is given back as DATA comes in, also DATA that nobody wants") {
    SessionOptions options;
    options.session_window = 100000;
    options.stream_window = 100000;
    Deflater zlib;
    const Outcome outcome = at_server(
        syn_stream(1, zlib.block(kGet)) << data_of_size(1, 49999) << data_of_size(1, 1) <<  // half a window
            wire::rst(1, 5) << data_of_size(1, 49999) << data_of_size(9, 1) <<              // closed, unknown
            data_of_size(1, 50000),
        options);
    CHECK(outcome.frames == Lines{"WINDOW_UPDATE 0 50000", "WINDOW_UPDATE 0 50000", "RST 9 INVALID_STREAM",
                                  "WINDOW_UPDATE 0 50000"});
    CHECK(outcome.fault.empty());
}

TEST_CASE("a peer that overruns the session's window ends the session") {
    SessionOptions options;
    options.session_window = 65536;
    options.stream_window = 200000;
    Deflater zlib;
    const Buffer open = syn_stream(1, zlib.block(kGet));
    CHECK(at_server(open << data_of_size(1, 65536), options).fault.empty());
    const Outcome over = at_server(open << data_of_size(1, 65537), options);
    CHECK(over.fault == "the peer overran the window of the session");
    CHECK(over.frames == Lines{"GOAWAY 1 PROTOCOL_ERROR"});
    CHECK(at_server(data_of_size(9, 65537), options).fault == "the peer overran the window of the session");
}

TEST_CASE("consume() gives a stream's window back by halves") {
    SessionOptions options;
    options.stream_window = 70000;
    Deflater zlib;
    const auto consume_all = [](Session& session) {
        session.consume(1, 30000);
        session.consume(1, 4999);
        session.consume(1, 1);
        session.consume(1, 1000000);  // more than there is
    };
    options.role = Role::server;
    const Outcome outcome =
        outcome_of({options, {}, consume_all},
                   wire::settings() << syn_stream(1, zlib.block(kGet)) << data_of_size(1, 70000));
    CHECK(outcome.frames == Lines{"WINDOW_UPDATE 1 35000", "WINDOW_UPDATE 1 35000"});
}

TEST_CASE("no WINDOW_UPDATE is sent for a stream that the peer has finished") {
    Deflater zlib;
    const Case server{{.role = Role::server}, {}, [](Session& session) { session.consume(1, 200000); }};
    const Buffer upload = wire::settings()
                          << syn_stream(1, zlib.block(kGet)) << data_of_size(1, 200000, true);
    CHECK(outcome_of(server, upload).frames.empty());
}
