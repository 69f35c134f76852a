// How a worker finds routers, keeps them, and finds them again.
#include <atomic>
#include <optional>

#include "catch.hpp"
#include "fake_router.hpp"
#include "transport/message.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;

namespace {

void greet(Worker& worker) {
    worker.any("/*path", [](Request&) { return Response::text("hello\n"); });
}

bool is_announced(Registry& registry) {
    return until({&registry}, [&] { return registry.announced().size() == 1; });
}

transport::AnnouncementReply fast_heartbeat() {
    transport::AnnouncementReply reply;
    reply.heartbeat = 30ms;
    return reply;
}

}  // namespace

TEST_CASE("the worker may be there before the router, and finds one that was restarted") {
    zmq::context_t context;
    const bool is_tcp = GENERATE(false, true);
    std::optional<Registry> registry;
    registry.emplace(context, is_tcp ? "tcp://127.0.0.1:*" : unique_endpoint());
    std::string endpoint = registry->endpoint();
    if (is_tcp)
        endpoint =
            "tcp://127.0.0.1" + endpoint.substr(endpoint.rfind(':'));  // libzmq tells an IPv6 form of it
    registry.reset();
    auto options = options_for({endpoint});
    options.relay = GENERATE(false, true);
    RunningWorker worker{options, greet};
    for (int round = 0; round < 3; ++round) {
        const auto start = std::chrono::steady_clock::now();
        registry.emplace(context, endpoint);
        REQUIRE(is_announced(*registry));
        CHECK(std::chrono::steady_clock::now() - start < 2s);
        registry.reset();
    }
}

TEST_CASE("a direct worker serves its children while the router is away") {
    zmq::context_t context;
    std::optional<Registry> registry;
    registry.emplace(context);
    RunningWorker worker{options_for({registry->endpoint()}), greet};
    REQUIRE(is_announced(*registry));
    Child child{context, to_string(*registry->link(registry->announced().front()).announcement->endpoint)};
    registry.reset();
    const auto stream = child.ask({});
    REQUIRE(until({&child}, [&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "hello\n");
}

TEST_CASE("both ends' heartbeats keep the link, silence ends it") {
    zmq::context_t context;
    Registry registry{context, unique_endpoint(), fast_heartbeat()};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(is_announced(registry));
    const std::string first = registry.announced().front();
    REQUIRE(until({&registry}, [&] { return registry.link(first).pings >= 8; }));
    CHECK(registry.links().size() == 1);
    registry.silent = true;
    // It comes again as somebody else, once it has given up the silent connection.
    const auto quiet_until = std::chrono::steady_clock::now() + 200ms;
    REQUIRE(until({&registry}, [&] { return std::chrono::steady_clock::now() > quiet_until; }));
    registry.silent = false;
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 2; }));
}

