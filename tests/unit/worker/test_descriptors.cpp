// A worker whose handlers have taken every descriptor.
#include <string>
#include <vector>

#include "catch.hpp"
#include "fake_router.hpp"
#include "few_descriptors.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;

namespace {

/// Where nobody listens: a worker takes no wildcard for the port.
std::string free_tcp_endpoint() {
    zmq::context_t context;
    zmq::socket_t socket{context, zmq::socket_type::router};
    socket.bind("tcp://127.0.0.1:*");
    return socket.get(zmq::sockopt::last_endpoint);
}

}  // namespace

TEST_CASE(
    "out of descriptors a worker serves on, refuses new connections, and takes them when there are some "
    "again") {
    const std::string listen = GENERATE(false, true) ? free_tcp_endpoint() : "";
    zmq::context_t context;
    transport::AnnouncementReply reply;
    reply.heartbeat = 30ms;
    Registry registry{context, unique_endpoint(), reply};
    auto options = options_for({registry.endpoint()});
    options.listen = listen;
    LoggedWorker worker{options, [](Request&) { return Response::text("fine\n"); }};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 1; }));
    const auto endpoint = to_string(*registry.link(registry.announced().front()).announcement->endpoint);
    const auto serves = [&](Child& child) {
        const auto stream = child.ask({});
        return until({&registry, &child}, [&] { return child.reply(stream).ended(); }) &&
               child.reply(stream).body == "fine\n";
    };
    Child child{context, endpoint};
    REQUIRE(serves(child));
    std::vector<PlainConnection> strangers;
    for (int i = 0; i < 10; ++i)
        strangers.emplace_back(endpoint);
    {
        const NoDescriptors none;
        for (auto& stranger : strangers)
            stranger.connect();
        for (const auto& stranger : strangers)
            REQUIRE(until({&registry, &child}, [&] { return stranger.is_refused(); }));
        CHECK(serves(child));
        REQUIRE(until({&registry, &child}, [&] {
            return worker.log().find(" descriptors is left: refused ") != std::string::npos;
        }));
        CHECK(worker.log().find("there are descriptors again") == std::string::npos);
    }
    REQUIRE(until({&registry, &child},
                  [&] { return worker.log().find("there are descriptors again") != std::string::npos; }));
    Child late{context, endpoint};
    CHECK(serves(late));
}
