// Workers that join, change and leave.
#include <sys/eventfd.h>

#include <array>
#include <memory>
#include <vector>

#include "announcer.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "headers.hpp"
#include "registry_thread.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

/// Until the registry has made `ready` true; the worker stays alive meanwhile.
template <typename Ready>
bool meanwhile(Announcer& worker, Ready ready) {
    return eventually([&] {
        worker.pump();
        return ready();
    });
}

}  // namespace

TEST_CASE("registry: a worker joins") {
    RegistryThread registry(1234ms);
    Announcer worker(registry.endpoint());
    auto announcement = worker_at("ipc://@zmqspdy/blue", "blue");
    announcement.service = "api";
    worker.announce(announcement);
    const auto reply = worker.await_reply();
    REQUIRE(reply);
    CHECK(reply->status == 201);
    CHECK(reply->heartbeat == 1234ms);
    const auto record = registry.find("blue");
    CHECK(record.id != 0);
    CHECK(record.capacity == 4);
    CHECK(record.weight == 2);
    CHECK(record.service_view() == "api");
    CHECK(record.endpoint_view() == "ipc://@zmqspdy/blue");
    CHECK(record.relayed == 0);
    CHECK(record.draining == 0);
    CHECK(registry.log.text() == "worker 'blue' joined: ipc://@zmqspdy/blue, capacity 4\n");
    eventfd_t rung = 0;
    CHECK(::eventfd_read(registry.wakeup_fd(), &rung) == 0);
}

TEST_CASE("registry: a wildcard host is the host that announces") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(worker_at("tcp://*:5000", "any")) == 201);
    CHECK(registry.find("any").endpoint_view() == "tcp://127.0.0.1:5000");
}

TEST_CASE("registry: a worker without an endpoint is relayed") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("hidden")) == 201);
    CHECK(registry.find("hidden").relayed == 1);
    CHECK(registry.find("hidden").endpoint_view().empty());
    CHECK(registry.log.text() == "worker 'hidden' joined: relayed from 127.0.0.1, capacity 4\n");
}

TEST_CASE("registry: announcements that are refused") {
    struct Case {
        std::string_view name;
        std::string_view value;
        int status;
        std::string_view reason;  // a part of it
    };
    constexpr std::array kCases{
        Case{"name", "two words", 400, "'name'"},
        Case{"name", "", 400, "'name'"},
        Case{"program", "two words", 400, "'program'"},
        Case{"version", "two words", 400, "'version'"},
        Case{"capacity", "0", 400, "'capacity'"},
        Case{"weight", "1000", 400, "'weight'"},
        Case{"service", "two words", 400, "'service'"},
        Case{"endpoint", "http://127.0.0.1:80", 400, "http://127.0.0.1:80"},
        Case{"endpoint", "ipc:///run/worker", 400, "ipc:///run/worker"},
        Case{"endpoint", "tcp://127.0.0.1:0", 400, "port"},
        Case{"endpoint", "ipc://@dbus", 403, "@zmqspdy/"},
        Case{"endpoint", "tcp://192.0.2.1:80", 403, "192.0.2.1"},
        Case{"endpoint", "tcp://example.com:80", 403, "example.com"},
        Case{":path", "/elsewhere", 404, "POST /workers"},
        Case{":method", "GET", 404, "POST /workers"},
    };
    RegistryThread registry;
    std::size_t refused = 0;
    for (const auto& [name, value, status, reason] : kCases) {
        INFO(name << ": " << value);
        auto block = headers({{name, value}});
        for (const auto& [other, fallback] : {std::pair{":method"sv, "POST"sv},
                                              std::pair{":path"sv, "/workers"sv}, std::pair{"name"sv, "w"sv}})
            if (name != other)
                block.add(other, fallback);
        Announcer worker(registry.endpoint());
        worker.announce(block);
        const auto reply = worker.await_reply();
        REQUIRE(reply);
        CHECK(reply->status == status);
        CHECK(reply->reason.find(reason) != std::string::npos);
        CHECK(registry.log.count("refused a worker from 127.0.0.1: " + reply->reason) != 0);
        CHECK(registry.log.count("refused a worker") == ++refused);
    }
    CHECK(registry.workers() == 0);
}

