// Entity tags that httpd's filters have changed.
#include <array>
#include <string>

#include "catch.hpp"
#include "mod_zmqspdy/core/entity_tags.hpp"

using namespace zmqspdy::router;

namespace {

constexpr std::array<std::string_view, 2> kSuffixes{"-gzip", "-br"};

}  // namespace

TEST_CASE("a worker gets the tags that it has sent beside those that the client knows") {
    struct Case {
        const char* field;
        const char* expected;
    };
    for (const auto& [field, expected] : {
             Case{R"("v7-gzip")", R"("v7", "v7-gzip")"},
             Case{R"("v7-br")", R"("v7", "v7-br")"},
             Case{R"(W/"v7-gzip")", R"(W/"v7", W/"v7-gzip")"},
             Case{R"("a", "b-gzip" ,W/"c-br","d")", R"("a", "b", "b-gzip", W/"c", W/"c-br", "d")"},
             Case{R"(,"a-gzip",,)", R"("a", "a-gzip")"},
             Case{R"("a,b-gzip")", R"("a,b", "a,b-gzip")"},
             Case{R"("v7-gzip-gzip")", R"("v7-gzip", "v7-gzip-gzip")"},
             // Nothing to take away.
             Case{R"("v7")", R"("v7")"},
             Case{R"("a" , W/"b")", R"("a" , W/"b")"},
             Case{R"("-gzip")", R"("-gzip")"},
             Case{R"("")", R"("")"},
             Case{"*", "*"},
             Case{"", ""},
             // Not a list of entity tags.
             Case{"v7-gzip", "v7-gzip"},
             Case{R"("v7-gzip)", R"("v7-gzip)"},
             Case{R"("v7"-gzip)", R"("v7"-gzip)"},
             Case{R"("a-gzip" "b-gzip")", R"("a-gzip" "b-gzip")"},
             Case{R"(w/"a-gzip")", R"(w/"a-gzip")"},
             Case{R"(W/)", R"(W/)"},
         }) {
        CAPTURE(field);
        CHECK(with_original_tags(field, kSuffixes) == expected);
    }
    CHECK(with_original_tags(R"("v7-gzip")", {}) == R"("v7-gzip")");
}

TEST_CASE("a 304 is about the tag that the client knows") {
    const auto known = [](std::string_view field, std::string_view tag) {
        return std::string(known_tag(field, tag, kSuffixes).value_or("none"));
    };
    CHECK(known(R"("v7-gzip")", R"("v7")") == R"("v7-gzip")");
    CHECK(known(R"("v6-gzip", W/"v7-br")", R"("v7")") == R"(W/"v7-br")");
    CHECK(known(R"("v7-gzip")", R"(W/"v7")") == R"("v7-gzip")");
    CHECK(known(R"("v7-gzip", "v7")", R"("v7")") == R"("v7")");
    CHECK(known(R"("v7-gzip")", R"("v7-gzip")") == R"("v7-gzip")");
    CHECK(known(R"("v8-gzip")", R"("v7")") == "none");
    CHECK(known("*", R"("v7")") == "none");
    CHECK(known("", R"("v7")") == "none");
    CHECK(known("nonsense", R"("v7")") == "none");
}
