// What a worker may put into header fields.
#include <array>
#include <random>

#include "catch.hpp"
#include "headers.hpp"
#include "mod_zmqspdy/core/http_fields.hpp"
#include "transport/field_rules.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::string_view_literals;

namespace {

/// A block as a worker may send it, with names and values that HeaderBlock::add() would not make.
std::variant<spdy::HeaderBlock, spdy::HeaderBlockError> wire_block(Pairs pairs) {
    std::string plain;
    const auto number = [&plain](std::size_t value) {
        for (int shift = 24; shift >= 0; shift -= 8)
            plain += static_cast<char>(value >> shift & 0xffU);
    };
    number(pairs.size());
    for (const auto& [name, value] : pairs) {
        number(name.size());
        plain += name;
        number(value.size());
        plain += value;
    }
    return spdy::HeaderBlock::parse(bytes(plain), 100);
}

/// Whether a response with this field is refused, be it by SPDY's rules or by HTTP's.
bool refused(std::string_view name, std::string_view value) {
    const auto response = wire_block({{":status", "200"}, {name, value}});
    const auto trailers = wire_block({{name, value}});
    const auto* const block = std::get_if<spdy::HeaderBlock>(&response);
    if (block == nullptr) {
        CHECK(std::holds_alternative<spdy::HeaderBlockError>(trailers));
        return true;
    }
    const bool bad = std::holds_alternative<std::string>(check_response(*block));
    if (name != "content-length" && name != ":version")
        CHECK(check_trailers(std::get<spdy::HeaderBlock>(trailers)).has_value() == bad);
    return bad;
}

std::string error_of(const spdy::HeaderBlock& block) {
    const auto checked = check_response(block);
    const auto* const error = std::get_if<std::string>(&checked);
    return error ? *error : "";
}

}  // namespace

TEST_CASE("the status of a response") {
    struct Case {
        std::string_view status;
        int expected;  // 0: refused
    };
    constexpr std::array kCases{Case{"200", 200},
                                Case{"200 OK", 200},
                                Case{"404 Not Found", 404},
                                Case{"100", 100},
                                Case{"599", 599},
                                Case{"204 ", 204},
                                Case{"200 \xc3\xa9", 200},
                                Case{"99", 0},
                                Case{"099", 0},
                                Case{"600", 0},
                                Case{"999", 0},
                                Case{"1000", 0},
                                Case{"20", 0},
                                Case{"", 0},
                                Case{" 200", 0},
                                Case{"+20", 0},
                                Case{"-20", 0},
                                Case{"2e2", 0},
                                Case{"0x2", 0},
                                Case{"200OK", 0},
                                Case{"200\tOK", 0},
                                Case{"200\r\n", 0},
                                Case{"OK 200", 0},
                                Case{"200\000404"sv, 0}};
    for (const auto& [status, expected] : kCases) {
        INFO("status '" << status << "'");
        const auto checked = check_response(headers({{":status", status}, {":version", "HTTP/1.1"}}));
        if (expected == 0) {
            CHECK(std::holds_alternative<std::string>(checked));
        } else {
            REQUIRE(std::holds_alternative<ResponseHead>(checked));
            CHECK(std::get<ResponseHead>(checked).status == expected);
            CHECK_FALSE(std::get<ResponseHead>(checked).content_length);
        }
    }
}

TEST_CASE("a response without a status is refused") {
    CHECK(error_of(headers({})) == ":status is missing");
    CHECK(error_of(headers({{":version", "HTTP/1.1"}, {"a", "b"}})) == ":status is missing");
    CHECK_FALSE(error_of(headers({{"status", "200"}})).empty());
}

TEST_CASE("header fields that pass") {
    constexpr std::array kCases{
        std::pair{"foo"sv, "bar"sv},
        std::pair{"foo"sv, ""sv},
        std::pair{"foo"sv, "b\tar"sv},
        std::pair{"foo"sv, " padded "sv},
        std::pair{"foo"sv, "caf\xc3\xa9 \xff"sv},
        std::pair{"set-cookie"sv, "a=1\0b=2"sv},
        std::pair{"!#$%&'*+-.^_`|~09az"sv, "all that a token has"sv},
        std::pair{"location"sv, "http://example.com/?a=b&c=d#e"sv},
        std::pair{"www-authenticate"sv, "Basic realm=\"x\""sv},
        std::pair{":version"sv, "HTTP/1.1"sv},
        std::pair{"trailers"sv, "is not Trailer"sv},
    };
    for (const auto& [name, value] : kCases) {
        INFO(name << ": " << value);
        CHECK_FALSE(refused(name, value));
    }
}

