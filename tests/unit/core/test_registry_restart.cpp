// A registry that follows another over the same table.
#include "announcer.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "registry_thread.hpp"

using namespace zmqspdy;
using namespace std::chrono_literals;

TEST_CASE("registry: the next one keeps dialled workers that come back") {
    RegistryThread registry(100ms);
    Announcer lasting(registry.endpoint());
    Announcer vanishing(registry.endpoint());
    Announcer relayed(registry.endpoint());
    REQUIRE(lasting.join(worker_at("ipc://@zmqspdy/lasting", "lasting")) == 201);
    REQUIRE(vanishing.join(worker_at("ipc://@zmqspdy/vanishing", "vanishing")) == 201);
    REQUIRE(relayed.join(relayed_worker("relayed")) == 201);
    const auto lasting_id = registry.find("lasting").id;
    const auto relayed_id = registry.find("relayed").id;
    registry.stop();
    CHECK(registry.workers() == 3);
    registry.start();
    // Those whom children dial have noticed nothing; sessions of the relayed one went with the old registry.
    CHECK(registry.has("lasting"));
    CHECK_FALSE(registry.has("relayed"));

    Announcer lasting_again(registry.endpoint());
    REQUIRE(lasting_again.join(worker_at("ipc://@zmqspdy/lasting", "lasting")) == 201);
    CHECK(registry.find("lasting").id == lasting_id);
    Announcer relayed_again(registry.endpoint());
    REQUIRE(relayed_again.join(relayed_worker("relayed")) == 201);
    CHECK(registry.find("relayed").id != relayed_id);
    CHECK(registry.log.count("worker 'lasting' is back") == 1);

    CHECK(eventually([&] {
        lasting_again.pump();
        relayed_again.pump();
        return !registry.has("vanishing");
    }));
    CHECK(registry.log.await("worker 'vanishing' did not come back after a restart of the registry"));
    CHECK(registry.find("lasting").id == lasting_id);
    CHECK(registry.has("relayed"));
    CHECK(registry.log.count("did not come back") == 1);
}

TEST_CASE("registry: the endpoint of a worker that the next one waits for is that worker's") {
    RegistryThread registry(1s);
    {
        Announcer before(registry.endpoint());
        REQUIRE(before.join(with_instance(worker_at("ipc://@zmqspdy/w", "good"), 1)) == 201);
        registry.stop();
    }
    const auto id = registry.find("good").id;
    registry.start();
    Announcer thief(registry.endpoint());
    CHECK(thief.join(with_instance(worker_at("ipc://@zmqspdy/w", "thief"), 2)) == 409);
    CHECK(thief.join(worker_at("ipc://@zmqspdy/w", "thief")) == 409);
    Announcer good(registry.endpoint());
    REQUIRE(good.join(with_instance(worker_at("ipc://@zmqspdy/w", "good"), 1)) == 201);
    CHECK(registry.find("good").id == id);
    CHECK(registry.workers() == 1);
}

TEST_CASE("registry: workers that dial between two registries are served by the second") {
    RegistryThread registry;
    registry.stop();
    Announcer early(registry.endpoint());
    early.announce(relayed_worker("early"));
    registry.start();
    const auto reply = early.await_reply();
    REQUIRE(reply);
    CHECK(reply->status == 201);
    CHECK(registry.has("early"));
}

TEST_CASE("registry: a record whose writer died over it is cleared by the next one") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(worker_at("ipc://@zmqspdy/w", "w")) == 201);
    registry.stop();
    auto half = registry.table->read(0);
    half.id = 0;
    registry.table->write(0, half);
    registry.start();
    CHECK(registry.table->read(0).endpoint_view().empty());
    CHECK(registry.workers() == 0);
}
