// Frames that cost much and bring nothing have a budget; those that bring something have none.
#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::block;
using wire::Buffer;
using wire::Deflater;
using wire::syn_stream;

namespace {

const Buffer kGet = wire::plain({{":method", "GET"}});
const std::string kTooMany = "too many frames that bring nothing";
constexpr std::uint32_t kBudget = 50;

/// Sends `frame` again and again; the number of times that went well, `most` if all did.
int taken(Session& session, const Buffer& frame, int most) {
    std::vector<Event> events;
    for (int i = 0; i < most; ++i) {
        events.clear();
        if (const auto fault = session.receive(frame, events)) {
            CHECK(fault->why == kTooMany);
            return i;
        }
        (void)session.take_output();
    }
    return most;
}

Session started(Role role, const Buffer& first = {}) {
    SessionOptions options;
    options.role = role;
    options.glitches_per_second = kBudget;
    options.max_concurrent_streams = 1;
    Session session{options};
    if (role == Role::client)
        REQUIRE(session.open(block({{":path", "/"}}), 0, false) == StreamId{1});
    std::vector<Event> events;
    REQUIRE_FALSE(session.receive(wire::settings() << first, events));
    return session;
}

}  // namespace

TEST_CASE("glitches are taken up to twice the budget at once") {
    constexpr int burst = 2 * kBudget;
    Deflater zlib;
    const Buffer open = syn_stream(1, zlib.block(kGet));
    for (const Buffer& frame :
         {wire::ping(1), wire::settings(), wire::rst(1, 5), wire::rst(3, 5), wire::data(1, ""),
          wire::data(9, ""), wire::data(9, "x"), wire::window_update(0, 1), wire::window_update(1, 1),
          wire::window_update(9, 1), wire::go_away(9, 0), wire::control(5, 0, {}),
          wire::control(99, 0, wire::bytes("x"))}) {
        Session server = started(Role::server, open);
        CHECK(taken(server, frame, 1000) == burst);
        Session client = started(Role::client);
        CHECK(taken(client, frame, 1000) <= burst);
    }
}

TEST_CASE("empty DATA for a closed stream is counted, late DATA is not") {
    Deflater zlib;
    Session server = started(Role::server, syn_stream(1, zlib.block(kGet)));
    server.reset(1, ResetCode::cancel);
    CHECK(taken(server, wire::data(1, std::string(100, 'x')), 1000) == 1000);
    CHECK(taken(server, wire::data(1, ""), 1000) == 2 * kBudget);
}

TEST_CASE("the budget refills by the clock") {
    Session server = started(Role::server);
    CHECK(taken(server, wire::ping(1), 100) == 100);
    server.tick(0.5);
    CHECK(taken(server, wire::ping(1), 25) == 25);
    server.tick(60);
    CHECK(taken(server, wire::ping(1), 1000) == 100);
}

TEST_CASE("answers to our own PINGs are free, once each; what we did not ask is not") {
    const auto role = GENERATE(Role::client, Role::server);
    Session session = started(role);
    std::vector<Event> events;
    std::uint32_t id = 0;
    for (int i = 0; i < 1000; ++i) {
        id = session.ping();
        REQUIRE_FALSE(session.receive(wire::ping(id), events));
    }
    CHECK(events.size() == 1000);  // each answer is told
    SECTION("the last answer again and again") {
        CHECK(taken(session, wire::ping(id), 1000) == 2 * kBudget);
    }
    SECTION("an answer to what was not asked yet") {
        CHECK(taken(session, wire::ping(id + 2), 1000) == 2 * kBudget);
    }
    SECTION("an earlier answer, which a later one stands for") {
        const auto earlier = session.ping();
        const auto later = session.ping();
        REQUIRE_FALSE(session.receive(wire::ping(later), events));
        CHECK(taken(session, wire::ping(earlier), 1000) == 2 * kBudget);
    }
    SECTION("PINGs of the peer") {
        CHECK(taken(session, wire::ping(id + 1), 1000) == 2 * kBudget);
    }
}

TEST_CASE("the first SETTINGS are free") {
    SessionOptions options;
    options.glitches_per_second = 0;
    Session session{options};
    std::vector<Event> events;
    CHECK_FALSE(session.receive(wire::settings(), events));
    CHECK(session.receive(wire::settings(), events));
}