TEST_CASE("registry: an announcement that ends at once is refused") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    worker.announce(transport::to_headers(relayed_worker("brief")), true);
    const auto reply = worker.await_reply();
    REQUIRE(reply);
    CHECK(reply->status == 400);
    CHECK(registry.workers() == 0);
}

TEST_CASE("registry: the table is full") {
    RegistryThread registry(2s, {.workers = 2, .children = 1});
    Announcer first(registry.endpoint());
    Announcer second(registry.endpoint());
    Announcer third(registry.endpoint());
    REQUIRE(first.join(relayed_worker("first")) == 201);
    REQUIRE(second.join(relayed_worker("second")) == 201);
    third.announce(relayed_worker("third"));
    const auto reply = third.await_reply();
    REQUIRE(reply);
    CHECK(reply->status == 503);
    CHECK(reply->reason == "the worker table is full (ZmqSpdyMaxWorkers 2)");
    first.leave();
    REQUIRE(meanwhile(second, [&] { return !registry.has("first"); }));
    Announcer fourth(registry.endpoint());
    CHECK(fourth.join(relayed_worker("fourth")) == 201);
    CHECK(registry.has("second"));
}

TEST_CASE("registry: a place is free when nobody counts requests in it any more, and no id is given twice") {
    RegistryThread registry(2s, {.workers = 1, .children = 1});
    Announcer first(registry.endpoint());
    Announcer second(registry.endpoint());
    REQUIRE(first.join(relayed_worker("first")) == 201);
    const auto id = registry.find("first").id;
    REQUIRE(registry.table->try_reserve(0, 5, 0));
    first.leave();
    REQUIRE(meanwhile(second, [&] { return registry.workers() == 0; }));
    CHECK(second.join(relayed_worker("second")) == 503);
    registry.table->release(0, 0);
    CHECK(second.join(relayed_worker("second")) == 201);
    CHECK(registry.find("second").id > id);
    registry.stop();
    registry.start();
    Announcer third(registry.endpoint());
    REQUIRE(third.join(relayed_worker("third")) == 201);
    CHECK(registry.find("third").id > id + 1);
}

TEST_CASE("registry: a worker changes what it announced") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(worker_at("ipc://@zmqspdy/a", "a")) == 201);
    const auto id = registry.find("a").id;
    worker.update(headers({{"capacity", "77"}, {"service", "s"}}));
    REQUIRE(meanwhile(worker, [&] { return registry.find("a").capacity == 77; }));
    CHECK(registry.find("a").id == id);
    CHECK(registry.find("a").weight == 2);
    CHECK(registry.find("a").service_view() == "s");
    CHECK(registry.find("a").endpoint_view() == "ipc://@zmqspdy/a");
    SECTION("wrongly: nothing changes") {
        worker.update(headers({{"weight", "9"}, {"capacity", "none"}}));
        CHECK(registry.log.await("worker 'a' sent a wrong update, ignored: 'capacity'"));
        worker.update(headers({{"endpoint", "tcp://192.0.2.1:80"}}));
        CHECK(registry.log.await("worker 'a' sent a wrong update, ignored: the endpoint tcp://192.0.2.1:80"));
        CHECK(registry.find("a").weight == 2);
        CHECK(registry.find("a").capacity == 77);
        CHECK(registry.find("a").endpoint_view() == "ipc://@zmqspdy/a");
    }
    SECTION("and leaves in the same breath") {
        worker.update(headers({{"capacity", "1"}}), true);
        CHECK(meanwhile(worker, [&] { return registry.workers() == 0; }));
        CHECK(registry.log.await("worker 'a' left"));
    }
}

