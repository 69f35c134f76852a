// Preconditions in their order, and ranges.
#include "catch.hpp"
#include "worker/entity_tag.hpp"
#include "zmqspdy/conditional.hpp"
#include "zmqspdy/http_date.hpp"

using zmqspdy::ByteRange;
using zmqspdy::choose_range;
using zmqspdy::Condition;
using zmqspdy::evaluate_conditions;
using zmqspdy::RangeChoice;
using zmqspdy::Request;
using zmqspdy::Validators;

namespace {

constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

Validators strong() {
    return {.etag = "\"a\"", .last_modified = zmqspdy::parse_http_date(kSame)};
}

Validators weak() {
    return {.etag = "W/\"a\"", .last_modified = zmqspdy::parse_http_date(kSame)};
}

/// "whole", "416" or "FIRST-LAST".
std::string range_of(const Request& request, std::uint64_t size, const Validators& current = strong()) {
    const RangeChoice choice = choose_range(request, current, size);
    if (const auto* range = std::get_if<ByteRange>(&choice)) {
        CHECK(range->length() == range->last - range->first + 1);
        return std::to_string(range->first) + "-" + std::to_string(range->last);
    }
    return std::holds_alternative<zmqspdy::Unsatisfiable>(choice) ? "416" : "whole";
}

}  // namespace

TEST_CASE("entity tags", "[http]") {
    using namespace zmqspdy::serving;
    for (const auto* tag : {"\"\"", "\"a\"", "W/\"a\"", "\"a,b\\\"", "\"\xff\""})
        CHECK(is_entity_tag(tag));
    for (const auto* tag :
         {"", "\"", "a", "w/\"a\"", "W/a", "W/", "\"a\"b\"", "\"a b\"", "\"\x7f\"", "\"a\n\""})
        CHECK(!is_entity_tag(tag));
    CHECK(list_has_tag("\"b\\\", \"a\"", "\"a\"", true));
    CHECK(list_has_tag(" ,, \"b,\" ,\"a\"", "\"a\"", true));
    CHECK(!list_has_tag("\"b, \"a\"", "\"a\"", true));
    CHECK(!list_has_tag("\"x,\"a\",\"", "\"a\"", true));
    CHECK(!list_has_tag("", "", true));
    CHECK(!list_has_tag("a", "a", false));
}

