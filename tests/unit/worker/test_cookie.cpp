// Cookies in both directions.
#include "catch.hpp"
#include "zmqspdy/cookie.hpp"
#include "zmqspdy/response.hpp"

using namespace std::chrono_literals;
using zmqspdy::cookie;
using zmqspdy::Cookies;
using zmqspdy::cookies;
using zmqspdy::Request;
using zmqspdy::SameSite;
using zmqspdy::SetCookie;

TEST_CASE("cookies that clients send", "[http]") {
    struct Case {
        std::string_view field;
        Cookies cookies;
    };
    const std::vector<Case> cases{
        {"", {}},
        {";;; ;", {}},
        {"a=1", {{"a", "1"}}},
        {"a=1; b=2;c=3", {{"a", "1"}, {"b", "2"}, {"c", "3"}}},
        {"a=1; a=2", {{"a", "1"}, {"a", "2"}}},
        {" a = 1 ;\tb\t=\t2\t", {{"a", "1"}, {"b", "2"}}},
        {"a=", {{"a", ""}}},
        {"a==b=", {{"a", "=b="}}},
        {"a=\"x, y\"", {{"a", "\"x, y\""}}},
        {"a=%20+", {{"a", "%20+"}}},
        {"a; =1; b=2", {{"b", "2"}}},
        {"a=\xff\xfe; $Version=1", {{"a", "\xff\xfe"}, {"$Version", "1"}}},
        {"a=1, b=2", {{"a", "1, b=2"}}},
    };
    for (const auto& item : cases) {
        CAPTURE(item.field);
        const Request request{"GET", "/", {{"Cookie", std::string(item.field)}}};
        CHECK(cookies(request) == item.cookies);
    }
    const Request request{"GET", "/", {{"cookie", "a=1"}, {"x-cookie", "c=4"}, {"Cookie", "A=2; a=3"}}};
    CHECK(cookies(request) == Cookies{{"a", "1"}, {"A", "2"}, {"a", "3"}});
    CHECK(cookie(request, "a") == "1");
    CHECK(cookie(request, "A") == "2");
    CHECK(!cookie(request, "c"));
    CHECK(cookies(Request{"GET", "/"}).empty());
}

TEST_CASE("cookies to be set", "[http]") {
    CHECK(SetCookie{.name = "a", .value = "b"}.to_string() == "a=b; Path=/; HttpOnly; SameSite=Lax");
    const SetCookie full{.name = "__Secure-a",
                         .value = "\"b\"",
                         .path = "/x y",
                         .domain = "Example.org",
                         .max_age = 1h,
                         .secure = true,
                         .http_only = false,
                         .same_site = SameSite::none};
    CHECK(full.to_string() ==
          "__Secure-a=\"b\"; Path=/x y; Domain=Example.org; Max-Age=3600; Secure; SameSite=None");
    const SetCookie bare{
        .name = "a", .value = "", .path = "", .http_only = false, .same_site = SameSite::unset};
    CHECK(bare.to_string() == "a=");
    const SetCookie deleted{.name = "a", .value = "", .max_age = 0s, .same_site = SameSite::strict};
    CHECK(deleted.to_string() == "a=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    CHECK(SetCookie{.name = "__Host-a", .value = "", .secure = true}.to_string().starts_with("__Host-a=;"));
    CHECK_NOTHROW(zmqspdy::Response{}.header("set-cookie", full.to_string()));
}

TEST_CASE("cookies that browsers would misread cannot be set", "[http]") {
    const auto throws = [](const SetCookie& cookie) {
        CAPTURE(cookie.name, cookie.value, cookie.path, cookie.domain);
        CHECK_THROWS_AS(cookie.to_string(), std::invalid_argument);
    };
    for (const auto* name : {"", "a b", "a=b", "a;b", "a\r\nb", "\xc3\xa4", "a\x7f"})
        throws({.name = name, .value = "x"});
    for (const auto* value : {" ", "a b", "a,b", "a;b", "a\\b", "\"", "\"a", "a\"b", "\r\n", "\xc3\xa4"})
        throws({.name = "a", .value = value});
    throws({.name = "a", .value = std::string(1, '\0')});
    throws({.name = "a", .value = std::string(4096, 'x')});
    for (const auto* path : {"a", "*", "/;secure", "/\n", "/\x7f", "/\xff"})
        throws({.name = "a", .value = "", .path = path});
    for (const auto* domain : {".", ".a", "a.", "a..b", "a b", "a;b", "a:1", "[::1]", "a\n", "\xc3\xa4"})
        throws({.name = "a", .value = "", .domain = domain});
    throws({.name = "a", .value = "", .max_age = -1s});
    throws({.name = "a", .value = "", .same_site = SameSite::none});
    throws({.name = "__Secure-a", .value = ""});
    throws({.name = "__host-a", .value = ""});
    throws({.name = "__Host-a", .value = "", .path = "/x", .secure = true});
    throws({.name = "__Host-a", .value = "", .domain = "a.b", .secure = true});
}