TEST_CASE("registry: a worker leaves") {
    RegistryThread registry;
    Announcer leaving(registry.endpoint());
    Announcer staying(registry.endpoint());
    REQUIRE(leaving.join(relayed_worker("leaving")) == 201);
    REQUIRE(staying.join(relayed_worker("staying")) == 201);
    SECTION("with FIN") {
        leaving.leave();
    }
    SECTION("with RST_STREAM") {
        leaving.session().reset(1, spdy::ResetCode::cancel);
        leaving.flush();
    }
    REQUIRE(meanwhile(staying, [&] { return !registry.has("leaving"); }));
    leaving.disconnect();
    // One line for a join and one for a leave, however it goes on.
    Announcer other(registry.endpoint());
    REQUIRE(other.join(relayed_worker("other")) == 201);
    other.disconnect();
    REQUIRE(meanwhile(staying, [&] { return registry.log.count("is gone") != 0; }));
    CHECK(registry.log.text() ==
          "worker 'leaving' joined: relayed from 127.0.0.1, capacity 4\n"
          "worker 'staying' joined: relayed from 127.0.0.1, capacity 4\n"
          "worker 'leaving' left\n"
          "worker 'other' joined: relayed from 127.0.0.1, capacity 4\n"
          "worker 'other' is gone: its connection ended\n");
    CHECK(registry.has("staying"));
}

TEST_CASE("registry: a worker drains, then leaves") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(relayed_worker("w")) == 201);
    worker.go_away();
    REQUIRE(meanwhile(worker, [&] { return registry.find("w").draining == 1; }));
    SECTION("with FIN") {
        worker.leave();
    }
    SECTION("with its connection") {
        worker.disconnect();
    }
    CHECK(registry.log.await("worker 'w' left"));
    CHECK(eventually([&] { return !registry.has("w"); }));
    CHECK(registry.log.count("worker 'w'") == 2);
}

TEST_CASE("registry: a worker whose connection ends is gone") {
    RegistryThread registry;
    for (int round = 0; round < 20; ++round) {
        Announcer worker(registry.endpoint());
        const auto name = "w" + std::to_string(round);
        REQUIRE(worker.join(worker_at("ipc://@zmqspdy/" + name, name)) == 201);
        const auto ended = std::chrono::steady_clock::now();
        worker.disconnect();
        REQUIRE(eventually([&] { return !registry.has(name); }));
        // Far sooner than silence would tell.
        CHECK(std::chrono::steady_clock::now() - ended < 2500ms);
        CHECK(registry.log.await("worker '" + name + "' is gone: its connection ended"));
        CHECK(registry.log.count("worker '" + name + "'") == 2);
    }
}

TEST_CASE("registry: the same instance at the same endpoint is the same worker") {
    RegistryThread registry;
    Announcer first(registry.endpoint());
    REQUIRE(first.join(with_instance(worker_at("ipc://@zmqspdy/same", "before"), 7)) == 201);
    const auto id = registry.find("before").id;
    const auto joined = registry.find("before").joined;
    CHECK(joined > 0);
    Announcer second(registry.endpoint());
    REQUIRE(second.join(with_instance(worker_at("ipc://@zmqspdy/same", "after"), 7)) == 201);
    CHECK(registry.find("after").id == id);
    CHECK(registry.find("after").joined == joined);
    CHECK(registry.workers() == 1);
    CHECK(registry.log.count("worker 'after' is back: ipc://@zmqspdy/same") == 1);
    // What becomes of the old connection is nobody's business any more.
    SECTION("it ends") {
        first.disconnect();
    }
    SECTION("it leaves") {
        first.leave();
    }
    SECTION("it drains") {
        first.go_away();
    }
    SECTION("it changes its mind") {
        first.update(headers({{"name", "ghost"}}));
    }
    Announcer other(registry.endpoint());
    REQUIRE(other.join(relayed_worker("other")) == 201);
    CHECK(meanwhile(second, [&] { return registry.find("after").id == id; }));
    CHECK(registry.find("after").draining == 0);
    second.leave();
    CHECK(meanwhile(other, [&] { return !registry.has("after"); }));
}

