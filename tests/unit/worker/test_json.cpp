// JSON from clients, and for them.
#include "catch.hpp"
#include "zmqspdy/json.hpp"

using nlohmann::json;
using zmqspdy::HttpError;
using zmqspdy::is_json_type;
using zmqspdy::json_response;
using zmqspdy::kMostJsonDepth;
using zmqspdy::read_json;
using zmqspdy::Request;

namespace {

Request post(std::string body, std::string type = "application/json") {
    return Request{"POST", "/", {{"Content-Type", std::move(type)}}, std::move(body)};
}

/// The status that reading throws; 200 when it throws nothing.
int status_of(Request request, std::size_t limit = std::size_t{1024} * 1024) {
    try {
        (void)read_json(request, limit);
        return 200;
    } catch (const HttpError& error) {
        return error.status();
    }
}

std::string nested(int depth, const std::string& begin, const std::string& end) {
    std::string text;
    for (int i = 0; i < depth; ++i)
        text += begin;
    for (int i = 0; i < depth; ++i)
        text += end;
    return text;
}

}  // namespace

TEST_CASE("JSON is read if Content-Type says so", "[http]") {
    auto request = post(R"( {"a": [1, 2.5, "\u00e4", null, true], "a": 1} )");
    CHECK(read_json(request) == json{{"a", 1}});
    for (const auto* type : {"application/json", "Application/JSON; charset=utf-8", "application/json ;x",
                             "application/problem+json", "a/b+JSON"})
        CHECK(is_json_type(type));
    for (const auto* type :
         {"", ";", "json", "+json", "text/plain", "application/jsonp", "application/json5", "text/x; +json",
          "application/x-www-form-urlencoded", "text/plain; application/json"}) {
        CHECK(!is_json_type(type));
        CHECK(status_of(post("{}", type)) == 415);
    }
    CHECK(status_of(Request{"POST", "/", {}, "{}"}) == 415);
}

TEST_CASE("JSON that is malformed, too long or too deep is refused", "[http]") {
    for (const auto* text : {"null", "0", "\"\"", "[]", "{}", " [1] \n", "\"\\ud83d\\ude00\""})
        CHECK(status_of(post(text)) == 200);
    for (const auto* text :
         {"",    " ",  "nul",    "{",        "[1,]",     "{a:1}",       "{'a':1}", "[1] 2",   "01", "1e999",
          "NaN", "\"", "\"\n\"", "\"\xff\"", "\"\xc3\"", "\"\\ud83d\"", "\"\\x\"", "// x\n1", "]",  "[}"}) {
        CAPTURE(text);
        CHECK(status_of(post(text)) == 400);
    }
    CHECK(status_of(post(std::string("[1]\0", 4))) == 400);
    CHECK(status_of(post("[1]"), 3) == 200);
    CHECK(status_of(post("[1] "), 3) == 413);
    CHECK(status_of(post(nested(kMostJsonDepth, "[", "]"))) == 200);
    CHECK(status_of(post(nested(kMostJsonDepth + 1, "[", "]"))) == 400);
    CHECK(status_of(post(nested(kMostJsonDepth + 1, "{\"a\":[", "]}"))) == 400);
    CHECK(status_of(post(std::string(500'000, '['))) == 400);
    CHECK(status_of(post(nested(500'000, "[", "]"))) == 400);
}

TEST_CASE("JSON is written in UTF-8, whatever the strings have", "[http]") {
    const auto response = json_response({{"a", "\xc3\xa4"}, {"b", "\xff"}}).status(201);
    CHECK(response.status() == 201);
    CHECK(response.body() == "{\"a\":\"\xc3\xa4\",\"b\":\"\xef\xbf\xbd\"}\n");
    CHECK(response.headers().front().second == "application/json");
}
