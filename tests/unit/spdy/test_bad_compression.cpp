// Header compression gone wrong ends the session: no later block could be read.
#include <zlib.h>

#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::Buffer;
using wire::Deflater;
using wire::syn_reply;
using wire::syn_stream;

namespace {

const Buffer kGet = wire::plain({{":method", "GET"}});

std::string fault_of(const Buffer& block, SessionOptions options = {}) {
    const Outcome server = at_server(syn_stream(1, block), options);
    CHECK(server.events.empty());
    if (!server.fault.empty())
        CHECK(server.frames == Lines{"GOAWAY 0 PROTOCOL_ERROR"});
    // In each of the frames that carry a block, whatever the state of their stream.
    CHECK(at_client(syn_reply(1, block), options).fault == server.fault);
    CHECK(at_client(wire::headers(1, block), options).fault == server.fault);
    CHECK(at_client(syn_reply(77, block), options).fault == server.fault);
    CHECK(at_client(syn_stream(2, block), options).fault == server.fault);
    return server.fault;
}

}  // namespace

TEST_CASE("no dictionary, or the wrong one, ends the session") {
    CHECK(fault_of(Deflater{6, 15, false}.block(kGet)) ==
          "the header compression does not use the SPDY/3 dictionary");
    Buffer wrong = Deflater{}.block(kGet);
    wrong[2] ^= std::byte{0xff};
    CHECK(fault_of(wrong) == "the header compression uses another dictionary than that of SPDY/3");
}

TEST_CASE("a block that is no zlib data, is cut, or ends the zlib stream, ends the session") {
    CHECK(fault_of(wire::bytes("nonsense")) == "a header block is not valid zlib data");
    CHECK(fault_of(kGet) == "a header block is not valid zlib data");
    const Buffer whole = Deflater{}.block(kGet);
    CHECK(fault_of({whole.begin(), whole.begin() + 1}) == "a header block does not end with a flush");
    CHECK(fault_of({whole.begin(), whole.end() - 8}) == "a header block does not end with a flush");
    CHECK(fault_of(Deflater{}.block(kGet, Z_NO_FLUSH)) == "a header block does not end with a flush");
    CHECK(fault_of(Deflater{}.block(kGet, Z_FINISH)) == "the header compression was ended");
    CHECK(fault_of(whole << wire::bytes("trailing")) == "a header block is not valid zlib data");
}

TEST_CASE("a bomb ends the session and inflates no further than the limit") {
    SessionOptions options;
    options.max_control_frame = 1 << 20;
    const Buffer bomb = Deflater{9}.block(Buffer(16 << 20));
    CHECK(bomb.size() < 17000);
    Session session{{.role = Role::server}};
    std::vector<Event> events;
    const auto fault = session.receive(wire::settings() << syn_stream(1, bomb), events);
    REQUIRE(fault);
    CHECK(fault->why == "a header block is too large");

    options.max_header_bytes = 100;
    const auto block = [](std::size_t size) {
        return Deflater{}.block(wire::plain({{"a", std::string(size - 13, 'x')}}));
    };
    CHECK(at_server(syn_stream(1, block(100)), options).fault.empty());
    CHECK(at_server(syn_stream(1, block(101)), options).fault == "a header block is too large");
}

TEST_CASE("stored blocks are legal") {
    Deflater stored{0};
    const Outcome outcome = at_server(syn_stream(1, stored.block(kGet)) << syn_stream(3, stored.block(kGet)));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET", "opened 3 p0 :method=GET"});
}

TEST_CASE("a fresh zlib stream for each block is not SPDY/3 and ends the session") {
    const Outcome outcome =
        at_server(syn_stream(1, Deflater{}.block(kGet)) << syn_stream(3, Deflater{}.block(kGet)));
    CHECK(outcome.events == Lines{"opened 1 p0 :method=GET"});
    CHECK_FALSE(outcome.fault.empty());
}

TEST_CASE("the context survives every block whose stream was not taken") {
    SessionOptions options;
    options.max_concurrent_streams = 1;
    Deflater zlib{9};
    const Buffer long_block =
        wire::plain({{"cookie", std::string("0123456789abcdefghijklmnopqrstuvwxyz") + "!"}});
    const Outcome outcome = at_server(syn_stream(1, zlib.block(kGet)) <<                         // taken
                                          syn_stream(3, zlib.block(long_block)) <<               // too many
                                          syn_stream(3, zlib.block(long_block)) <<               // twice
                                          wire::headers(3, zlib.block(long_block)) <<            // closed
                                          wire::headers(99, zlib.block(long_block)) <<           // unknown
                                          syn_reply(1, zlib.block(long_block)) <<                // closes 1
                                          syn_stream(5, zlib.block(long_block), 0, 0, 2) <<      // associated
                                          syn_stream(7, zlib.block(long_block << Buffer(1))) <<  // malformed
                                          syn_stream(9, zlib.block(long_block)),                 // taken
                                      options);
    CHECK(outcome.fault.empty());
    CHECK(outcome.events.front() == "opened 1 p0 :method=GET");
    CHECK(outcome.events.back() == "opened 9 p0 cookie=0123456789abcdefghijklmnopqrstuvwxyz!");
}
