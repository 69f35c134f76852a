// What a worker may say of itself, and what it is answered.
#include <array>

#include "catch.hpp"
#include "headers.hpp"
#include "transport/announcement.hpp"

using namespace zmqspdy;
using namespace zmqspdy::transport;
using namespace std::string_view_literals;

namespace {

Announcement parsed(const spdy::HeaderBlock& block) {
    auto result = parse_announcement(block);
    if (const auto* error = std::get_if<AnnouncementError>(&result))
        FAIL(error->why);
    return std::get<Announcement>(std::move(result));
}

spdy::HeaderBlock announcement_with(std::string_view name, std::string_view value) {
    auto block = headers({{":method", "POST"}, {":path", "/workers"}});
    if (name != "name")
        block.add("name", "w");
    block.add(name, value);
    return block;
}

}  // namespace

TEST_CASE("an announcement arrives as it was made") {
    Announcement announcement;
    announcement.name = "blue-1";
    SECTION("the least") {}
    SECTION("the most") {
        announcement.endpoint = TcpEndpoint{"::1", 65535};
        announcement.name = std::string(kMaxNameLength, '~');
        announcement.capacity = kMaxCapacity;
        announcement.weight = kMaxWeight;
        announcement.service = std::string(kMaxNameLength, '!');
    }
    SECTION("an abstract socket") {
        announcement.endpoint = AbstractEndpoint{"zmqspdy/x"};
    }
    const auto again = parsed(to_headers(announcement));
    CHECK(again.endpoint.has_value() == announcement.endpoint.has_value());
    if (again.endpoint)
        CHECK(to_string(*again.endpoint) == to_string(*announcement.endpoint));
    CHECK(again.name == announcement.name);
    CHECK(again.capacity == announcement.capacity);
    CHECK(again.weight == announcement.weight);
    CHECK(again.service == announcement.service);
}

TEST_CASE("what an announcement does not say has a default") {
    const auto announcement = parsed(announcement_with("name", "w"));
    CHECK_FALSE(announcement.endpoint);
    CHECK(announcement.capacity == 1);
    CHECK(announcement.weight == 1);
    CHECK(announcement.service.empty());
}

TEST_CASE("a new version may say more") {
    CHECK(parsed(announcement_with("colour", "blue")).name == "w");
}

TEST_CASE("announcements that are refused") {
    struct Case {
        std::string_view name;
        std::string_view value;
        std::string_view mentioned;  // in the reason
    };
    constexpr std::array kCases{
        Case{"name", "", "'name'"},
        Case{"name", "a b", "'name'"},
        Case{"name", "a\nb", "'name'"},
        Case{"name", "a\0b"sv, "'name'"},
        Case{"name", "caf\xc3\xa9", "'name'"},
        Case{"name", "1234567890123456789012345678901234567890123456789012345678901234", "'name'"},
        Case{"endpoint", "tcp://host", "'tcp://host'"},
        Case{"endpoint", "ipc:///run/x", "'ipc:///run/x'"},
        Case{"endpoint", "", "''"},
        Case{"capacity", "0", "'capacity'"},
        Case{"capacity", "65536", "'capacity'"},
        Case{"capacity", "-1", "'capacity'"},
        Case{"capacity", "1 ", "'capacity'"},
        Case{"capacity", "", "'capacity'"},
        Case{"capacity", "1\0002"sv, "'capacity'"},
        Case{"capacity", "99999999999999999999", "'capacity'"},
        Case{"weight", "0", "'weight'"},
        Case{"weight", "101", "'weight'"},
        Case{"weight", "x", "'weight'"},
        Case{"service", "a b", "'service'"},
        Case{"service", "a\x7f", "'service'"},
    };
    for (const auto& [name, value, mentioned] : kCases) {
        INFO(name << ": '" << value << "'");
        const auto result = parse_announcement(announcement_with(name, value));
        REQUIRE(std::holds_alternative<AnnouncementError>(result));
        CHECK(std::get<AnnouncementError>(result).status == 400);
        CHECK(std::get<AnnouncementError>(result).why.find(mentioned) != std::string::npos);
    }
    const auto nameless = parse_announcement(headers({{":method", "POST"}, {":path", "/workers"}}));
    CHECK(std::get<AnnouncementError>(nameless).status == 400);
}

