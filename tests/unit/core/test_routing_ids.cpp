// The numbers that libzmq gives to peers without an id of their own.
#include <array>
#include <cstdlib>
#include <string>

#include "catch.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

using namespace zmqspdy;

namespace {

/// What the first anonymous peer of a ROUTER of this process is called.
std::string first_id() {
    zmq::context_t context;
    auto router = transport::make_router(context);
    router.bind("inproc://router");
    zmq::socket_t peer{context, zmq::socket_type::dealer};
    peer.connect("inproc://router");
    peer.send(zmq::str_buffer("hello"), zmq::send_flags::none);
    zmq::message_t id;
    REQUIRE(router.recv(id, zmq::recv_flags::none));
    return id.to_string();
}

}  // namespace

TEST_CASE("nobody can tell how a process will call its first anonymous peer") {
    std::srand(1);  // as every process that never calls it
    const auto once = first_id();
    std::srand(1);
    const auto again = first_id();
    CHECK(once.size() == 5);
    CHECK(once != again);
}

TEST_CASE("a program's own random numbers are as it seeded them, with or without us") {
    std::srand(42);
    const std::array plain{std::rand(), std::rand()};
    std::srand(42);
    const int first = std::rand();
    zmq::context_t context;
    const auto router = transport::make_router(context);
    CHECK(std::array{first, std::rand()} == plain);
}
