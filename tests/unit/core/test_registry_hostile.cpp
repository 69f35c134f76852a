// Connections that do what no worker should: whatever it is, others do not notice.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <vector>

#include "announcer.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "headers.hpp"
#include "registry_thread.hpp"
#include "transport/file_descriptor.hpp"

using namespace zmqspdy;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using zmqspdy::transport::FileDescriptor;

namespace {

/// A worker that was there before, and one that comes after, both served as if nothing were.
struct Witness {
    explicit Witness(std::chrono::milliseconds heartbeat = 2s) : registry{heartbeat} {
        REQUIRE(before.join(worker_at("ipc://@zmqspdy/before", "before")) == 201);
    }

    void check() {
        before.update(headers({{"capacity", "9"}}));
        CHECK(eventually([&] {
            before.pump();
            return registry.find("before").capacity == 9;
        }));
        Announcer after(registry.endpoint());
        CHECK(after.join(relayed_worker("after")) == 201);
        CHECK(registry.log.count("worker 'before'") == 1);
    }

    RegistryThread registry;
    Announcer before{registry.endpoint()};
};

FileDescriptor dial(std::uint16_t port) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("connect failed");
    return fd;
}

std::string settings_of(Announcer& worker) {
    const auto output = worker.session().take_output();
    return std::string(text(output));
}

}  // namespace

TEST_CASE("registry: messages of the wrong number of parts") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    REQUIRE(criminal.join(relayed_worker("criminal")) == 201);
    SECTION("one") {
        criminal.send_raw({"x"});
        CHECK(witness.registry.log.await("worker 'criminal' sent a message of 1 parts instead of two"));
    }
    SECTION("three") {
        criminal.send_raw({"", "x", "y"});
        CHECK(witness.registry.log.await("worker 'criminal' sent a message of 3 parts instead of two"));
    }
    SECTION("a hundred") {
        criminal.send_raw(std::vector<std::string>(100, "x"));
        CHECK(witness.registry.log.await("worker 'criminal' sent a message of 100 parts instead of two"));
    }
    CHECK(criminal.await_goodbye());
    CHECK(eventually([&] { return !witness.registry.has("criminal"); }));
    CHECK(witness.registry.log.count("criminal") == 2);
    witness.check();
}

TEST_CASE("registry: frames before SETTINGS") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    (void)settings_of(criminal);
    criminal.announce(relayed_worker("criminal"));
    CHECK(criminal.await_goodbye());
    CHECK_FALSE(witness.registry.has("criminal"));
    CHECK(witness.registry.log.await("broke SPDY: the first frame is not SETTINGS"));
    witness.check();
}

TEST_CASE("registry: a frame split over two messages") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    const auto settings = settings_of(criminal);
    criminal.send_raw({"", settings.substr(0, settings.size() - 3)});
    criminal.send_raw({"", settings.substr(settings.size() - 3)});
    CHECK(criminal.await_goodbye());
    CHECK(witness.registry.log.await("broke SPDY: a frame split over two messages"));
    witness.check();
}

TEST_CASE("registry: garbage inside of messages") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    REQUIRE(criminal.join(relayed_worker("criminal")) == 201);
    criminal.send_raw({"", std::string(3000, '\xff')});
    CHECK(criminal.await_goodbye());
    CHECK(witness.registry.log.await("worker 'criminal' broke SPDY: "));
    CHECK_FALSE(witness.registry.has("criminal"));
    // Over and over, whether or not somebody listens.
    for (int i = 0; i < 500; ++i)
        criminal.send_raw({"", std::string(3000, '\xff')});
    witness.check();
}

TEST_CASE("registry: a flood of frames that bring nothing") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    REQUIRE(criminal.join(relayed_worker("criminal")) == 201);
    for (int i = 0; i < 500; ++i)
        (void)criminal.session().ping();
    criminal.flush();
    CHECK(witness.registry.log.await("worker 'criminal' broke SPDY: too many frames that bring nothing"));
    CHECK_FALSE(witness.registry.has("criminal"));
    witness.check();
}

TEST_CASE("registry: a second announcement on one connection") {
    Witness witness;
    Announcer greedy(witness.registry.endpoint());
    REQUIRE(greedy.join(relayed_worker("first")) == 201);
    greedy.session().headers(1, headers({{"weight", "3"}}), false);
    (void)greedy.session().open(transport::to_headers(relayed_worker("second")), 0, false);
    greedy.flush();
    REQUIRE(eventually([&] {
        greedy.pump();
        return witness.registry.find("first").weight == 3;
    }));
    witness.check();
    CHECK(witness.registry.has("first"));
    CHECK_FALSE(witness.registry.has("second"));
}

TEST_CASE("registry: what is no ZeroMQ at all") {
    Witness witness;
    std::vector<FileDescriptor> connections;
    for (const std::string& garbage :
         {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string(5000, '\0'),
          std::string(5000, '\xff'), std::string("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x09", 11),
          std::string("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03", 11) + std::string(5000, 'x')}) {
        connections.push_back(dial(witness.registry.port()));
        CHECK(::send(connections.back().get(), garbage.data(), garbage.size(), MSG_NOSIGNAL) > 0);
    }
    witness.check();
}

TEST_CASE("registry: two hundred connections that say nothing") {
    Witness witness;
    std::vector<FileDescriptor> silent;
    for (int i = 0; i < 200; ++i)
        silent.push_back(dial(witness.registry.port()));
    witness.check();
    silent.clear();
    witness.check();
}

TEST_CASE("registry: connections that come and go wear nobody out") {
    Witness witness;
    for (int i = 0; i < 600; ++i) {
        const auto brief = dial(witness.registry.port());
        CHECK(::shutdown(brief.get(), SHUT_RDWR) == 0);
        witness.before.pump(std::chrono::milliseconds(1));
    }
    witness.check();
}

