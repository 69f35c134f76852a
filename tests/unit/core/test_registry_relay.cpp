// Sessions between children and workers that cannot be dialled.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "announcer.hpp"
#include "call.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "headers.hpp"
#include "mod_zmqspdy/core/relay_id.hpp"
#include "registry_thread.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;

namespace {

/// A child's link to a relayed worker.
class ChildLink {
  public:
    ChildLink(const RegistryThread& registry, WorkerId worker, std::uint32_t number = 1)
        : id_{worker, ::getpid(), number}, context_{1}, socket_{context_, zmq::socket_type::dealer} {
        transport::set_limits(socket_);
        socket_.set(zmq::sockopt::routing_id, id_.view());
        socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
        socket_.connect(registry.relay_endpoint());
    }
    [[nodiscard]] std::string id() const { return std::string(id_.view()); }
    void send(std::string_view frames) { socket_.send(zmq::buffer(frames), zmq::send_flags::none); }
    /// The next message that is not empty; empty when none came in time.
    [[nodiscard]] std::string receive() {
        zmq::message_t message;
        while (socket_.recv(message)) {
            REQUIRE_FALSE(message.more());
            if (message.size() != 0)
                return message.to_string();
        }
        return "";
    }
    void disconnect() {
        socket_.close();
        context_.close();
    }

  private:
    RelayId id_;
    zmq::context_t context_;
    zmq::socket_t socket_;
};

/// What a fresh session makes of frames.
std::vector<spdy::Event> events_of(std::string_view frames, spdy::Role role) {
    spdy::Session session(spdy::SessionOptions{.role = role});
    std::vector<spdy::Event> events;
    const auto copy = bytes(frames);
    if (const auto fault = session.receive(copy, events))
        FAIL(fault->why);
    CHECK(session.at_frame_boundary());
    return events;
}

bool has_goodbye(const std::vector<spdy::Event>& events) {
    return std::any_of(events.begin(), events.end(), [](const spdy::Event& event) {
        return std::holds_alternative<spdy::GoAwayReceived>(event);
    });
}

}  // namespace

TEST_CASE("relay: whole messages both ways") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    ChildLink child(registry, registry.find("w").id);
    ChildLink other(registry, registry.find("w").id, 2);
    for (int i = 0; i < 50; ++i) {
        child.send("question " + std::to_string(i));
        auto relayed = worker.await_relayed();
        REQUIRE(relayed);
        CHECK(relayed->peer == child.id());
        CHECK(relayed->frames == "question " + std::to_string(i));
        worker.send_relayed(relayed->peer, "answer " + std::to_string(i));
        CHECK(child.receive() == "answer " + std::to_string(i));
    }
    other.send("me");
    auto relayed = worker.await_relayed();
    REQUIRE(relayed);
    CHECK(relayed->peer == other.id());
    worker.send_relayed(other.id(), "you");
    CHECK(other.receive() == "you");
}

TEST_CASE("relay: the worker is told of a child that is gone") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    for (std::uint32_t round = 1; round <= 20; ++round) {
        ChildLink child(registry, registry.find("w").id, round);
        child.send("x");
        REQUIRE(worker.await_relayed());
        child.disconnect();
        const auto goodbye = worker.await_relayed();
        REQUIRE(goodbye);
        CHECK(goodbye->peer == child.id());
        CHECK(has_goodbye(events_of(goodbye->frames, spdy::Role::server)));
    }
    CHECK(worker.relayed_count() == 0);
    CHECK(registry.has("w"));
}

TEST_CASE("relay: a child is told of a worker that is gone") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    const auto id = registry.find("w").id;
    ChildLink child(registry, id);
    child.send("x");
    REQUIRE(worker.await_relayed());
    SECTION("its connection ended") {
        worker.disconnect();
    }
    SECTION("it left") {
        worker.leave();
    }
    REQUIRE(eventually([&] { return registry.workers() == 0; }));
    child.send("are you there?");
    // A whole session of its own, for a child that has heard nothing before.
    CHECK(has_goodbye(events_of(child.receive(), spdy::Role::client)));
    ChildLink late(registry, id, 2);
    late.send("hello?");
    CHECK(has_goodbye(events_of(late.receive(), spdy::Role::client)));
}

