// Server-Sent Events, as a browser's EventSource would read them.
#include <random>

#include "catch.hpp"
#include "collecting_writer.hpp"
#include "zmqspdy/event_stream.hpp"

using namespace std::chrono_literals;
using zmqspdy::event_stream;
using zmqspdy::EventWriter;
using zmqspdy::last_event_id;
using zmqspdy::Request;
using zmqspdy::ServerEvent;

namespace {

struct Read {
    std::string data;
    std::string type;
    std::string id;
    bool operator==(const Read&) const = default;
};

/// The algorithm of WHATWG HTML, 9.2.6, for a stream that has LF as its only line end.
std::vector<Read> read_events(std::string_view stream) {
    std::vector<Read> events;
    Read event;
    std::string last_id;
    bool has_data = false;
    while (!stream.empty()) {
        const auto end = stream.find('\n');
        REQUIRE(end != std::string_view::npos);
        const auto line = stream.substr(0, end);
        stream.remove_prefix(end + 1);
        if (line.empty()) {
            event.id = last_id;
            if (has_data) {
                event.data.pop_back();
                events.push_back(event);
            }
            event = {};
            has_data = false;
            continue;
        }
        const auto colon = line.find(':');
        const auto field = line.substr(0, colon);
        auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
        if (value.starts_with(' '))
            value.remove_prefix(1);
        if (field == "data") {
            event.data.append(value).push_back('\n');
            has_data = true;
        } else if (field == "event") {
            event.type = value;
        } else if (field == "id") {
            last_id = value;
        }
    }
    return events;
}

/// With LF for every line end, as a browser hands it over.
std::string normalised(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') {
            result.push_back('\n');
            if (i + 1 < text.size() && text[i + 1] == '\n')
                ++i;
        } else {
            result.push_back(text[i]);
        }
    }
    return result;
}

}  // namespace

TEST_CASE("an event as it goes over the wire") {
    CHECK(ServerEvent{.data = "x"}.to_string() == "data: x\n\n");
    CHECK(ServerEvent{.data = "", .type = "tick", .id = "7", .retry = 1500ms}.to_string() ==
          "event: tick\nid: 7\nretry: 1500\ndata: \n\n");
    CHECK(ServerEvent{.data = "a\r\nb\rc\n"}.to_string() == "data: a\ndata: b\ndata: c\ndata: \n\n");
    for (const std::string& bad : {std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3)}) {
        CHECK_THROWS_AS((ServerEvent{.data = "x", .type = bad}.to_string()), std::invalid_argument);
        CHECK_THROWS_AS((ServerEvent{.data = "x", .id = bad}.to_string()), std::invalid_argument);
    }
    CHECK_THROWS_AS((ServerEvent{.data = "x", .retry = -1ms}.to_string()), std::invalid_argument);
}

TEST_CASE("whatever an event's data is, a reader gets it back, and no other event") {
    std::mt19937 random{20120211};
    constexpr std::string_view kPieces[] = {
        "\n", "\r", "\r\n", ":", " ", "data: ", "event: x", "id: 1", "a", "\xc3\xa4", ""};
    for (int round = 0; round < 2000; ++round) {
        std::string stream;
        std::vector<Read> wanted;
        for (int i = 0; i < 3; ++i) {
            ServerEvent event;
            for (auto pieces = random() % 8; pieces > 0; --pieces)
                event.data += kPieces[random() % std::size(kPieces)];
            event.id = std::to_string(i + 1);
            event.type = random() % 2 == 0 ? "" : "t";
            stream += event.to_string();
            wanted.push_back({normalised(event.data), event.type, event.id});
        }
        CAPTURE(stream);
        REQUIRE(read_events(stream) == wanted);
    }
}

TEST_CASE("an event stream is a response that no cache keeps") {
    const auto response = event_stream([](EventWriter& events) {
        CHECK(events.send({.data = "one"}));
        CHECK(events.keep_alive());
        CHECK(events.send({.data = "two"}));
    });
    CHECK(response.headers() ==
          zmqspdy::Response::Fields{{"content-type", "text/event-stream"}, {"cache-control", "no-store"}});
    REQUIRE(response.as_stream() != nullptr);
    CHECK(test::body_of(response) == "data: one\n\n:\n\ndata: two\n\n");
    CHECK_THROWS_AS(event_stream(nullptr), std::invalid_argument);
    CHECK(last_event_id(Request{"GET", "/", {{"Last-Event-ID", "7"}}}) == "7");
    CHECK(!last_event_id(Request{"GET", "/"}));
}
