// What the log says of a router that cannot be used: a sentence for each cause, once.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "router_loop.hpp"

using namespace test;
using namespace std::chrono_literals;

namespace {

/// Listens on 127.0.0.1 and is no router: greets whoever connects with `greeting`, then hangs up or stays.
class Stranger final : public Actor {
  public:
    Stranger(std::string greeting, bool hangs_up)
        : greeting_{std::move(greeting)},
          hangs_up_{hangs_up},
          listening_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listening_.get(), generic, length) != 0 || ::listen(listening_.get(), 16) != 0 ||
            ::getsockname(listening_.get(), generic, &length) != 0)
            throw std::runtime_error("no port to listen at");
        endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }

    void step() override {
        transport::FileDescriptor guest{
            ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!guest)
            return;
        ++guests_seen_;
        (void)::send(guest.get(), greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
        if (!hangs_up_)
            guests_.push_back(std::move(guest));
    }

    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] int guests_seen() const noexcept { return guests_seen_; }

  private:
    const std::string greeting_;
    const bool hangs_up_;
    transport::FileDescriptor listening_;
    std::string endpoint_;
    int guests_seen_ = 0;
    std::vector<transport::FileDescriptor> guests_;
};

/// Of ZMTP 3.1, with a mechanism that routers do not have.
std::string foreign_greeting() {
    std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01", 12);
    greeting += "CURVE";
    greeting.resize(64, '\0');
    return greeting;
}

}  // namespace

TEST_CASE("each reason why a router cannot be used has its own sentence") {
    zmq::context_t context;
    Registry mute{context, "tcp://127.0.0.1:*"};
    mute.silent = true;
    const std::string mute_endpoint = "tcp://127.0.0.1:" + port_of(mute);
    Stranger web{"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", true};
    Stranger shell{"SSH-2.0-OpenSSH_9.2\r\n", false};
    Stranger foreign{foreign_greeting(), false};
    const std::string nobody = [] { return Stranger{"", true}.endpoint(); }();
    RouterLoop loop{{mute_endpoint, web.endpoint(), shell.endpoint(), foreign.endpoint(), nobody}};
    const auto says = [&](const std::string& router, std::string_view what) {
        return loop.logs("cannot reach the router " + router + ": " + std::string(what));
    };
    const bool all = until({&loop, &mute, &web, &shell, &foreign}, [&] {
        return says(mute_endpoint, "what listens there speaks ZeroMQ, but does not answer") &&
               says(web.endpoint(), "what listens there closed the connection") &&
               says(shell.endpoint(), "what listens there takes the connection and does not greet") &&
               says(foreign.endpoint(), "what listens there does not speak ZeroMQ") &&
               says(nobody, "the connection is refused");
    });
    CAPTURE(loop.log());
    CHECK(all);
    // None of them is said again with the next try.
    CHECK(web.guests_seen() > 3);
    CHECK(loop.lines() == 5);
}

TEST_CASE("packets that get lost are told from a refused connection") {
    // A listener whose queue is full takes no further connection, as a firewall that drops packets.
    const transport::FileDescriptor listening{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listening.get(), generic, length) == 0);
    REQUIRE(::listen(listening.get(), 0) == 0);
    REQUIRE(::getsockname(listening.get(), generic, &length) == 0);
    std::vector<transport::FileDescriptor> queued;
    for (int i = 0; i < 8; ++i) {
        queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)::connect(queued.back().get(), generic, length);
    }
    RouterLoop loop{{"tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port))}};
    const bool told = until({&loop}, [&] { return loop.logs("no answer within 2 s"); });
    CAPTURE(loop.log());
    CHECK(told);
}

TEST_CASE("a router that is lost and back at once gets two lines, one that stays away is explained") {
    zmq::context_t context;
    std::optional<Registry> registry;
    registry.emplace(context, "tcp://127.0.0.1:*");
    const std::string endpoint = "tcp://127.0.0.1:" + port_of(*registry);
    RouterLoop loop{{endpoint}};
    REQUIRE(until({&loop, &*registry}, [&] { return loop.logs("announced to " + endpoint); }));
    CHECK(loop.logs(" for the service 'blue'\n"));
    registry.reset();
    REQUIRE(until({&loop}, [&] { return loop.logs("lost the router"); }));
    registry.emplace(context, endpoint);
    REQUIRE(until({&loop, &*registry}, [&] { return loop.lines() >= 3; }));
    CHECK(loop.lines() == 3);
    registry.reset();
    CHECK(until({&loop}, [&] {
        return loop.logs("cannot reach the router " + endpoint + ": the connection is refused");
    }));
}