TEST_CASE("what is not an announcement is not found") {
    for (const auto& block :
         {headers({}), headers({{":method", "GET"}, {":path", "/workers"}, {"name", "w"}}),
          headers({{":method", "POST"}, {":path", "/"}, {"name", "w"}})}) {
        const auto result = parse_announcement(block);
        REQUIRE(std::holds_alternative<AnnouncementError>(result));
        CHECK(std::get<AnnouncementError>(result).status == 404);
    }
}

TEST_CASE("an update changes what it names") {
    auto announcement = parsed(to_headers(Announcement{
        .endpoint = AbstractEndpoint{"zmqspdy/x"}, .name = "w", .capacity = 5, .weight = 6, .service = "s"}));
    CHECK_FALSE(update(announcement, headers({{"capacity", "9"}})));
    CHECK(announcement.capacity == 9);
    CHECK(announcement.weight == 6);
    CHECK(announcement.service == "s");
    CHECK(announcement.endpoint);
    CHECK_FALSE(update(announcement, headers({{"weight", "7"}, {"service", ""}, {"name", "v"}})));
    CHECK(announcement.weight == 7);
    CHECK(announcement.service.empty());
    CHECK(announcement.name == "v");
    CHECK(update(announcement, headers({{"weight", "0"}})));
    CHECK_FALSE(update(announcement, headers({})));
    CHECK(announcement.endpoint);
    CHECK_FALSE(update(announcement, relay_instead()));
    CHECK_FALSE(announcement.endpoint);
    CHECK(announcement.weight == 7);
}

TEST_CASE("what keeps children from a worker is told in a sentence") {
    CHECK(parse_undialable(undialable("no route")) == "no route");
    CHECK_FALSE(parse_undialable(relay_instead()));
}

TEST_CASE("an instance is told as it is, or not at all") {
    CHECK(parsed(headers({{":method", "POST"}, {":path", "/workers"}, {"name", "w"}})).instance == 0);
    Announcement announcement;
    announcement.name = "w";
    announcement.instance = ~std::uint64_t{0};
    CHECK(parsed(to_headers(announcement)).instance == announcement.instance);
    for (const char* const wrong : {"", "g", "12 ", "-1", "11112222333344445"})
        CHECK(update(announcement, headers({{"instance", wrong}})));
    CHECK_FALSE(update(announcement, headers({{"instance", "BEEF"}})));
    CHECK(announcement.instance == 0xbeef);
}

TEST_CASE("the answer to an announcement arrives as it was made") {
    AnnouncementReply reply;
    SECTION("welcome") {
        reply.heartbeat = std::chrono::milliseconds(250);
    }
    SECTION("refused") {
        reply.status = 403;
        reply.reason = "because";
    }
    const auto again = parse_reply(to_headers(reply));
    REQUIRE(again);
    CHECK(again->status == reply.status);
    CHECK(again->reason == reply.reason);
    CHECK(again->heartbeat == reply.heartbeat);
}

TEST_CASE("answers that are none") {
    CHECK_FALSE(parse_reply(headers({})));
    CHECK_FALSE(parse_reply(headers({{":status", "OK"}})));
    CHECK_FALSE(parse_reply(headers({{":status", "20"}})));
    CHECK_FALSE(parse_reply(headers({{":status", "201"}, {"heartbeat-ms", "0"}})));
    CHECK_FALSE(parse_reply(headers({{":status", "201"}, {"heartbeat-ms", "soon"}})));
    CHECK(parse_reply(headers({{":status", "201 Created"}}))->status == 201);
}
