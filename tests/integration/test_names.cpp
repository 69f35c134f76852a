// Routers and workers that are named, not numbered: whoever means the same host finds it.
#include <string>

#include "catch.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

std::string at(const std::string& host, std::uint16_t port) {
    return "tcp://" + host + ":" + std::to_string(port);
}

/// `ZmqSpdyListen tcp://HOST:PORT`, with the port that the harness has chosen.
HttpdSetup listening_at(const std::string& host) {
    HttpdSetup setup;
    setup.listen_directive = false;
    setup.single_child = true;
    setup.worker_port = free_port();
    setup.global = "ZmqSpdyListen " + at(host, *setup.worker_port) + "\nZmqSpdyInsecure on\n";
    return setup;
}

}  // namespace

TEST_CASE("whoever says localhost or * is reached at both loopback addresses", "[names]") {
    const std::string listen = GENERATE("localhost", "LocalHost", "*");
    CAPTURE(listen);
    const auto httpd = Httpd::started(listening_at(listen));
    const bool relayed = GENERATE(false, true);
    Worker four{"hello", "four", router_options(at("127.0.0.1", httpd->worker_port()), relayed)};
    Worker six{"hello", "six", router_options(at("[::1]", httpd->worker_port()), relayed)};
    CHECK(in_rotation(*httpd, {"four", "six"}));
}