TEST_CASE("header fields that are refused") {
    constexpr std::array kCases{
        // Names that are no token.
        std::pair{""sv, "bar"sv},
        std::pair{": bar"sv, "x"sv},
        std::pair{"f\0oo"sv, "bar"sv},
        std::pair{"f\x01oo"sv, "bar"sv},
        std::pair{"f\noo"sv, "bar"sv},
        std::pair{"f\roo"sv, "bar"sv},
        std::pair{"f\too"sv, "bar"sv},
        std::pair{"foo "sv, "bar"sv},
        std::pair{" foo"sv, "bar"sv},
        std::pair{"f oo"sv, "bar"sv},
        std::pair{"foo:"sv, "bar"sv},
        std::pair{"Foo"sv, "bar"sv},
        std::pair{"f\x7foo"sv, "bar"sv},
        std::pair{"f\xc3\xa9"sv, "bar"sv},
        std::pair{"f\"oo"sv, "bar"sv},
        std::pair{"f(oo)"sv, "bar"sv},
        std::pair{"f/oo"sv, "bar"sv},
        std::pair{"f,oo"sv, "bar"sv},
        std::pair{"f;oo"sv, "bar"sv},
        std::pair{"f=oo"sv, "bar"sv},
        std::pair{"f[oo]"sv, "bar"sv},
        std::pair{"f{oo}"sv, "bar"sv},
        std::pair{"f\\oo"sv, "bar"sv},
        std::pair{":method"sv, "GET"sv},
        std::pair{":path"sv, "/"sv},
        std::pair{":unknown"sv, "x"sv},
        // Values that end the line, or worse.
        std::pair{"foo"sv,
                  "b\x01"
                  "ar"sv},
        std::pair{"foo"sv, "bar\r\nset-cookie: evil"sv},
        std::pair{"foo"sv, "bar\n"sv},
        std::pair{"foo"sv, "\rbar"sv},
        std::pair{"foo"sv,
                  "b\x7f"
                  "ar"sv},
        std::pair{"foo"sv, "b\x1b[31mar"sv},
        std::pair{"foo"sv, "good\0b\nad"sv},
        std::pair{"foo"sv, "b\nad\0good"sv},
        // NULs where SPDY has none.
        std::pair{"foo"sv, "\0bar"sv},
        std::pair{"foo"sv, "bar\0"sv},
        std::pair{"foo"sv, "b\0\0ar"sv},
        // What belongs to one connection.
        std::pair{"connection"sv, "close"sv},
        std::pair{"keep-alive"sv, "timeout=5"sv},
        std::pair{"proxy-connection"sv, "close"sv},
        std::pair{"transfer-encoding"sv, "chunked"sv},
        std::pair{"te"sv, "trailers"sv},
        std::pair{"trailer"sv, "x"sv},
        std::pair{"upgrade"sv, "websocket"sv},
        std::pair{"http2-settings"sv, "AAMAAABk"sv},
    };
    for (const auto& [name, value] : kCases) {
        INFO(name << ": " << value);
        CHECK(refused(name, value));
    }
}

TEST_CASE("content-length is one decimal number") {
    struct Case {
        std::string_view value;
        std::int64_t expected;  // -1: refused
    };
    constexpr std::array kCases{Case{"0", 0},
                                Case{"5", 5},
                                Case{"0005", 5},
                                Case{"9223372036854775807", INT64_MAX},
                                Case{"5\0005"sv, 5},
                                Case{"5\00005\0005"sv, 5},
                                Case{"9223372036854775808", -1},
                                Case{"18446744073709551616", -1},
                                Case{"99999999999999999999999999", -1},
                                Case{"5\0006"sv, -1},
                                Case{"5\0x"sv, -1},
                                Case{"x\0005"sv, -1},
                                Case{"x\000x"sv, -1},
                                Case{"5, 5", -1},
                                Case{"-1", -1},
                                Case{"-0", -1},
                                Case{"+5", -1},
                                Case{" 5", -1},
                                Case{"5 ", -1},
                                Case{"5\t", -1},
                                Case{"", -1},
                                Case{"5.0", -1},
                                Case{"5e1", -1},
                                Case{"0x5", -1},
                                Case{"five", -1}};
    for (const auto& [value, expected] : kCases) {
        INFO("content-length '" << value << "'");
        const auto checked = check_response(headers({{":status", "200"}, {"content-length", value}}));
        if (expected < 0) {
            CHECK(std::holds_alternative<std::string>(checked));
        } else {
            REQUIRE(std::holds_alternative<ResponseHead>(checked));
            CHECK(std::get<ResponseHead>(checked).content_length == static_cast<std::uint64_t>(expected));
        }
    }
}