TEST_CASE("registry: connections that come and go wear nobody out between two long heartbeats") {
    Witness witness{60s};
    Announcer idle(witness.registry.endpoint());
    REQUIRE(idle.join(relayed_worker("idle")) == 201);
    // Both have next to nothing left of what is theirs to waste, so that each question is one too many unless its answer
    // is free.
    for (Announcer* worker : {&witness.before, &idle}) {
        for (int i = 0; i < 190; ++i)
            (void)worker->session().ping();
        worker->flush();
    }
    for (int i = 0; i < 115; ++i) {
        const auto brief = dial(witness.registry.port());
        CHECK(::shutdown(brief.get(), SHUT_RDWR) == 0);
        witness.before.pump(10ms);
        idle.pump();
    }
    // The last questions follow within 52 ms.
    const auto end = Clock::now();
    REQUIRE(eventually([&] {
        witness.before.pump(10ms);
        idle.pump();
        return Clock::now() - end > 200ms;
    }));
    CHECK(witness.registry.has("before"));
    CHECK(witness.registry.has("idle"));
    CHECK(witness.registry.log.count("broke SPDY") == 0);
    witness.check();
}

TEST_CASE("registry: a worker's budget comes back by the second, however far apart heartbeats are") {
    Witness witness{60s};
    const auto waste = [&](int pings, std::uint32_t capacity) {
        for (int i = 0; i < pings; ++i)
            (void)witness.before.session().ping();
        witness.before.update(headers({{"capacity", std::to_string(capacity)}}));
        return eventually([&] {
            witness.before.pump();
            return witness.registry.find("before").capacity == capacity;
        });
    };
    REQUIRE(waste(180, 5));
    const auto start = Clock::now();
    REQUIRE(eventually([&] {
        witness.before.pump(10ms);
        return Clock::now() - start > 600ms;
    }));
    REQUIRE(waste(60, 6));
    CHECK(witness.registry.log.count("broke SPDY") == 0);
    witness.check();
}

TEST_CASE("registry: a worker may waste a hundred frames a second, and no more") {
    router::WorkerConnection connection("id", "127.0.0.1");
    spdy::Session worker{spdy::SessionOptions{}};
    std::vector<spdy::Event> events;
    const auto waste = [&](int pings) {
        for (int i = 0; i < pings; ++i)
            (void)worker.ping();
        return !connection.session.receive(worker.take_output(), events);
    };
    auto now = connection.last_heard;
    for (int second = 0; second < 60; ++second) {
        INFO("second " << second);
        connection.heard(now += 1s);
        REQUIRE(waste(95));
    }
    connection.heard(now += 1s);
    CHECK_FALSE(waste(250));
}

TEST_CASE("registry: many connections that speak and announce nothing") {
    Witness witness;
    zmq::context_t context(1);
    std::vector<zmq::socket_t> talkers;
    for (int i = 0; i < 100; ++i) {
        auto& talker = talkers.emplace_back(context, zmq::socket_type::dealer);
        talker.set(zmq::sockopt::linger, 0);
        talker.connect(witness.registry.endpoint());
        spdy::Session session(spdy::SessionOptions{});
        const auto settings = session.take_output();
        talker.send(zmq::message_t(), zmq::send_flags::sndmore);
        talker.send(zmq::buffer(settings), zmq::send_flags::none);
    }
    witness.check();
    talkers.clear();
    witness.check();
}

TEST_CASE("registry: a message that is too large ends its connection") {
    Witness witness;
    Announcer criminal(witness.registry.endpoint());
    REQUIRE(criminal.join(relayed_worker("criminal")) == 201);
    criminal.send_raw({"", std::string(9 * 1024 * 1024, 'x')});
    CHECK(eventually([&] { return !witness.registry.has("criminal"); }));
    witness.check();
}

TEST_CASE("registry: a flood of whatever it logs fills no disk") {
    Witness witness{1min};  // it says nothing meanwhile
    Announcer noisy(witness.registry.endpoint());
    const int rounds = 500;
    std::string_view kind;
    SECTION("announcements that it refuses") {
        kind = "refused a worker";
        auto wrong = transport::to_headers(relayed_worker("w"));
        wrong.add("endpoint", "http://" + std::string(10'000, '\xff'));
        for (int i = 0; i < rounds; ++i) {
            noisy.announce(wrong);
            REQUIRE(noisy.await_reply());
            noisy.leave();
        }
    }
    SECTION("updates that it ignores") {
        kind = "sent a wrong update";
        REQUIRE(noisy.join(relayed_worker("noisy")) == 201);
        for (int i = 0; i < 150; ++i)
            noisy.update(headers({{"endpoint", "http://" + std::string(10'000, '\xff')}}));
        noisy.update(headers({{"capacity", "17"}}));
        REQUIRE(eventually([&] {
            noisy.pump();
            return witness.registry.find("noisy").capacity == 17;
        }));
    }
    SECTION("workers that come and go") {
        kind = "worker 'noisy'";
        for (int i = 0; i < 100; ++i) {
            Announcer brief(witness.registry.endpoint());
            REQUIRE(brief.join(relayed_worker("noisy")) == 201);
            brief.leave();
            REQUIRE(eventually([&] {
                witness.before.pump();
                return !witness.registry.has("noisy");
            }));
        }
    }
    // Two kinds of line at most, with as much more as seconds went by meanwhile.
    CHECK(witness.registry.log.count(kind) > 0);
    CHECK(witness.registry.log.count(kind) < 120);
    CHECK(witness.registry.log.text().size() < std::size_t{120} * 400);
    CHECK(witness.registry.log.text().find('\xff') == std::string::npos);
    witness.check();
}
