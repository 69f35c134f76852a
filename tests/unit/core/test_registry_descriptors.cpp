// A registry without descriptors.
#include <vector>

#include "announcer.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "few_descriptors.hpp"
#include "registry_thread.hpp"

using namespace zmqspdy;
using namespace std::chrono_literals;

TEST_CASE(
    "registry: out of descriptors it keeps its workers, refuses connections at both its doors, and "
    "recovers") {
    RegistryThread registry(100ms);
    Announcer first(registry.endpoint());
    REQUIRE(first.join(relayed_worker("first")) == 201);
    std::vector<PlainConnection> strangers;
    strangers.emplace_back(registry.relay_endpoint());
    strangers.emplace_back(registry.endpoint());
    {
        const NoDescriptors none;
        for (auto& stranger : strangers) {
            stranger.connect();
            REQUIRE(eventually([&] {
                first.pump();
                return stranger.is_refused();
            }));
        }
        CHECK(eventually([&] {
            first.pump();
            return registry.log.count(" descriptors is left: refused ") > 0;
        }));
    }
    CHECK(eventually([&] {
        first.pump();
        return registry.log.count("there are descriptors again") == 1;
    }));
    CHECK(registry.has("first"));
    Announcer second(registry.endpoint());
    CHECK(second.join(relayed_worker("second")) == 201);
}
