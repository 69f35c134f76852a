// Routers and workers that are named, not numbered: whoever means the same host finds it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "harness/status.hpp"
#include "helpers.hpp"
#include "transport/file_descriptor.hpp"

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
    setup.worker_port.emplace();
    setup.global = "ZmqSpdyListen " + at(host, setup.worker_port->number()) + "\nZmqSpdyInsecure on\n";
    setup.sections = status_section();
    return setup;
}

/// A name server that hears queries and answers none.
class SilentServer {
  public:
    SilentServer() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_.get(), generic, length) != 0 ||
            ::getsockname(socket_.get(), generic, &length) != 0)
            throw std::runtime_error("no port for a name server");
        port_ = ntohs(address.sin_port);
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool was_asked() const {
        std::array<char, 512> query{};
        return ::recv(socket_.get(), query.data(), query.size(), 0) > 0;
    }

  private:
    zmqspdy::transport::FileDescriptor socket_;
    std::uint16_t port_ = 0;
};

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

TEST_CASE("a worker that says localhost finds httpd at either loopback address, or at all", "[names]") {
    const std::string listen = GENERATE("127.0.0.1", "[::1]", "localhost", "*");
    CAPTURE(listen);
    const auto httpd = Httpd::started(listening_at(listen));
    const bool relayed = GENERATE(false, true);
    Worker worker{"hello", "named", router_options(at("localhost", httpd->worker_port()), relayed)};
    REQUIRE(in_rotation(*httpd, {"named"}));
    // At both addresses it is the same httpd, which must count the worker's capacity once.
    CHECK(read_status(*httpd).at("workers").size() == 1);
    CHECK(logs(*httpd, "worker 'named' joined"));
}

TEST_CASE("--listen takes the name of this host, and children are given its address", "[names]") {
    const auto httpd = Httpd::started(listening_at("127.0.0.1"));
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--listen", "tcp://localhost:0"});
    Worker worker{"hello", "named", options};
    CHECK(in_rotation(*httpd, {"named"}));
}

TEST_CASE("a router whose name server is silent holds up no other router", "[names]") {
    const auto httpd = Httpd::started(listening_at("127.0.0.1"));
    SilentServer server;
    ::setenv("ZMQSPDY_NAME_SERVERS", ("127.0.0.1:" + std::to_string(server.port())).c_str(), 1);
    auto options = router_options(at("dead.test", httpd->worker_port()));
    for (const auto& more : router_options(httpd->router()))
        options.push_back(more);
    options.push_back("--insecure");
    Worker worker{"hello", "named", options};
    ::unsetenv("ZMQSPDY_NAME_SERVERS");
    CHECK(in_rotation(*httpd, {"named"}));
    CHECK(server.was_asked());
}
