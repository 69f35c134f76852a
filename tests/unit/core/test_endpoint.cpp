// Which endpoints are taken, and which of them other hosts can reach.
#include <array>

#include "catch.hpp"
#include "transport/endpoint.hpp"
#include "transport/log_budget.hpp"

using namespace zmqspdy::transport;
using namespace std::string_view_literals;

TEST_CASE("endpoints that are taken") {
    struct Case {
        std::string_view text;
        std::string_view again;  // as to_string() writes it
        bool local;
    };
    constexpr std::array kCases{
        Case{"tcp://127.0.0.1:8000", "tcp://127.0.0.1:8000", true},
        Case{"tcp://127.255.255.254:1", "tcp://127.255.255.254:1", true},
        Case{"tcp://localhost:8000", "tcp://localhost:8000", true},
        Case{"tcp://LOCALHOST:8000", "tcp://LOCALHOST:8000", true},
        Case{"tcp://[::1]:8000", "tcp://[::1]:8000", true},
        Case{"tcp://[::ffff:127.0.0.1]:8000", "tcp://[::ffff:127.0.0.1]:8000", true},
        Case{"ipc://@zmqspdy/a", "ipc://@zmqspdy/a", true},
        Case{"ipc://@a", "ipc://@a", true},
        Case{"tcp://*:8000", "tcp://*:8000", false},
        Case{"tcp://0.0.0.0:8000", "tcp://0.0.0.0:8000", false},
        Case{"tcp://[::]:8000", "tcp://[::]:8000", false},
        Case{"tcp://10.0.0.1:8000", "tcp://10.0.0.1:8000", false},
        Case{"tcp://[2001:db8::1]:8000", "tcp://[2001:db8::1]:8000", false},
        Case{"tcp://[fe80::1%eth0]:8000", "tcp://[fe80::1%eth0]:8000", false},
        Case{"tcp://[::ffff:10.0.0.1]:8000", "tcp://[::ffff:10.0.0.1]:8000", false},
        Case{"tcp://worker-1.example.com:8000", "tcp://worker-1.example.com:8000", false},
        Case{"tcp://localhost.example.com:8000", "tcp://localhost.example.com:8000", false},
        Case{"tcp://host:0", "tcp://host:0", false},
        Case{"tcp://host:65535", "tcp://host:65535", false},
        Case{"tcp://host:0080", "tcp://host:80", false}};
    for (const auto& [text, again, local] : kCases) {
        INFO(text);
        const auto parsed = parse_endpoint(text);
        REQUIRE(std::holds_alternative<Endpoint>(parsed));
        CHECK(to_string(std::get<Endpoint>(parsed)) == again);
        CHECK(is_local(std::get<Endpoint>(parsed)) == local);
    }
    const std::string longest = "ipc://@" + std::string(106, 'x');
    CHECK(std::holds_alternative<Endpoint>(parse_endpoint(longest)));
}

TEST_CASE("endpoints that are refused") {
    constexpr std::array kCases{"",
                                "tcp",
                                "tcp:",
                                "tcp://",
                                "tcp://:",
                                "tcp://:8000",
                                "tcp://host",
                                "tcp://host:",
                                "tcp://host:x",
                                "tcp://host:80x",
                                "tcp://host: 80",
                                "tcp://host:-1",
                                "tcp://host:+1",
                                "tcp://host:65536",
                                "tcp://host:99999999999999999999",
                                "tcp://ho st:80",
                                "tcp://host/path:80",
                                "tcp://user@host:80",
                                "tcp://::1:80",
                                "tcp://[]:80",
                                "tcp://[:80",
                                "tcp://]:80",
                                "tcp://[host]:80",
                                "tcp://[127.0.0.1]:80",
                                "tcp://[::1:80",
                                "tcp://::1]:80",
                                "tcp://[::g]:80",
                                "tcp://[fe80::1%]:80",
                                "tcp://[fe80::1%et h0]:80",
                                "tcp://[::1%\n]:80",
                                "tcp://[::1%sixteen-letters.]:80",
                                "tcp://**:80",
                                "tcp://*.example.com:80",
                                "tcp://eth0;127.0.0.1:80",
                                "TCP://host:80",
                                " tcp://host:80",
                                "http://host:80",
                                "inproc://x",
                                "pgm://host:80",
                                "ipc://",
                                "ipc://@",
                                "ipc:///run/worker.sock",
                                "ipc://worker",
                                "ipc://@a b",
                                "ipc://@a\n",
                                "ipc://@caf\xc3\xa9"};
    for (const std::string_view text : kCases) {
        INFO("'" << text << "'");
        const auto parsed = parse_endpoint(text);
        REQUIRE(std::holds_alternative<EndpointError>(parsed));
        CHECK(std::get<EndpointError>(parsed).why.starts_with("'" + printable(text) + "'"));
    }
    CHECK(std::holds_alternative<EndpointError>(parse_endpoint("ipc://@a\0b"sv)));
    CHECK(std::holds_alternative<EndpointError>(parse_endpoint("tcp://host\0x:80"sv)));
    CHECK(std::holds_alternative<EndpointError>(parse_endpoint("ipc://@" + std::string(107, 'x'))));
}

TEST_CASE("addresses that only this host has") {
    for (const auto* address : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"})
        CHECK(is_local_address(address));
    for (const auto* address : {"", "localhost", "128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1",
                                "::127.0.0.1", "0.0.0.0", "127.0.0", "127.0.0.1.5", "2001:db8::1"}) {
        INFO(address);
        CHECK_FALSE(is_local_address(address));
    }
}

TEST_CASE("addresses that are the same however they are written") {
    CHECK(same_address("10.0.0.1", "10.0.0.1"));
    CHECK(same_address("10.0.0.1", "::ffff:10.0.0.1"));
    CHECK(same_address("::ffff:a00:1", "10.0.0.1"));
    CHECK(same_address("2001:db8::1", "2001:0db8:0:0::1"));
    CHECK(same_address("2001:DB8::1", "2001:db8::1"));
    CHECK(same_address("fe80::1%eth0", "fe80::1"));
    CHECK_FALSE(same_address("10.0.0.1", "10.0.0.2"));
    CHECK_FALSE(same_address("::1", "127.0.0.1"));
    CHECK_FALSE(same_address("host", "host"));
    CHECK_FALSE(same_address("", ""));
}
