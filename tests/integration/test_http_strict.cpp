// Header fields that a worker must not be able to send, whatever its framework lets through: httpd's own rules for its
// content handlers (its test framework keeps such a table), over SPDY.
#include <array>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;
using namespace std::string_literals;

TEST_CASE("Fields that would split or bend a response give 502, and harmless ones pass", "[http_strict]") {
    struct Row {
        std::string name;
        std::string value;
        int status;
    };
    static const std::array kRows{
        Row{"foo", "bar", 200},
        Row{"foo", "", 200},
        Row{"foo", "b\tar", 200},
        Row{"foo", "caf\xc3\xa9", 200},
        Row{"foo", "a b", 200},
        Row{": bar", "x", 502},
        Row{"", "bar", 502},
        Row{"f\0oo"s, "bar", 502},
        Row{"f\x01oo", "bar", 502},
        Row{"f\noo", "bar", 502},
        Row{"f\roo", "bar", 502},
        Row{"f oo", "bar", 502},
        Row{"foo ", "bar", 502},
        Row{"foo:", "bar", 502},
        Row{"Foo", "bar", 502},  // SPDY: names are in lower case
        Row{"f\xc3\xb6", "bar", 502},
        Row{"foo",
            "b\x01"
            "ar",
            502},
        Row{"foo", "b\nar", 502},
        Row{"foo", "b\rar", 502},
        Row{"foo", "b\r\nset-cookie: a=b", 502},
        Row{"foo", "b\r\n\r\n<html>", 502},
        Row{"foo",
            "b\x7f"
            "ar",
            502},
        Row{"foo", "\0bar"s, 502},
        Row{"foo", "bar\0"s, 502},
        Row{"foo", "b\0\0ar"s, 502},
        Row{"content-type", "text/html\r\nx: y", 502},
        Row{"location", "/\nx: y", 502},
    };
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.single_child = true});
    PuppetWorker worker{*httpd, relayed, {.completed = [](PuppetWorker::Stream stream) {
                            const Row& row = kRows.at(std::stoul(stream.seen().path().substr(1)));
                            stream.reply({{":status", "200"},
                                          {":version", "HTTP/1.1"},
                                          {"content-length", "0"},
                                          {row.name, row.value}},
                                         true);
                        }}};
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        const Row& row = kRows.at(i);
        CAPTURE(i, row.name, row.value);
        const std::string response =
            raw_exchange(httpd->port(), "GET /" + std::to_string(i) +
                                            " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        CAPTURE(response);
        CHECK(response.starts_with("HTTP/1.1 " + std::to_string(row.status) + " "));
        if (row.status == 200) {
            // HTTP/1 clients get names in HTTP/1's spelling.
            CHECK(row.name == "foo");
            CHECK(response.find("\r\nFoo:") != std::string::npos);
        } else {
            CHECK(response.find("Set-Cookie") == std::string::npos);
            CHECK(response.find("set-cookie") == std::string::npos);
        }
    }
    // None of it has harmed the session: the same worker still answers.
    CHECK(log_lines_with(*httpd, "is gone") == 0);
}
