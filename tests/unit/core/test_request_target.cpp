// Whatever a client sends and modules make of it, a worker is asked for what httpd has judged.
#include <array>
#include <random>
#include <string>

#include "catch.hpp"
#include "httpd_path.hpp"
#include "mod_zmqspdy/core/request_target.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

namespace {

constexpr std::array<std::string_view, 42> kPieces{
    "/",     "/",   "/",    "//",       "///", "a",      "admin",  "public", "headers", ".",     "..",
    "/./",   "/..", "/../", "%2e",      "%2E", "%2e%2e", "%2f",    "%2F",    "%252f",   "%252e", "%5c",
    "%41",   "%20", "%c3",  "\xc3\xa9", "%",   "%zz",    "%00",    "?",      "?q=1",    "://",   "://h",
    "http:", "h",   ":",    "@",        "#",   ";",      "&x=%2F", "%3f",    "%23"};

constexpr std::array<std::string_view, 8> kBeginnings{"/",      "/",      "",         "http://h",
                                                      "http:/", "http:?", "https://", "//"};

class Generator {
  public:
    std::string target() {
        std::string text(pick(kBeginnings));
        for (auto pieces = below(8); pieces > 0; --pieces)
            text += pick(kPieces);
        return text;
    }
    PathRules rules() {
        constexpr std::array kSlashes{EncodedSlash::refused, EncodedSlash::decoded, EncodedSlash::kept};
        return {kSlashes.at(below(3)), below(2) == 0};
    }

  private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    template <typename Array>
    std::string_view pick(const Array& all) {
        return all[below(all.size())];
    }

    std::mt19937 random_{20240611};
};

std::optional<std::string> ask(const std::string& sent, const test::HttpdTarget& httpd, PathRules rules) {
    Target target{sent, httpd.path, std::nullopt};
    if (httpd.query)
        target.query = *httpd.query;
    return origin_form(target, rules);
}

std::string asked(std::string_view sent, std::string_view path, std::optional<std::string_view> query = {},
                  PathRules rules = {}) {
    return origin_form({sent, path, query}, rules).value_or("none");
}

}  // namespace

TEST_CASE("whatever a client sends, a worker is asked for the path that httpd has judged", "[target]") {
    Generator generator;
    std::size_t taken = 0;
    std::size_t as_sent = 0;
    std::string problem;
    for (int i = 0; i < 1'000'000 && problem.empty(); ++i) {
        const std::string sent = generator.target();
        const PathRules rules = generator.rules();
        const auto httpd = test::read_as_httpd(sent, rules);
        if (!httpd)
            continue;
        ++taken;
        const auto result = ask(sent, *httpd, rules);
        if (!result)
            problem = "refused: " + sent + " is " + httpd->path;
        else if (const auto broken = test::broken_rule(*result, *httpd, rules))
            problem = sent + " is " + httpd->path + ", asked for " + *result + ": " + *broken;
        else if (*result == sent)
            ++as_sent;
    }
    CHECK(problem.empty());
    INFO(problem);
    // Most of what httpd takes is not changed, or this would show nothing.
    CHECK(taken > 200'000);
    CHECK(as_sent > 50'000);
}

TEST_CASE("whatever a module has made of path and query, a worker is asked for it", "[target]") {
    Generator generator;
    std::size_t taken = 0;
    std::string problem;
    for (int i = 0; i < 200'000 && problem.empty(); ++i) {
        const std::string sent = generator.target();
        const PathRules rules = generator.rules();
        // As a rewriting would leave it: not decoded from what was sent, not normalised.
        test::HttpdTarget httpd{generator.target(), std::nullopt};
        if (i % 2 == 0)
            httpd.query = generator.target();
        const auto result = ask(sent, httpd, rules);
        if (!result)
            continue;
        ++taken;
        if (const auto broken = test::broken_rule(*result, httpd, rules))
            problem = sent + " was made " + httpd.path + ", asked for " + *result + ": " + *broken;
    }
    INFO(problem);
    CHECK(problem.empty());
    CHECK(taken > 20'000);
}

TEST_CASE("a target is as the client sent it where httpd reads it as what it has", "[target]") {
    for (const char* sent :
         {"/", "/a%20b", "/%41%c3%a4", "/caf\xc3\xa9", "/a;b=c/d", "/a+b", "//a//b", "/a/...", "/%2541"}) {
        CAPTURE(sent);
        const auto httpd = test::read_as_httpd(sent, {});
        REQUIRE(httpd);
        CHECK(asked(sent, httpd->path) == sent);
    }
    // httpd answers 400, instead of making "%2E" of it first.
    CHECK_FALSE(test::read_as_httpd("/%2%45", {}));
    CHECK(asked("/a?b=%2F?c", "/a", "b=%2F?c") == "/a?b=%2F?c");
    CHECK(asked("/a?", "/a", "") == "/a?");
    CHECK(asked("/a%2fb", "/a/b", {}, {EncodedSlash::decoded}) == "/a%2fb");
    CHECK(asked("/a%2fb%2Fc", "/a%2fb%2Fc", {}, {EncodedSlash::kept}) == "/a%2fb%2Fc");
}

TEST_CASE("scheme and authority are no part of it, wherever their characters stand", "[target]") {
    CHECK(asked("http://h/a%20b?c", "/a b", "c") == "/a%20b?c");
    CHECK(asked("http://h", "/") == "/");
    CHECK(asked("http://h?c", "/", "c") == "/?c");
    CHECK(asked("http:/x", "/x") == "/x");
    CHECK(asked("?id=79", "/", "id=79") == "/?id=79");
    CHECK(asked("http:/public?://h/headers", "/public", "://h/headers") == "/public?://h/headers");
    CHECK(asked("HTTP:/p?://h/headers", "/p", "://h/headers") == "/p?://h/headers");
    CHECK(asked("http:?://h/headers", "/", "://h/headers") == "/?://h/headers");
    CHECK(asked("https:/p/x://h/headers", "/p/x:/h/headers") == "/p/x://h/headers");
}

TEST_CASE("what httpd has is encoded anew where the client's bytes say something else", "[target]") {
    CHECK(asked("/old/a%20b", "/new/a b?#%", "x=1") == "/new/a%20b%3F%23%25?x=1");
    CHECK(asked("/a/../b%20c", "/b c") == "/b%20c");
    CHECK(asked("/a%2f..%2fb", "/b", {}, {EncodedSlash::decoded}) == "/b");
    CHECK(asked("/a?b#c", "/a", "b") == "/a?b");
    CHECK(asked("/a", "/a", "b c\r\n\x7f") == "/a?b%20c%0D%0A%7F");
    // MergeSlashes Off: httpd merges those in front all the same.
    CHECK(asked("//a//b", "/a//b", {}, {.merge_slashes = false}) == "/a//b");
    // NoDecode: an encoded slash is encoded already.
    CHECK(asked("/old/a%2Fb", "/new/a%2Fb%", {}, {EncodedSlash::kept}) == "/new/a%2Fb%25");
    CHECK(asked("/x/../a%2fb", "/a%2fb", {}, {EncodedSlash::kept}) == "/a%2fb");
    CHECK(asked("/old/a%252Fb", "/new/a%2Fb", {}, {EncodedSlash::decoded}) == "/new/a%252Fb");
}

TEST_CASE("a path that a worker would resolve to another one is not asked for", "[target]") {
    for (const char* path : {"", "*", "a", "/y/../admin", "/..", "/a/.", "/./a"}) {
        CAPTURE(path);
        CHECK_FALSE(origin_form({"/x../admin", path, std::nullopt}, {}));
    }
}
