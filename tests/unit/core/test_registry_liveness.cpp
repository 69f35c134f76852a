// Who is silent is gone.
#include "announcer.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "registry_thread.hpp"

using namespace zmqspdy;
using namespace std::chrono_literals;

TEST_CASE("registry: a silent worker is gone after three heartbeats, one that answers stays") {
    RegistryThread registry(100ms);
    Announcer silent(registry.endpoint());
    Announcer alive(registry.endpoint());
    REQUIRE(alive.join(relayed_worker("alive")) == 201);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(silent.join(relayed_worker("silent")) == 201);
    CHECK(eventually([&] {
        alive.pump();
        return !registry.has("silent");
    }));
    CHECK(std::chrono::steady_clock::now() - start > 300ms);
    CHECK(registry.log.await("worker 'silent' is gone: silent for 3 heartbeats"));
    CHECK(registry.has("alive"));
    // It may come back over a new connection, and it is told so over the old one.
    silent.pump();
    CHECK(silent.await_goodbye());
    Announcer again(registry.endpoint());
    CHECK(again.join(relayed_worker("silent")) == 201);
    CHECK(registry.log.count("worker 'silent' joined") == 2);
    CHECK(registry.log.count("worker 'silent' is gone") == 1);
}

TEST_CASE("registry: only who has been silent for a heartbeat is asked whether it is there") {
    RegistryThread registry(500ms);
    Announcer silent(registry.endpoint());
    Announcer lively(registry.endpoint());
    REQUIRE(silent.join(relayed_worker("silent")) == 201);
    REQUIRE(lively.join(relayed_worker("lively")) == 201);
    // It answers: it is asked again and again.
    REQUIRE(eventually([&] {
        (void)lively.session().ping();
        lively.pump();
        silent.pump(10ms);
        return silent.asked() >= 2;
    }));
    CHECK(lively.asked() == 0);
    CHECK(registry.has("silent"));
}

TEST_CASE("registry: a connection that speaks but announces nothing is no worker") {
    RegistryThread registry(50ms);
    Announcer idle(registry.endpoint());
    idle.flush();
    CHECK(registry.log.await("dropped a connection from 127.0.0.1 that is gone: silent for 3 heartbeats"));
    CHECK(registry.workers() == 0);
}

TEST_CASE("registry: a relayed worker is alive while it answers requests") {
    RegistryThread registry(100ms);
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("busy")) == 201);
    const auto start = std::chrono::steady_clock::now();
    // Frames for children, if only for some that are gone, are a sign of life.
    REQUIRE(eventually([&] {
        worker.send_relayed("nobody", "x");
        return std::chrono::steady_clock::now() - start > 1000ms;
    }));
    CHECK(registry.has("busy"));
}
