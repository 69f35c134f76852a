// Dates, in every format that HTTP has had.
#include <climits>

#include "catch.hpp"
#include "zmqspdy/http_date.hpp"

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using zmqspdy::format_http_date;
using zmqspdy::parse_http_date;

namespace {

constexpr sys_seconds kExample = sys_days{1994y / 11 / 6} + 8h + 49min + 37s;
constexpr sys_seconds kNow = sys_days{2024y / 6 / 1};

}  // namespace

TEST_CASE("dates are read in three formats", "[http]") {
    struct Case {
        std::string_view text;
        sys_seconds time;
    };
    const std::vector<Case> cases{
        {"Sun, 06 Nov 1994 08:49:37 GMT", kExample},
        {"Sunday, 06-Nov-94 08:49:37 GMT", kExample},
        {"Sun Nov  6 08:49:37 1994", kExample},
        {"Sun Nov 16 08:49:37 1994", kExample + std::chrono::days{10}},
        {"Mon, 06 Nov 1994 08:49:37 GMT", kExample},
        {"Thu, 01 Jan 1970 00:00:00 GMT", sys_seconds{}},
        {"Thu, 29 Feb 2024 23:59:60 GMT", sys_days{2024y / 3 / 1}},
        {"Sat, 01 Jan 0000 00:00:00 GMT", sys_days{0y / 1 / 1}},
        {"Fri, 31 Dec 9999 23:59:59 GMT", sys_days{10000y / 1 / 1} - 1s},
        {"Friday, 01-Jan-74 00:00:00 GMT", sys_days{2074y / 1 / 1}},
        {"Friday, 01-Jan-75 00:00:00 GMT", sys_days{1975y / 1 / 1}},
        {"Friday, 01-Jan-00 00:00:00 GMT", sys_days{2000y / 1 / 1}},
    };
    for (const auto& item : cases) {
        CAPTURE(item.text);
        CHECK(parse_http_date(item.text, kNow) == item.time);
        for (std::size_t size = 0; size < item.text.size(); ++size)
            CHECK(!parse_http_date(item.text.substr(0, size), kNow));
        CHECK(!parse_http_date(std::string(item.text) + " ", kNow));
    }
    CHECK(parse_http_date("Friday, 01-Jan-99 00:00:00 GMT", sys_days{2060y / 1 / 1}) ==
          sys_seconds{sys_days{2099y / 1 / 1}});
}

TEST_CASE("what is no date is not read as one", "[http]") {
    for (const auto* text : {
             "",
             "0",
             "now",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "sun, 06 nov 1994 08:49:37 gmt",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 +0000",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun, 00 Nov 1994 08:49:37 GMT",
             "Sun, 31 Nov 1994 08:49:37 GMT",
             "Wed, 29 Feb 2023 08:49:37 GMT",
             "Sun, 06 Nov 1994 24:00:00 GMT",
             "Sun, 06 Nov 1994 08:60:37 GMT",
             "Sun, 06 Nov 1994 08:49:61 GMT",
             "Sun, 06 Nov -994 08:49:37 GMT",
             "Sun, 06 Nov +994 08:49:37 GMT",
             "Sun, 06 Nov 19940 08:49:37 GMT",
             "Sun, 06 Now 1994 08:49:37 GMT",
             "Son, 06 Nov 1994 08:49:37 GMT",
             "Sunday, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov  66 08:49:37 1994",
             "Sun Nov  6 08:49:37 1994 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
         }) {
        CAPTURE(text);
        CHECK(!parse_http_date(text, kNow));
    }
    CHECK(!parse_http_date(std::string_view("Sun, 06 Nov 1994 08:49:37 GMT\0", 30)));
}

TEST_CASE("dates are written as IMF-fixdate", "[http]") {
    CHECK(format_http_date(kExample) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(format_http_date(sys_seconds{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(format_http_date(sys_seconds{-1s}) == "Wed, 31 Dec 1969 23:59:59 GMT");
    CHECK(format_http_date(sys_days{5y / 1 / 1}) == "Sat, 01 Jan 0005 00:00:00 GMT");
    for (int day = 0; day < 800; ++day) {
        const sys_seconds time = kExample + std::chrono::days{day * 37} + std::chrono::seconds{day};
        CHECK(parse_http_date(format_http_date(time)) == time);
    }
    for (const sys_seconds time :
         {sys_seconds{sys_days{0y / 1 / 1}} - 1s, sys_seconds{sys_days{10000y / 1 / 1}}, sys_seconds::min(),
          sys_seconds::max()})
        CHECK_THROWS_AS(format_http_date(time), std::invalid_argument);
}