TEST_CASE("registry: an endpoint belongs to the worker that holds it") {
    struct Case {
        const char* held;
        const char* wanted;
        std::uint64_t holder;  // instances; 0: none
        std::uint64_t other;
    };
    const auto [held, wanted, holder, other] =
        GENERATE(Case{"ipc://@zmqspdy/a", "ipc://@zmqspdy/a", 0, 0},
                 Case{"ipc://@zmqspdy/a", "ipc://@zmqspdy/a", 1, 0},
                 Case{"ipc://@zmqspdy/a", "ipc://@zmqspdy/a", 0, 1},
                 Case{"ipc://@zmqspdy/a", "ipc://@zmqspdy/a", 1, 2},
                 Case{"tcp://127.0.0.1:5000", "tcp://*:5000", 1, 2},
                 Case{"tcp://127.0.0.1:5000", "tcp://localhost:5000", 1, 2},
                 Case{"tcp://127.0.0.1:5000", "tcp://[::ffff:127.0.0.1]:5000", 1, 2},
                 Case{"tcp://localhost:5000", "tcp://127.0.0.1:5000", 1, 2});
    CAPTURE(held, wanted, holder, other);
    RegistryThread registry;
    Announcer good(registry.endpoint());
    auto announcement = with_instance(worker_at(held, "good"), holder);
    announcement.service = "protected";
    REQUIRE(good.join(announcement) == 201);
    const auto id = registry.find("good").id;
    Announcer thief(registry.endpoint());
    SECTION("another connection announces it") {
        thief.announce(with_instance(worker_at(wanted, "thief"), other));
        const auto reply = thief.await_reply();
        REQUIRE(reply);
        CHECK(reply->status == 409);
        CHECK(reply->reason.find("by worker 'good'") != std::string::npos);
    }
    SECTION("another worker changes to it") {
        REQUIRE(thief.join(with_instance(worker_at("ipc://@zmqspdy/thief", "thief"), other)) == 201);
        thief.update(headers({{"endpoint", wanted}}));
        CHECK(registry.log.await("worker 'thief' sent a wrong update, ignored: the endpoint"));
        CHECK(registry.find("thief").endpoint_view() == "ipc://@zmqspdy/thief");
    }
    thief.disconnect();
    good.update(headers({{"capacity", "9"}}));
    REQUIRE(meanwhile(good, [&] { return registry.find("good").capacity == 9 && registry.workers() == 1; }));
    CHECK(registry.find("good").id == id);
    CHECK(registry.find("good").service_view() == "protected");
}

TEST_CASE("registry: an endpoint is free again when its worker has gone, known or not") {
    RegistryThread registry(200ms);
    auto first = std::make_unique<Announcer>(registry.endpoint());
    REQUIRE(first->join(with_instance(worker_at("tcp://127.0.0.1:5000", "first"), 1)) == 201);
    const auto id = registry.find("first").id;
    Announcer next(registry.endpoint());
    const auto announcement = with_instance(worker_at("tcp://127.0.0.1:5000", "next"), 2);
    SECTION("its connection ends at the same moment") {
        first.reset();
        CHECK(eventually([&] { return next.join(announcement) == 201; }));
    }
    SECTION("it hangs, and nothing tells so but silence") {
        CHECK(next.join(announcement) == 409);
        CHECK(eventually([&] {
            next.pump(20ms);
            return next.join(announcement) == 201;
        }));
        CHECK(registry.log.count("worker 'first' is gone: silent for 3 heartbeats") == 1);
    }
    SECTION("it has left") {
        first->leave();
        CHECK(eventually([&] { return next.join(announcement) == 201; }));
    }
    SECTION("it drains, and its place at the endpoint is another's") {
        first->go_away();
        REQUIRE(meanwhile(*first, [&] { return registry.find("first").draining == 1; }));
        CHECK(next.join(announcement) == 201);
    }
    CHECK(registry.find("next").id != id);
    CHECK(registry.workers() == 1);
}

TEST_CASE("registry: a worker that changes its endpoint is dialled anew") {
    RegistryThread registry;
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(worker_at("ipc://@zmqspdy/a", "a")) == 201);
    const auto id = registry.find("a").id;
    worker.update(headers({{"endpoint", "ipc://@zmqspdy/b"}}));
    REQUIRE(meanwhile(worker, [&] { return registry.find("a").endpoint_view() == "ipc://@zmqspdy/b"; }));
    CHECK(registry.find("a").id != id);
    Announcer other(registry.endpoint());
    CHECK(other.join(worker_at("ipc://@zmqspdy/a", "heir")) == 201);
    worker.leave();
    CHECK(meanwhile(other, [&] { return registry.workers() == 1; }));
}

