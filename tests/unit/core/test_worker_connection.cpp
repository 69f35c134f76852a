// Where children may dial a worker that announced itself from some address.
#include <array>

#include "catch.hpp"
#include "mod_zmqspdy/core/relay_id.hpp"
#include "mod_zmqspdy/core/worker_connection.hpp"

using namespace zmqspdy::router;
namespace transport = zmqspdy::transport;

TEST_CASE("an endpoint is settled by where the announcement comes from") {
    struct Case {
        const char* endpoint;
        const char* address;
        bool insecure;
        int status;  // 0: taken
        const char* settled;
    };
    constexpr std::array kCases{
        // On the router's own host.
        Case{"ipc://@zmqspdy/a", "127.0.0.1", false, 0, "ipc://@zmqspdy/a"},
        Case{"ipc://@zmqspdy/a", "::1", false, 0, "ipc://@zmqspdy/a"},
        Case{"tcp://127.0.0.1:5000", "127.0.0.1", false, 0, "tcp://127.0.0.1:5000"},
        Case{"tcp://127.0.0.2:5000", "127.0.0.1", false, 0, "tcp://127.0.0.2:5000"},
        Case{"tcp://[::1]:5000", "127.0.0.1", false, 0, "tcp://[::1]:5000"},
        Case{"tcp://localhost:5000", "::1", false, 0, "tcp://[::1]:5000"},
        Case{"tcp://LocalHost:5000", "127.0.0.1", false, 0, "tcp://127.0.0.1:5000"},
        Case{"tcp://*:5000", "127.0.0.1", false, 0, "tcp://127.0.0.1:5000"},
        Case{"tcp://0.0.0.0:5000", "127.0.0.1", false, 0, "tcp://127.0.0.1:5000"},
        Case{"tcp://[::]:5000", "::1", false, 0, "tcp://[::1]:5000"},
        Case{"tcp://*:5000", "::ffff:127.0.0.1", false, 0, "tcp://[::ffff:127.0.0.1]:5000"},
        // Other programs' sockets.
        Case{"ipc://@dbus/a", "127.0.0.1", true, 403, ""}, Case{"ipc://@zmqspdy", "127.0.0.1", true, 403, ""},
        Case{"ipc://@/zmqspdy/a", "127.0.0.1", true, 403, ""},
        // Another host, with and without leave.
        Case{"tcp://*:5000", "10.0.0.5", true, 0, "tcp://10.0.0.5:5000"},
        Case{"tcp://*:5000", "10.0.0.5", false, 403, ""},
        Case{"tcp://10.0.0.5:5000", "10.0.0.5", true, 0, "tcp://10.0.0.5:5000"},
        Case{"tcp://10.0.0.5:5000", "10.0.0.5", false, 403, ""},
        Case{"tcp://10.0.0.5:5000", "::ffff:10.0.0.5", true, 0, "tcp://10.0.0.5:5000"},
        Case{"tcp://[::ffff:10.0.0.5]:5000", "10.0.0.5", true, 0, "tcp://[::ffff:10.0.0.5]:5000"},
        // Somebody else's host.
        Case{"tcp://10.0.0.6:5000", "10.0.0.5", true, 403, ""},
        Case{"tcp://10.0.0.6:5000", "127.0.0.1", true, 403, ""},
        Case{"tcp://127.0.0.1:5000", "10.0.0.5", true, 403, ""},
        Case{"tcp://localhost:5000", "10.0.0.5", true, 403, ""},
        Case{"tcp://[::1]:5000", "10.0.0.5", true, 403, ""},
        Case{"tcp://example.com:5000", "10.0.0.5", true, 403, ""},
        Case{"ipc://@zmqspdy/a", "10.0.0.5", true, 403, ""},
        // Nobody knows from where.
        Case{"ipc://@zmqspdy/a", "", true, 403, ""}, Case{"tcp://*:5000", "", true, 403, ""},
        Case{"tcp://127.0.0.1:5000", "", true, 403, ""},
        // Nowhere.
        Case{"tcp://127.0.0.1:0", "127.0.0.1", true, 400, ""}, Case{"tcp://*:0", "10.0.0.5", true, 400, ""}};
    for (const auto& [endpoint, address, insecure, status, settled] : kCases) {
        INFO(endpoint << " from '" << address << "'" << (insecure ? ", insecure" : ""));
        transport::Announcement announcement;
        announcement.endpoint = std::get<transport::Endpoint>(transport::parse_endpoint(endpoint));
        const auto error = settle_endpoint(announcement, address, insecure);
        CHECK((error ? error->status : 0) == status);
        if (!error)
            CHECK(transport::to_string(*announcement.endpoint) == settled);
        else
            CHECK_FALSE(error->why.empty());
    }
}

TEST_CASE("a worker without an endpoint is relayed from anywhere") {
    transport::Announcement announcement;
    CHECK_FALSE(settle_endpoint(announcement, "10.0.0.5", false));
    CHECK_FALSE(announcement.endpoint);
}

TEST_CASE("the record of an announcement") {
    WorkerConnection connection("connection", "127.0.0.1");
    connection.worker = 9;
    connection.joined = 77;
    transport::Announcement& announcement = connection.announcement;
    announcement.name = std::string(transport::kMaxNameLength, 'n');
    announcement.service = std::string(transport::kMaxNameLength, 's');
    announcement.capacity = transport::kMaxCapacity;
    announcement.weight = transport::kMaxWeight;
    SECTION("dialled") {
        const std::string longest(106, 'x');
        announcement.endpoint = transport::AbstractEndpoint{longest};
        connection.draining = true;
        const auto record = to_record(connection);
        CHECK(record.relayed == 0);
        CHECK(record.draining == 1);
        CHECK(record.endpoint_view() == "ipc://@" + longest);
    }
    SECTION("relayed") {
        const auto record = to_record(connection);
        CHECK(record.relayed == 1);
        CHECK(record.draining == 0);
        CHECK(record.endpoint_view().empty());
    }
    const auto record = to_record(connection);
    CHECK(record.id == 9);
    CHECK(record.joined == 77);
    CHECK(record.name_view() == announcement.name);
    CHECK(record.service_view() == announcement.service);
    CHECK(record.capacity == transport::kMaxCapacity);
    CHECK(record.weight == transport::kMaxWeight);
}

TEST_CASE("a relayed link names its worker") {
    const RelayId id(0x0102030405060708, 1234, 5);
    CHECK(RelayId::worker_of(id.view()) == 0x0102030405060708);
    CHECK(id.view().front() != '\0');
    CHECK(id.view() != RelayId(0x0102030405060708, 1234, 6).view());
    CHECK(id.view() != RelayId(0x0102030405060708, 1235, 5).view());
    CHECK_FALSE(RelayId::worker_of(""));
    CHECK_FALSE(RelayId::worker_of(id.view().substr(1)));
    CHECK_FALSE(RelayId::worker_of(std::string(id.view()) + "x"));
    auto other = std::string(id.view());
    other.front() = 'w';
    CHECK_FALSE(RelayId::worker_of(other));
}