TEST_CASE("trailers have no status") {
    CHECK_FALSE(check_trailers(headers({})));
    CHECK_FALSE(check_trailers(headers({{"checksum", "abc"}})));
    CHECK(check_trailers(headers({{":status", "200"}})));
    CHECK(check_trailers(headers({{"checksum", "abc"}, {"transfer-encoding", "chunked"}})));
}

TEST_CASE("errors are safe to log") {
    const auto block = wire_block({{":status", "200"}, {"evil\r\n\x1b[31m" + std::string(5000, 'x'), "v"}});
    REQUIRE(std::holds_alternative<spdy::HeaderBlock>(block));
    const auto error = error_of(std::get<spdy::HeaderBlock>(block));
    CHECK(error.starts_with("header name 'evil\\x0d\\x0a\\x1b"));
    CHECK(error.size() < 200);
    CHECK(is_field_value(error));
}

TEST_CASE("one wrong field refuses the whole response") {
    CHECK_FALSE(error_of(headers({{":status", "200"}, {"a", "1"}, {"b", "x\ny"}, {"c", "3"}})).empty());
    CHECK_FALSE(error_of(headers({{"b", "x\ny"}, {":status", "200"}})).empty());
}

TEST_CASE("more or longer header lines than the limits are refused") {
    const FieldLimits limits{.count = 3, .line_size = 10};
    const auto error = [&](Pairs pairs) {
        const auto block = headers(pairs);
        const auto checked = check_response(block, limits);
        const auto* const why = std::get_if<std::string>(&checked);
        return why != nullptr ? *why : "";
    };
    CHECK(error({{":status", "200"}, {"a", "1"}, {"b", "2"}, {"c", "3"}}).empty());
    CHECK_FALSE(error({{":status", "200"}, {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}).empty());
    // Each of several values is a line.
    CHECK(error({{":status", "200"}, {"a", "1"}, {"a", "2"}, {"a", "3"}}).empty());
    CHECK_FALSE(error({{":status", "200"}, {"a", "1"}, {"a", "2"}, {"a", "3"}, {"a", "4"}}).empty());
    CHECK(error({{":status", "200"}, {"name", "123456"}}).empty());
    CHECK_FALSE(error({{":status", "200"}, {"name", "1234567"}}).empty());
    CHECK(check_trailers(headers({{"name", "1234567"}}), limits));
    CHECK_FALSE(check_trailers(headers({{"name", "123456"}}), limits));
}

TEST_CASE("a field name is spelt as HTTP/1 clients know it, and stays the same name") {
    using zmqspdy::router::http1_spelling;
    for (const auto& [name, spelled] : {std::pair{"content-type", "Content-Type"},
                                        {"etag", "ETag"},
                                        {"www-authenticate", "WWW-Authenticate"},
                                        {"set-cookie", "Set-Cookie"},
                                        {"content-md5", "Content-MD5"},
                                        {"x-xss-protection", "X-XSS-Protection"},
                                        {"x-ua-compatible", "X-UA-Compatible"},
                                        {"nel", "NEL"},
                                        {"x_odd.name", "X_odd.name"},
                                        {"x--y-", "X--Y-"},
                                        {"-x", "-X"},
                                        {"1-2", "1-2"},
                                        {"", ""}})
        CHECK(http1_spelling(name) == spelled);
    std::mt19937 random{1};
    for (int i = 0; i < 10'000; ++i) {
        std::string name(random() % 20, ' ');
        for (char& c : name)
            c = "abegtwz-_1!"[random() % 11];
        CHECK(zmqspdy::transport::to_lower(http1_spelling(name)) == name);
    }
}

TEST_CASE("the reason phrase is what stands behind the status, and has no control characters") {
    const auto reason = [](const std::string& status) {
        const auto block = headers({{":status", status}});
        const auto checked = check_response(block);
        const auto* head = std::get_if<ResponseHead>(&checked);
        return head == nullptr ? "wrong" : std::string{head->reason};
    };
    CHECK(reason("200").empty());
    CHECK(reason("200 ").empty());
    CHECK(reason("404 Nothing Here") == "Nothing Here");
    CHECK(reason("404 N\xc3\xa9"
                 "ant") ==
          "N\xc3\xa9"
          "ant");
    CHECK(reason("404 " + std::string(8190, 'r')).size() == 8190);
    for (const std::string bad : {"404\tNothing", "404Nothing", "404 a\rb", "404 a\nb", "404 a\x7f"})
        CHECK(reason(bad) == "wrong");
    CHECK(reason("404 " + std::string(8191, 'r')) == "wrong");
}
