// Responses as values, and the head that goes out for them.
#include "catch.hpp"
#include "worker/answering.hpp"
#include "zmqspdy/response.hpp"

using zmqspdy::Response;
using zmqspdy::Writer;
using zmqspdy::serving::encode;
using zmqspdy::serving::Log;

TEST_CASE("responses are made and changed in chains") {
    const auto response =
        Response::text("no\n").status(403).header("X-Why", "because").header("set-cookie", "a=1");
    CHECK(response.status() == 403);
    CHECK(response.body() == "no\n");
    CHECK(response.headers() == Response::Fields{{"content-type", "text/plain; charset=utf-8"},
                                                 {"x-why", "because"},
                                                 {"set-cookie", "a=1"}});
    CHECK(Response::html("").headers().front().second == "text/html; charset=utf-8");
    CHECK(Response::json("").headers().front().second == "application/json");
    CHECK(Response{}.status() == 200);
    CHECK(Response{}.body().empty());
    Response copy = response;
    copy.header("content-type", "a/b").header("set-cookie", "b=2");
    CHECK(copy.headers().front().second == "a/b");
    CHECK(copy.headers().size() == 4);
    CHECK(std::move(copy).body() == "no\n");
    const auto stream = Response::stream("a/b", [](Writer&) {});
    CHECK(stream.as_stream() != nullptr);
    CHECK(stream.as_later() == nullptr);
    CHECK(stream.body().empty());
    CHECK(Response::later([](const auto&) {}).as_later() != nullptr);
}

TEST_CASE("responses that httpd would have to refuse cannot be made") {
    Response response;
    for (const int code : {-1, 0, 100, 103, 199, 600, 1000})
        CHECK_THROWS_AS(response.status(code), std::invalid_argument);
    for (const auto* name : {"", "a b", "a:b", ":status", "a\n", "Connection", "Transfer-Encoding",
                             "keep-alive", "Proxy-Connection", "UPGRADE", "Trailer", "te", "HTTP2-Settings"})
        CHECK_THROWS_AS(response.header(name, "x"), std::invalid_argument);
    for (const auto* value : {"a\r\nb: c", "a\nb", "\x01", " a", "a ", "a\x7f"})
        CHECK_THROWS_AS(response.header("x", value), std::invalid_argument);
    CHECK_THROWS_AS(response.header("x", std::string_view("a\0b", 3)), std::invalid_argument);
    CHECK_THROWS_AS(Response::stream("a\n", [](Writer&) {}), std::invalid_argument);
    CHECK_THROWS_AS(Response::stream("a/b", nullptr), std::invalid_argument);
    CHECK_THROWS_AS(Response::later(nullptr), std::invalid_argument);
    CHECK_NOTHROW(response.header("x", "tab\there, \xc3\xa4"));
    CHECK_NOTHROW(response.header("x", ""));
    CHECK(response.status() == 200);
}

TEST_CASE("the head of a response") {
    const Log log{"test"};
    const auto length = [&](Response response, bool is_head = false) {
        const auto encoded = encode(response, is_head, log);
        CHECK(encoded.headers.find(":version") == "HTTP/1.1");
        return std::string(encoded.headers.find("content-length").value_or("none"));
    };
    const auto stream = Response::stream("a/b", [](Writer&) {});
    CHECK(length(Response::text("four")) == "4");
    CHECK(length(Response{}) == "0");
    CHECK(length(Response::text("four").header("Content-Length", "9")) == "9");
    CHECK(length(Response::text("four"), true) == "4");
    CHECK(length(Response{}, true) == "none");
    CHECK(length(Response{}.header("content-length", "7"), true) == "7");
    CHECK(length(stream) == "none");
    CHECK(length(Response::text("four").status(204)) == "none");
    CHECK(length(Response::text("four").header("content-length", "4").status(204)) == "none");
    CHECK(length(Response::text("four").status(304)) == "none");

    auto cookies = Response{}.header("set-cookie", "a=1").header("Set-Cookie", "b=2");
    CHECK(encode(cookies, false, log).headers.find("set-cookie") == std::string_view("a=1\0b=2", 7));
    auto none = Response::text("x").status(304);
    CHECK(!encode(none, false, log).has_body);
    auto large = Response::text("x").header("large", std::string(100'000, 'x'));
    CHECK(encode(large, false, log).headers.find(":status") == "500");
    CHECK(large.status() == 500);
}

TEST_CASE("a redirect says where, and refuses what would not") {
    const auto moved = Response::redirect("/there?x=%20", 308);
    CHECK(moved.status() == 308);
    CHECK(moved.headers() == Response::Fields{{"location", "/there?x=%20"}});
    CHECK(Response::redirect("https://example.org/").status() == 302);
    for (const int status : {200, 300, 304, 305, 306, 309, 404})
        CHECK_THROWS_AS(Response::redirect("/", status), std::invalid_argument);
    for (const auto* location : {"", "/a\r\nSet-Cookie: x=1", " /", "/\x01"})
        CHECK_THROWS_AS(Response::redirect(location), std::invalid_argument);
}