TEST_CASE("relay: only a worker that drained before it left takes unanswered requests back") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    ChildLink child(registry, registry.find("w").id);
    child.send("x");
    REQUIRE(worker.await_relayed());
    auto last_good = spdy::kMaxStreamId;
    SECTION("FIN after GOAWAY") {
        worker.go_away();
        worker.leave();
        last_good = 0;
    }
    SECTION("FIN alone") {
        worker.leave();
    }
    SECTION("RST_STREAM of the announcement") {
        worker.session().reset(1, spdy::ResetCode::cancel);
        worker.flush();
    }
    SECTION("an update that is no header block") {
        spdy::HeaderBlock reserved;
        reserved.add(std::string(1, '\x80'), "not ASCII");
        worker.update(reserved);
    }
    const auto events = events_of(child.receive(), spdy::Role::client);
    const auto away = std::find_if(events.begin(), events.end(), [](const spdy::Event& event) {
        return std::holds_alternative<spdy::GoAwayReceived>(event);
    });
    REQUIRE(away != events.end());
    CHECK(std::get<spdy::GoAwayReceived>(*away).last_good == last_good);
}

TEST_CASE("relay: a worker writes to its own links only") {
    RegistryThread registry;
    Announcer good(registry.endpoint());
    Announcer bad(registry.endpoint());
    REQUIRE(good.join(relayed_worker("good")) == 201);
    REQUIRE(bad.join(relayed_worker("bad")) == 201);
    ChildLink child(registry, registry.find("good").id);
    child.send("x");
    REQUIRE(good.await_relayed());
    Announcer stranger(registry.endpoint());
    stranger.flush();
    for (auto* const meddler : {&bad, &stranger}) {
        meddler->send_relayed(child.id(), "evil");
        meddler->send_relayed("", "");
        meddler->send_relayed("nobody", "evil");
        meddler->send_relayed(std::string(17, 'c'), "evil");
    }
    // In its turn, so everything before has been dealt with.
    ChildLink witness(registry, registry.find("bad").id, 2);
    witness.send("y");
    REQUIRE(bad.await_relayed());
    bad.send_relayed(witness.id(), "seen");
    CHECK(witness.receive() == "seen");
    good.send_relayed(child.id(), "good");
    CHECK(child.receive() == "good");
    CHECK(registry.workers() == 2);
}

TEST_CASE("relay: connections of neither child nor worker are ignored") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    zmq::context_t context;
    zmq::socket_t stranger(context, zmq::socket_type::dealer);
    stranger.set(zmq::sockopt::linger, 0);
    stranger.connect(registry.relay_endpoint());
    stranger.send(zmq::str_buffer("hello"), zmq::send_flags::none);
    stranger.send(zmq::str_buffer("hello"), zmq::send_flags::sndmore);
    stranger.send(zmq::str_buffer("again"), zmq::send_flags::none);
    ChildLink child(registry, registry.find("w").id);
    child.send("x");
    const auto relayed = worker.await_relayed();
    REQUIRE(relayed);
    CHECK(relayed->frames == "x");
    CHECK(worker.relayed_count() == 0);
}

TEST_CASE("relay: a pool reaches a relayed worker as any other") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("hidden")) == 201);
    PoolOptions options;
    options.relay_endpoint = registry.relay_endpoint();
    options.wakeup_fd = registry.wakeup_fd();
    DealerPool pool(*registry.table, options, [](LogLevel, const std::string&) {});

    Call call(pool, get_request("/a"));
    std::optional<spdy::Session> session;
    std::string peer;
    const auto serve = [&](bool answer) {
        const auto relayed = worker.await_relayed();
        REQUIRE(relayed);
        if (!session)
            session.emplace(spdy::SessionOptions{.role = spdy::Role::server});
        peer = relayed->peer;
        std::vector<spdy::Event> events;
        const auto frames = bytes(relayed->frames);
        REQUIRE_FALSE(session->receive(frames, events));
        for (const auto& event : events)
            if (const auto* opened = std::get_if<spdy::StreamOpened>(&event); opened && answer) {
                session->reply(opened->stream, headers({{":status", "200"}}), false);
                (void)session->send(opened->stream, bytes("relayed"), true);
            }
        const auto output = session->take_output();
        if (!output.empty())
            worker.send_relayed(peer, text(output));
    };
    serve(true);
    CHECK(call.outcome() == "200 relayed");

    SECTION("and loses its requests with it") {
        auto head = post_request("/b");
        head.has_body = false;
        Call lost(pool, std::move(head));
        REQUIRE(eventually([&] { return !lost.queued(); }));
        worker.disconnect();
        CHECK(lost.outcome() == "worker_lost");
    }
    SECTION("and repeats what may be repeated elsewhere") {
        Call repeated(pool, get_request("/b"));
        REQUIRE(worker.await_relayed());
        worker.disconnect();
        REQUIRE(eventually([&] { return registry.workers() == 0 && repeated.queued(); }));
        repeated.cancel();
    }
    CHECK(eventually([&] { return registry.table->in_flight(0) == 0; }));
}