TEST_CASE("refused streams, pushed streams and faults that we answer are counted") {
    const auto flood = [](Role role, StreamId id, const Buffer& plain, const Buffer& first) {
        Deflater zlib;
        Session session = started(role, first.empty() ? first : syn_stream(1, zlib.block(first)));
        std::vector<Event> events;
        int count = 0;
        for (; count < 1000; ++count, id += 2) {
            if (const auto fault = session.receive(syn_stream(id, zlib.block(plain)), events)) {
                CHECK(fault->why == kTooMany);
                break;
            }
        }
        return count;
    };
    CHECK(flood(Role::server, 3, kGet, kGet) == 2 * kBudget);                    // above the limit of streams
    CHECK(flood(Role::server, 1, wire::plain({{"A", ""}}), {}) == 2 * kBudget);  // malformed
    CHECK(flood(Role::client, 2, kGet, {}) == 2 * kBudget);                      // pushed
}

TEST_CASE("opening and cancelling is counted, opening and finishing is not") {
    for (const bool cancel : {true, false}) {
        Deflater zlib;
        Session server = started(Role::server);
        std::vector<Event> events;
        int count = 0;
        for (StreamId id = 1; count < 1000; id += 2, ++count) {
            Buffer request = syn_stream(id, zlib.block(kGet)) << wire::data(id, "tiny", true);
            if (cancel)
                request = request << wire::rst(id, 5);
            if (server.receive(request, events))
                break;
            if (!cancel)
                CHECK(server.reply(id, block({{":status", "200"}}), true));
        }
        CHECK(count == (cancel ? 2 * static_cast<int>(kBudget) : 1000));
    }
}

TEST_CASE("one-byte DATA is counted a sixteenth, larger DATA not at all") {
    for (const std::size_t size : {1u, 31u, 32u}) {
        Deflater zlib;
        Session server = started(Role::server, syn_stream(1, zlib.block(kGet)));
        std::vector<Event> events;
        int count = 0;
        for (; count < 3000; ++count) {
            if (server.receive(wire::data_of_size(1, size), events))
                break;
            server.consume(1, size);
        }
        CHECK(count == (size < 32 ? 16 * 2 * static_cast<int>(kBudget) : 3000));
    }
}

TEST_CASE("HEADERS are free for sixteen blocks of a stream, and counted then") {
    Deflater zlib;
    Session client = started(Role::client);
    std::vector<Event> events;
    int count = 0;
    for (; count < 1000; ++count) {
        if (client.receive(wire::headers(1, zlib.block(wire::plain({{":status", "103"}}))), events))
            break;
    }
    CHECK(count == 16 + 2 * static_cast<int>(kBudget));
}

TEST_CASE("late headers of closed streams are counted") {
    Deflater zlib;
    Session client = started(Role::client);
    client.reset(1, ResetCode::cancel);
    std::vector<Event> events;
    int count = 0;
    for (; count < 1000; ++count) {
        if (client.receive(wire::syn_reply(1, zlib.block(wire::plain({{":status", "200"}}))), events))
            break;
    }
    CHECK(count == 2 * static_cast<int>(kBudget));
}

TEST_CASE("late WINDOW_UPDATEs of a finished stream are free as well") {
    Session client = started(Role::client);
    std::vector<Event> events;
    REQUIRE_FALSE(client.receive(wire::window_update(0, 1 << 20) << wire::settings({{7, 1 << 20}}), events));
    REQUIRE(client.send(1, Buffer(500000), true) == 500000);
    CHECK(taken(client, wire::window_update(1, 1000), 1000) == 500 + 2 * static_cast<int>(kBudget) - 2);
}

TEST_CASE("WINDOW_UPDATE that gives back what we sent is free, however small the window") {
    for (const std::uint32_t size : {31u, 32u}) {
        Session client = started(Role::client);
        std::vector<Event> events;
        int count = 0;
        for (; count < 2000; ++count) {
            REQUIRE(client.send(1, Buffer(size), false) == size);
            if (client.receive(wire::window_update(1, size) << wire::window_update(0, size), events))
                break;
        }
        CHECK(count == (size < 32 ? static_cast<int>(kBudget) : 2000));
    }
    Session client = started(Role::client);
    REQUIRE(client.send(1, Buffer(1000), false) == 1000);
    CHECK(taken(client, wire::window_update(1, 100), 1000) == 10 + 2 * static_cast<int>(kBudget));
}
