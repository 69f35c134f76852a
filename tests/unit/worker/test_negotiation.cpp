// Which of several representations a client gets.
#include "catch.hpp"
#include "zmqspdy/negotiation.hpp"

using zmqspdy::choose_encoding;
using zmqspdy::choose_language;
using zmqspdy::choose_media_type;
using zmqspdy::Offered;
using zmqspdy::Request;

namespace {

using Choice = std::optional<std::string_view>;

struct Case {
    std::string_view field;
    std::vector<std::string_view> offered;
    Choice choice;
};

void check(std::string_view name, Choice (*choose)(const Request&, Offered), const std::vector<Case>& cases) {
    for (const auto& item : cases) {
        CAPTURE(name, item.field, item.offered);
        const Request request{"GET", "/", {{std::string(name), std::string(item.field)}}};
        CHECK(choose(request, item.offered) == item.choice);
    }
    const Request none{"GET", "/"};
    CHECK(choose(none, {}) == std::nullopt);
}

}  // namespace

TEST_CASE("media types by Accept", "[http]") {
    check(
        "Accept", choose_media_type,
        {
            {"", {"a/b", "a/c"}, "a/b"},
            {"*/*", {"a/b", "a/c"}, "a/b"},
            {"a/c", {"a/b", "a/c"}, "a/c"},
            {"A/C", {"a/b", "a/c"}, "a/c"},
            {"a/b;q=0.5, a/c", {"a/b", "a/c"}, "a/c"},
            {"a/b;q=0.5, a/*;q=0.4", {"a/c", "a/b"}, "a/b"},
            {"a/*, a/b;q=0.1", {"a/b", "a/c"}, "a/c"},
            {"a/*;q=1, a/b;q=0", {"a/b"}, {}},
            {"*/*;q=0.1, a/*;q=0", {"a/b", "c/d"}, "c/d"},
            {"a/b", {"c/d"}, {}},
            {"a/b;q=0", {"a/b"}, {}},
            {"a/b;q=0.001", {"a/b"}, "a/b"},
            {"ab/*", {"a/b", "abc/d"}, {}},
            {"text/html;level=1;q=0.3, text/html;q=0.7, text/*;q=0.2",
             {"text/html;level=1", "text/html", "text/plain"},
             "text/html"},
            {"text/html;level=1, text/html;q=0.7", {"text/html", "text/html; Level=1"}, "text/html; Level=1"},
            {"text/html;charset=\"UTF-8\"", {"text/html; charset=utf-8"}, "text/html; charset=utf-8"},
            {"text/html;level=1", {"text/html"}, {}},
            // What clients send that is not, or hardly, in the grammar.
            {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
             {"application/json"},
             "application/json"},
            {"text/html, *; q=.2, */*; q=.2", {"application/json", "text/html"}, "text/html"},
            {"application/json;charset=utf-8", {"application/json"}, "application/json"},
            {"application/json;charset=utf-8, text/html;q=0.9",
             {"text/html", "application/json"},
             "application/json"},
            {"text/html;q=.5, text/plain;q=1.", {"text/html", "text/plain"}, "text/plain"},
            {"text/html;q=., text/plain;q=.1", {"text/html", "text/plain"}, "text/plain"},
            {"a/b;x=\"1,a/c;q=1\";q=0.1, a/d;q=0.2", {"a/c", "a/d"}, "a/d"},
            {"a/b;Q=0.5 , a/c ; q=0.6", {"a/b", "a/c"}, "a/c"},
            // Malformed ranges are passed over, and a field of nothing else is as good as none.
            {"a/b;q=2, a/c;q=0.1", {"a/b", "a/c"}, "a/c"},
            {"a/b;q=-1, a/b;q=, a/b;q=0.1234, a/b;q=1.001, a/b;q=.5555, a/b;q=x", {"a/c"}, "a/c"},
            {"a/, /b, a, */b, ;, a b/c, ,,", {"a/c"}, "a/c"},
            {"a/b;q=0.1;q=1, a/c", {"a/b", "a/c"}, "a/c"},
            {"\"", {"a/c"}, "a/c"},
            {"*/*", {"", "a/b"}, "a/b"},
        });
    CHECK(choose_media_type(Request{"GET", "/"}, {"a/b", "a/c"}) == "a/b");
    const Request two{"GET", "/", {{"accept", "a/b;q=0.5"}, {"accept", "a/c"}}};
    CHECK(choose_media_type(two, {"a/b", "a/c"}) == "a/c");
    const Request hostile{"GET", "/", {{"accept", std::string(100'000, ';') + std::string(100'000, '"')}}};
    CHECK(choose_media_type(hostile, {"a/b"}) == "a/b");
}

TEST_CASE("content codings by Accept-Encoding", "[http]") {
    check("Accept-Encoding", choose_encoding,
          {
              {"", {"gzip", "identity"}, "identity"},
              {"", {"gzip"}, {}},
              {"gzip, br", {"br", "gzip", "identity"}, "br"},
              {"gzip;q=1.0, br;q=0.9", {"br", "gzip", "identity"}, "gzip"},
              {"GZIP", {"identity", "gzip"}, "gzip"},
              {"x-gzip", {"identity", "gzip"}, "gzip"},
              {"gzip;q=0.001", {"identity", "gzip"}, "gzip"},
              {"identity, gzip;q=0.5", {"gzip", "identity"}, "identity"},
              {"br", {"gzip", "identity"}, "identity"},
              {"br", {"gzip"}, {}},
              {"gzip;q=0", {"gzip", "identity"}, "identity"},
              {"identity;q=0", {"identity"}, {}},
              {"*;q=0", {"gzip", "identity"}, {}},
              {"*;q=0, gzip", {"identity", "gzip"}, "gzip"},
              {"*;q=0, identity;q=0.1", {"gzip", "identity"}, "identity"},
              {"*", {"gzip", "identity"}, "gzip"},
              {"gzip;q=0, *;q=0.5", {"gzip", "br"}, "br"},
              {"gzip;q=9", {"gzip", "identity"}, "identity"},
          });
    const Request none{"GET", "/"};
    CHECK(choose_encoding(none, {"gzip", "identity"}) == "identity");
    CHECK(choose_encoding(none, {"gzip"}) == "gzip");
}

TEST_CASE("languages by Accept-Language", "[http]") {
    check("Accept-Language", choose_language,
          {
              {"", {"en", "de"}, "en"},
              {"de", {"en", "de"}, "de"},
              {"da, en-gb;q=0.8, en;q=0.7", {"en", "en-GB"}, "en-GB"},
              {"en", {"de", "en-GB"}, "en-GB"},
              {"en", {"eng"}, {}},
              {"de-AT, en;q=0.5", {"en", "de"}, "de"},
              {"de-AT, de-DE;q=0.5", {"de-DE", "de"}, "de"},
              {"de-AT", {"de-DE"}, {}},
              {"zh-Hant-TW", {"zh", "zh-Hant"}, "zh-Hant"},
              {"en;q=0.5, en-US;q=0", {"en-US", "en"}, "en"},
              {"en-US;q=0, en", {"en"}, "en"},
              {"de-AT;q=0", {"de"}, {}},
              {"*;q=0.1, de", {"en", "de"}, "de"},
              {"*;q=0.1, fr", {"en", "de"}, "en"},
              {"*, de;q=0", {"de", "en"}, "en"},
              {"*;q=0", {"de"}, {}},
              {"de_AT, e n, \"", {"en"}, "en"},
              {"-", {"en"}, {}},
          });
    CHECK(choose_language(Request{"GET", "/"}, {"en", "de"}) == "en");
}