TEST_CASE("PINGs of a registry do not wear out the link in the long run") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(is_announced(registry));
    const std::string id = registry.announced().front();
    auto& link = registry.link(id);
    const auto answers = [&](int count) {
        std::uint32_t last = 0;
        for (int i = 0; i < count; ++i)
            last = link.session.ping();
        registry.send(id, "", link.session.take_output());
        const auto is_over = [&] { return link.answered_ping == last || link.went_away; };
        return until({&registry}, is_over) && link.answered_ping == last;
    };
    // Nearly all that the budget begins with, which is what hours of heartbeats come to; then more, but less than passing
    // time has given back.
    REQUIRE(answers(19'000));
    const auto start = std::chrono::steady_clock::now();
    for (int round = 1; round <= 3; ++round) {
        REQUIRE(until({&registry}, [&] { return std::chrono::steady_clock::now() > start + round * 200ms; }));
        REQUIRE(answers(1'500));
    }
    CHECK_FALSE(link.faulted);
    CHECK(registry.links().size() == 1);
}

TEST_CASE("GOAWAY and nonsense from the registry end the link, and the worker comes again") {
    zmq::context_t context;
    Registry registry{context};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(is_announced(registry));
    const std::string first = registry.announced().front();
    SECTION("GOAWAY") {
        registry.link(first).session.go_away(spdy::GoAwayCode::ok);
        registry.send(first, "", registry.link(first).session.take_output());
    }
    SECTION("a frame cut in two") {
        registry.link(first).session.ping();
        auto frames = registry.link(first).session.take_output();
        frames.pop_back();
        registry.send(first, "", frames);
    }
    SECTION("a frame that is none") {
        registry.send(first, "", std::vector<std::byte>(64, std::byte{0xff}));
    }
    REQUIRE(
        until({&registry}, [&] { return registry.links().size() == 2 && registry.announced().size() >= 1; }));
    REQUIRE(until({&registry}, [&] {
        for (auto& [id, link] : registry.links()) {
            if (id != first && link.announcement)
                return true;
        }
        return false;
    }));
}

TEST_CASE("a worker that is refused stays connected and asks again") {
    zmq::context_t context;
    transport::AnnouncementReply no;
    no.status = 403;
    no.reason = "not today";
    no.heartbeat = 30ms;
    Registry registry{context, unique_endpoint(), no};
    RunningWorker worker{options_for({registry.endpoint()}), greet};
    REQUIRE(until({&registry}, [&] { return registry.links().size() == 1; }));
    const auto soon = std::chrono::steady_clock::now() + 100ms;
    REQUIRE(until({&registry}, [&] { return std::chrono::steady_clock::now() > soon; }));
    CHECK(registry.links().size() == 1);
    CHECK(registry.announced().empty());
}

TEST_CASE("a worker whose endpoint is another's asks until it is free, and says once why it waits") {
    zmq::context_t context;
    transport::AnnouncementReply no;
    no.status = 409;
    no.reason = "the endpoint is announced already";
    Registry registry{context, unique_endpoint(), no};
    SECTION("on its connection") {}
    SECTION("on a new one, if the router does not keep it") {
        registry.dismisses = true;
    }
    LoggedWorker worker{options_for({registry.endpoint()}),
                        [](Request&) { return Response::text("hello\n"); }};
    REQUIRE(until({&registry}, [&] { return registry.refused() == 3; }));
    const std::string log = worker.log();
    CHECK(log.substr(log.find(' ') + 1) ==  // behind the time
          "warning test: the router " + registry.endpoint() +
              " refused the announcement: the endpoint is announced already; asking again every 1 s\n");
}

TEST_CASE("a worker without a router stops when told to") {
    RunningWorker worker{options_for({unique_endpoint(), "tcp://127.0.0.1:9"}), greet};
    worker.stop();
    REQUIRE(until({}, [&] { return worker.has_returned(); }));
    CHECK(worker.result() == 0);
}

TEST_CASE("an endpoint that is taken ends run() with 1") {
    zmq::context_t context;
    Registry registry{context, "tcp://127.0.0.1:*"};
    auto options = options_for({registry.endpoint()});
    options.listen = "tcp://127.0.0.1" + registry.endpoint().substr(registry.endpoint().rfind(':'));
    RunningWorker worker{options, greet};
    REQUIRE(until({}, [&] { return worker.has_returned(); }));
    CHECK(worker.result() == 1);
}

TEST_CASE("what is announced for --listen") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.insecure = true;
    const auto [listen, host] = GENERATE(table<std::string, std::string>({{"tcp://*:0", "*"},
                                                                          {"tcp://0.0.0.0:0", "*"},
                                                                          {"tcp://127.0.0.1:0", "127.0.0.1"},
                                                                          {"tcp://[::1]:0", "::1"}}));
    options.listen = listen;
    RunningWorker worker{options, greet};
    REQUIRE(is_announced(registry));
    const auto endpoint = registry.link(registry.announced().front()).announcement->endpoint.value();
    const auto& tcp = std::get<transport::TcpEndpoint>(endpoint);
    CHECK((tcp.host == host || transport::same_address(tcp.host, host)));
    CHECK(tcp.port != 0);
    Child child{
        context,
        to_string(transport::Endpoint{transport::TcpEndpoint{host == "*" ? "127.0.0.1" : host, tcp.port}})};
    const auto stream = child.ask({});
    REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
}

TEST_CASE("a relayed child that has gone cancels its requests and can come again") {
    zmq::context_t context;
    Registry registry{context};
    auto options = options_for({registry.endpoint()});
    options.relay = true;
    std::atomic<int> running{0};
    std::atomic<int> cancelled{0};
    RunningWorker worker{options, [&](Worker& w) {
                             w.get("/wait", [&](Request& request) {
                                 ++running;
                                 if (!request.sleep_for(1min))
                                     ++cancelled;
                                 return Response::text("done\n");
                             });
                             w.get("/", [](Request&) { return Response::text("hello\n"); });
                         }};
    REQUIRE(is_announced(registry));
    const std::string link = registry.announced().front();
    {
        Child child{registry, link, "c"};
        (void)child.ask({.path = "/wait"});
        REQUIRE(until({&registry, &child}, [&] { return running == 1; }));
        child.session().go_away(spdy::GoAwayCode::ok);
        child.step();
        REQUIRE(until({&registry}, [&] { return cancelled == 1; }));
    }
    registry.link(link).relayed.clear();
    Child child{registry, link, "c"};
    const auto stream = child.ask({});
    REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "hello\n");
}

TEST_CASE("a router that cannot reach the worker's endpoint is asked to relay, for good") {
    zmq::context_t context;
    Registry registry{context};
    LoggedWorker worker{options_for({registry.endpoint()}),
                        [](Request&) { return Response::text("hello\n"); }};
    REQUIRE(is_announced(registry));
    const std::string id = registry.announced().front();
    auto& link = registry.link(id);
    REQUIRE(link.announcement->endpoint);
    // Once is enough to say it.
    for (int i = 0; i < 2; ++i) {
        REQUIRE(link.session.headers(link.stream, transport::undialable("no\nroute"), false));
        registry.send(id, "", link.session.take_output());
    }
    REQUIRE(until({&registry}, [&] { return !link.announcement->endpoint; }));
    CHECK_FALSE(link.faulted);
    Child child{registry, id, "child"};
    const auto stream = child.ask({});
    REQUIRE(until({&registry, &child}, [&] { return child.reply(stream).ended(); }));
    CHECK(child.reply(stream).body == "hello\n");
    // The next connection begins with it.
    link.session.go_away(spdy::GoAwayCode::ok);
    registry.send(id, "", link.session.take_output());
    REQUIRE(
        until({&registry}, [&] { return registry.links().size() == 2 && registry.announced().size() == 2; }));
    for (const auto& [other, again] : registry.links())
        CHECK_FALSE(again.announcement->endpoint);
    const std::string log = worker.log();
    CAPTURE(log);
    const auto said = log.find("does not reach this worker: no\\x0aroute; from now on its requests come");
    CHECK(said != std::string::npos);
    CHECK(log.find("does not reach this worker", said + 1) == std::string::npos);
}