TEST_CASE("preconditions are evaluated in the order of RFC 9110", "[http]") {
    using enum Condition;
    struct Case {
        Request::Fields fields;
        Condition get;
        Condition put;
    };
    const std::vector<Case> cases{
        {{}, proceed, proceed},
        {{{"If-Match", "*"}}, proceed, proceed},
        {{{"If-Match", "\"a\""}}, proceed, proceed},
        {{{"If-Match", "\"b\", \"a\""}}, proceed, proceed},
        {{{"If-Match", "\"b\""}, {"If-Match", "\"a\""}}, proceed, proceed},
        {{{"If-Match", "\"b\""}}, precondition_failed, precondition_failed},
        {{{"If-Match", "W/\"a\""}}, precondition_failed, precondition_failed},
        {{{"If-Match", ""}}, precondition_failed, precondition_failed},
        {{{"If-Match", "a, \""}}, precondition_failed, precondition_failed},
        {{{"If-None-Match", "*"}}, not_modified, precondition_failed},
        {{{"If-None-Match", "\"a\""}}, not_modified, precondition_failed},
        {{{"If-None-Match", "W/\"a\""}}, not_modified, precondition_failed},
        {{{"If-None-Match", "\"b\",W/\"a\""}}, not_modified, precondition_failed},
        {{{"If-None-Match", "\"b\""}}, proceed, proceed},
        {{{"If-None-Match", "a"}}, proceed, proceed},
        {{{"If-Modified-Since", kBefore}}, proceed, proceed},
        {{{"If-Modified-Since", kSame}}, not_modified, proceed},
        {{{"If-Modified-Since", kAfter}}, not_modified, proceed},
        {{{"If-Modified-Since", "tomorrow"}}, proceed, proceed},
        {{{"If-Modified-Since", kSame}, {"If-Modified-Since", kSame}}, proceed, proceed},
        {{{"If-Unmodified-Since", kBefore}}, precondition_failed, precondition_failed},
        {{{"If-Unmodified-Since", kSame}}, proceed, proceed},
        {{{"If-Unmodified-Since", kAfter}}, proceed, proceed},
        {{{"If-Unmodified-Since", "yesterday"}}, proceed, proceed},
        // An entity tag beats a date, and what must hold comes before what must not.
        {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", kBefore}}, proceed, proceed},
        {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", kAfter}}, proceed, proceed},
        {{{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, precondition_failed, precondition_failed},
        {{{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, not_modified, precondition_failed},
        {{{"If-Match", "\"a\""}, {"If-Modified-Since", kSame}}, not_modified, proceed},
    };
    for (const auto& item : cases) {
        CAPTURE(item.fields);
        CHECK(evaluate_conditions(Request{"GET", "/", item.fields}, strong()) == item.get);
        CHECK(evaluate_conditions(Request{"HEAD", "/", item.fields}, strong()) == item.get);
        CHECK(evaluate_conditions(Request{"PUT", "/", item.fields}, strong()) == item.put);
    }
}

TEST_CASE("preconditions on what has few validators or is not there", "[http]") {
    using enum Condition;
    const auto evaluate = [](const char* name, const char* value, const Validators& current) {
        return evaluate_conditions(Request{"PUT", "/", {{name, value}}}, current);
    };
    CHECK(evaluate("If-Match", "W/\"a\"", weak()) == precondition_failed);
    CHECK(evaluate("If-Match", "*", weak()) == proceed);
    CHECK(evaluate("If-None-Match", "\"a\"", weak()) == precondition_failed);
    CHECK(evaluate("If-Match", "*", {}) == proceed);
    CHECK(evaluate("If-Match", "\"\"", {}) == precondition_failed);
    CHECK(evaluate("If-None-Match", "\"\"", {}) == proceed);
    CHECK(evaluate("If-Unmodified-Since", kBefore, {}) == proceed);
    CHECK(evaluate("If-Match", "*", {.exists = false}) == precondition_failed);
    CHECK(evaluate("If-None-Match", "*", {.exists = false}) == proceed);
    CHECK(evaluate_conditions(Request{"GET", "/", {{"If-Modified-Since", kAfter}}}, {}) == proceed);
}

TEST_CASE("ranges of bytes", "[http]") {
    struct Case {
        std::string_view range;
        std::uint64_t size;
        std::string_view choice;
    };
    const std::vector<Case> cases{
        {"bytes=0-0", 10, "0-0"},
        {"bytes=2-5", 10, "2-5"},
        {"BYTES=2-", 10, "2-9"},
        {"bytes=-3", 10, "7-9"},
        {"bytes=-30", 10, "0-9"},
        {"bytes=9-100", 10, "9-9"},
        {"bytes= 1-2 ", 10, "1-2"},
        {"bytes=,1-2,", 10, "1-2"},
        {"bytes=10-", 10, "416"},
        {"bytes=10-20", 10, "416"},
        {"bytes=-0", 10, "416"},
        {"bytes=0-", 0, "416"},
        {"bytes=-1", 0, "whole"},
        {"bytes=-0", 0, "416"},
        {"bytes=0-99999999999999999999999999", 10, "0-9"},
        {"bytes=99999999999999999999999999-", 10, "416"},
        {"bytes=18446744073709551615-18446744073709551615", 10, "416"},
        {"bytes=-99999999999999999999999999", 10, "0-9"},
        {"bytes=0-18446744073709551615", 18446744073709551615U, "0-18446744073709551614"},
        {"bytes=1-2,4-5", 10, "whole"},
        {"bytes=1-2, 20-", 10, "whole"},
        {"bytes=5-2", 10, "whole"},
        {"bytes=", 10, "whole"},
        {"bytes=-", 10, "whole"},
        {"bytes=--1", 10, "whole"},
        {"bytes=1--2", 10, "whole"},
        {"bytes=1-2-3", 10, "whole"},
        {"bytes=a-b", 10, "whole"},
        {"bytes=+1-2", 10, "whole"},
        {"bytes=1 - 2", 10, "whole"},
        {"bytes=5", 10, "whole"},
        {"bytes 1-2", 10, "whole"},
        {"bytes =1-2", 10, "whole"},
        {"lines=1-2", 10, "whole"},
        {"", 10, "whole"},
    };
    for (const auto& item : cases) {
        CAPTURE(item.range, item.size);
        const Request::Fields fields{{"Range", std::string(item.range)}};
        CHECK(range_of(Request{"GET", "/", fields}, item.size) == item.choice);
        CHECK(range_of(Request{"HEAD", "/", fields}, item.size) == "whole");
    }
    CHECK(range_of(Request{"GET", "/"}, 10) == "whole");
    CHECK(range_of(Request{"GET", "/", {{"Range", "bytes=0-1"}, {"Range", "bytes=0-1"}}}, 10) == "whole");
}

TEST_CASE("a range is served only if it is of what the client has", "[http]") {
    const auto range = [](const char* if_range, const Validators& current) {
        return range_of(Request{"GET", "/", {{"Range", "bytes=0-1"}, {"If-Range", if_range}}}, 10, current);
    };
    CHECK(range("\"a\"", strong()) == "0-1");
    CHECK(range(kSame, strong()) == "0-1");
    for (const auto* value : {"\"b\"", "W/\"a\"", "*", "", "\"a\", \"b\"", kBefore, kAfter})
        CHECK(range(value, strong()) == "whole");
    CHECK(range("W/\"a\"", weak()) == "whole");
    CHECK(range("\"a\"", weak()) == "whole");
    CHECK(range(kSame, weak()) == "whole");
    CHECK(range("", {}) == "whole");
    CHECK(range(kSame, {}) == "whole");
}