TEST_CASE("registry: workers of one name are several workers") {
    RegistryThread registry;
    Announcer first(registry.endpoint());
    Announcer second(registry.endpoint());
    REQUIRE(first.join(relayed_worker("twin")) == 201);
    REQUIRE(second.join(relayed_worker("twin")) == 201);
    CHECK(registry.workers() == 2);
    first.leave();
    CHECK(meanwhile(second, [&] { return registry.workers() == 1; }));
}

TEST_CASE("registry: workers of one service that are different programs or versions are warned of once") {
    RegistryThread registry;
    std::vector<std::unique_ptr<Announcer>> workers;
    const auto warned = [&](const std::string& name, const std::string& program, const std::string& version,
                            const std::string& service) {
        auto announcement = relayed_worker(name);
        announcement.program = program;
        announcement.version = version;
        announcement.service = service;
        workers.push_back(std::make_unique<Announcer>(registry.endpoint()));
        workers.back()->announce(announcement);
        const auto reply = workers.back()->await_reply();
        REQUIRE(reply);
        REQUIRE(reply->status == 201);
        return reply->warning;
    };
    const auto lines_with = [&](std::string_view text) {
        const std::string log = registry.log.text();
        std::size_t count = 0;
        for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1))
            ++count;
        return count;
    };
    CHECK(warned("hello-1", "hello", "1", "").empty());
    CHECK(warned("hello-2", "hello", "1", "").empty());
    CHECK(warned("blue", "app", "1", "blue").empty());
    CHECK(warned("unknown", "", "", "").empty());
    CHECK(lines_with("different") == 0);

    const auto other_program = warned("app-1", "app", "1", "");
    CHECK(other_program.find("'app-1' runs app") != std::string::npos);
    CHECK(other_program.find("runs hello") != std::string::npos);
    CHECK(other_program.find("--service") != std::string::npos);
    CHECK_FALSE(warned("app-2", "app", "1", "").empty());
    CHECK(lines_with("workers without a service are different programs") == 1);

    const auto other_version = warned("blue-2", "app", "2", "blue");
    CHECK(other_version.find("different versions of app: 'blue-2' runs 2, 'blue' runs 1") !=
          std::string::npos);
    CHECK(lines_with("workers of the service 'blue' are different versions") == 1);
}

TEST_CASE("registry: a worker that drains is no reason to warn of the one that replaces it") {
    RegistryThread registry;
    Announcer old(registry.endpoint());
    auto announcement = worker_at("ipc://@zmqspdy/old", "old");
    announcement.program = "app";
    announcement.version = "1";
    REQUIRE(old.join(announcement) == 201);
    old.go_away();
    REQUIRE(meanwhile(old, [&] { return registry.find("old").draining == 1; }));
    Announcer next(registry.endpoint());
    announcement = worker_at("ipc://@zmqspdy/new", "new");
    announcement.program = "app";
    announcement.version = "2";
    next.announce(announcement);
    const auto reply = next.await_reply();
    REQUIRE(reply);
    CHECK(reply->status == 201);
    CHECK(reply->warning.empty());
}

TEST_CASE("registry: a worker that no child reaches is told once, and may ask to be relayed") {
    RegistryThread registry(100ms);
    Announcer worker(registry.endpoint());
    REQUIRE(worker.join(worker_at("ipc://@zmqspdy/far", "far")) == 201);
    const auto id = registry.find("far").id;
    // What is said of an earlier announcement is nothing to this one.
    registry.table->set_undialable(0, id + 1);
    REQUIRE(meanwhile(worker, [&, pings = worker.asked()] { return worker.asked() > pings + 1; }));
    CHECK(registry.log.count("cannot connect") == 0);
    registry.table->set_undialable(0, id);
    CHECK(worker.await_undialable() == "httpd cannot connect to ipc://@zmqspdy/far");
    REQUIRE(meanwhile(worker, [&, pings = worker.asked()] { return worker.asked() > pings + 1; }));
    CHECK(registry.log.count("httpd cannot connect to ipc://@zmqspdy/far; it is told") == 1);

    worker.update(transport::relay_instead());
    REQUIRE(meanwhile(worker, [&] { return registry.find("far").relayed == 1; }));
    CHECK(registry.find("far").endpoint_view().empty());
    CHECK(registry.find("far").id != id);
    CHECK(registry.log.count("worker 'far' is relayed from 127.0.0.1 from now on") == 1);
}
