// stop, restart, graceful, and the deaths of each kind of process: nothing is left behind, and nothing is lost that
// need not be.
#include <csignal>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

bool none_alive(const std::vector<pid_t>& processes) {
    return std::none_of(processes.begin(), processes.end(), alive);
}

std::string text_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

std::ptrdiff_t open_files(pid_t process) {
    const std::filesystem::directory_iterator files{"/proc/" + std::to_string(process) + "/fd"};
    return std::distance(begin(files), end(files));
}

/// Mappings that several processes share: the worker table, the scoreboard.
std::ptrdiff_t shared_mappings(pid_t process) {
    const auto lines = split_lines(read_file("/proc/" + std::to_string(process) + "/maps"));
    return std::count_if(lines.begin(), lines.end(),
                         [](const std::string& line) { return line.find(" rw-s ") != std::string::npos; });
}

LoadPlan hello_load(const Httpd& httpd, std::size_t concurrency) {
    LoadPlan plan;
    plan.port = httpd.port();
    plan.concurrency = concurrency;
    return plan;
}

}  // namespace

TEST_CASE("stop leaves no process, socket, shared memory or file behind", "[lifecycle][core]") {
    const std::string action = GENERATE("stop", "graceful-stop");
    CAPTURE(action);
    Httpd httpd;
    const auto files_before = httpd.root().listing();
    httpd.start_daemon();
    Worker direct{"hello", "direct", router_options(httpd.router())};
    Worker relayed{"hello", "relayed", router_options(httpd.router(), true)};
    REQUIRE(in_rotation(httpd, {"direct", "relayed"}));
    REQUIRE(load(hello_load(httpd, 8), 200).wrong == 0);

    const auto processes = httpd.processes();
    REQUIRE(httpd.registry().has_value());
    REQUIRE(processes.size() >= 3);
    const Footprint footprint = httpd.footprint();
    httpd.control(action);
    CHECK(eventually(seconds{5}, [&] { return none_alive(processes); }));
    CHECK(eventually(seconds{5}, [&] { return footprint.remaining().empty(); }));
    CAPTURE(text_of(footprint.remaining()));
    CHECK(footprint.remaining().empty());
    CHECK(orphans().empty());
    auto files_after = httpd.root().listing();
    std::erase(files_after, "error_log");
    CHECK(files_after == files_before);
}

TEST_CASE("stop and restart do not wait for the requests under way", "[lifecycle][core]") {
    const std::string action = GENERATE("stop", "restart");
    CAPTURE(action);
    const auto httpd = Httpd::started({.global = "LogLevel zmqspdy:debug\n",
                                       .sections = "<Location /queued>\n  ZmqSpdyService absent\n"
                                                   "  ZmqSpdyQueueTimeout 60s\n</Location>\n"});
    const PuppetWorker worker{*httpd, false, {.opened = [](PuppetWorker::Stream stream) {
                                  const std::string path = stream.seen().path();
                                  if (path == "/silent" || path == "/uploading")
                                      return;
                                  stream.reply({{":status", "200"}}, path == "/answered");
                                  if (path == "/streaming")
                                      stream.data("begin");
                              }}};
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto ask = [&](const std::string& path, const std::string& more = "\r\n") {
        clients.push_back(std::make_unique<RawClient>(httpd->port()));
        clients.back()->send((more.size() > 2 ? "POST " : "GET ") + path +
                             " HTTP/1.1\r\nHost: localhost\r\n" + more);
    };
    const std::vector<std::string> at_worker{"/silent", "/streaming", "/uploading"};
    ask("/silent");
    ask("/streaming");
    ask("/uploading", "Content-Length: 100000\r\n\r\n12345");
    ask("/read-first", "Content-Length: 10\r\n\r\n12345");  // ZmqSpdyRequestBuffer: no worker has it yet
    ask("/queued");
    static_cast<void>(clients[1]->read_until("begin"));
    for (const std::string& path : at_worker) {
        REQUIRE(worker.await(path));
    }
    REQUIRE(worker.await("/uploading", [](const auto& seen) { return !seen.body.empty(); }));
    // A service without workers: said once the request has waited for a moment, not when its time is over.
    REQUIRE(logs(*httpd, "/queued: no worker is free"));

    const auto begin = Clock::now();
    httpd->control(action);
    // httpd asks its children again after 3 seconds, and kills them after 9.
    CHECK(since(begin) < patience(milliseconds{2500}));
    CHECK(httpd->error_log().find("did not exit") == std::string::npos);
    for (const std::string& path : at_worker) {
        CAPTURE(path);
        CHECK(worker.await(path, [](const auto& seen) { return seen.end == "CANCEL"; }));
    }
    if (action == "restart") {
        CHECK(get_once(httpd->port(), "/answered").status == 200);
    }
}

TEST_CASE("a worker table of another size is the registry's as well after graceful", "[lifecycle]") {
    // Sizes that take the same number of pages: the new table is likely to be where the old one was.
    HttpdSetup setup;
    setup.global = "Include workers.conf\n";
    Httpd httpd{setup};
    const auto size = [&httpd](int workers) {
        write_file(httpd.root().path() / "workers.conf",
                   "ZmqSpdyMaxWorkers " + std::to_string(workers) + "\n");
    };
    size(256);
    httpd.start();
    Worker worker{"hello", "worker", router_options(httpd.router())};
    REQUIRE(in_rotation(httpd, {"worker"}));
    for (const int workers : {255, 252, 253, 254, 256}) {
        CAPTURE(workers);
        size(workers);
        httpd.control("graceful");
        CHECK(in_rotation(httpd, {"worker"}));
        CHECK(load(hello_load(httpd, 4), 40).wrong == 0);
    }
}

TEST_CASE("a worker that is replaced at its address while the registry is away is used", "[lifecycle]") {
    const auto httpd = Httpd::started();
    const HeldPort port;
    const auto endpoint = "tcp://127.0.0.1:" + std::to_string(port.number());
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--listen", endpoint});
    std::optional<Worker> worker;
    worker.emplace("hello", "worker", options);
    REQUIRE(in_rotation(*httpd, {"worker"}));
    REQUIRE(load(hello_load(*httpd, 8), 100).wrong == 0);  // every child knows it
    // Stopped, it keeps its port and its table, but hears of nothing.
    const auto registry = httpd->registry();
    REQUIRE(registry);
    ::kill(*registry, SIGSTOP);
    REQUIRE(worker->drain() == 0);
    worker.emplace("hello", "worker", options);
    ::kill(*registry, SIGKILL);
    REQUIRE(eventually(seconds{10}, [&] { return httpd->registry() && httpd->registry() != registry; }));
    // Within the time that such a worker is left alone, and the queue's.
    CHECK(eventually(seconds{15}, [&] { return load(hello_load(*httpd, 8), 100).wrong == 0; }));
}

TEST_CASE("restart and graceful leave nothing of the generation before", "[lifecycle][core]") {
    const std::string action = GENERATE("restart", "graceful");
    CAPTURE(action);
    const auto httpd = Httpd::started();
    Worker direct{"hello", "direct", router_options(httpd->router())};
    Worker relayed{"hello", "relayed", router_options(httpd->router(), true)};
    REQUIRE(in_rotation(*httpd, {"direct", "relayed"}));
    // The first of its kind may open what is then kept.
    httpd->control(action);
    REQUIRE(in_rotation(*httpd, {"direct", "relayed"}));
    const auto files = open_files(httpd->pid());
    const auto mappings = shared_mappings(httpd->pid());

    for (int i = 0; i < 4; ++i) {
        const auto old_children = httpd->serving_children();
        const auto old_registry = httpd->registry();
        REQUIRE(old_registry.has_value());
        httpd->control(action);
        REQUIRE(in_rotation(*httpd, {"direct", "relayed"}));
        CHECK(eventually(seconds{20}, [&] { return none_alive(old_children); }));
        if (action == "graceful") {
            CHECK(httpd->registry() == old_registry);
        }
    }
    const auto children = children_of(httpd->pid());
    CHECK(std::count_if(children.begin(), children.end(), [](pid_t child) {
              return title_of(child).find("(zmqspdy") != std::string::npos;
          }) == 1);
    CHECK(open_files(httpd->pid()) == files);
    CHECK(shared_mappings(httpd->pid()) == mappings);
}

TEST_CASE("graceful loses no request and no worker notices", "[lifecycle][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker one{"hello", "worker-1", router_options(httpd->router(), relayed)};
    Worker two{"hello", "worker-2", router_options(httpd->router(), relayed)};
    REQUIRE(in_rotation(*httpd, {"worker-1", "worker-2"}));
    const auto registry = httpd->registry();
    REQUIRE(registry.has_value());

    BackgroundLoad requests{hello_load(*httpd, 8)};
    for (int i = 0; i < 3; ++i) {
        REQUIRE(requests.wait_for(100));
        httpd->control("graceful");
    }
    REQUIRE(requests.wait_for(100));
    const LoadResult result = requests.finish();
    INFO(result.summary());
    CHECK(result.wrong == 0);
    CHECK(httpd->registry() == registry);
    CHECK(logs(*httpd, "worker-1"));
    CHECK(logs(*httpd, "worker-2"));
}

TEST_CASE("a child that is to end gives its streams as long as ZmqSpdyGracefulTimeout says",
          "[lifecycle][core]") {
    const auto limit = patience(milliseconds{500});
    const auto httpd =
        Httpd::started({.global = "ZmqSpdyGracefulTimeout " + std::to_string(limit.count()) + "ms"});
    Worker worker{"echo", "worker-1", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"worker-1"}));
    RawClient client{httpd->port()};
    client.send("GET /events?ms=20 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    (void)client.read_until("event 1");
    const auto old_children = httpd->serving_children();

    const auto start = Clock::now();
    httpd->control("graceful");
    const auto part = client.read_all();
    const auto end = Clock::now();
    CHECK(end - start >= limit);
    CHECK(end - start < limit * 8 / 5);
    CHECK_FALSE(part.ends_with("0\r\n\r\n"));  // the client must not take it for the whole
    CHECK(eventually(seconds{5},
                     [&] { return get_once(httpd->port(), "/cancelled").body == "{\"cancelled\":1}\n"; }));
    CHECK(eventually(seconds{5}, [&] { return none_alive(old_children); }));
    CHECK(logs(*httpd, "it gave up 1 request that is still at workers (ZmqSpdyGracefulTimeout)"));
}

TEST_CASE("restart keeps the workers in rotation", "[lifecycle]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"hello", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(in_rotation(*httpd, {"worker-1"}));
    httpd->control("restart");
    CHECK(in_rotation(*httpd, {"worker-1"}));
}

TEST_CASE("httpd replaces a killed registry, and direct traffic does not notice", "[lifecycle][core]") {
    const auto httpd = Httpd::started();
    Worker one{"hello", "worker-1", router_options(httpd->router())};
    Worker two{"hello", "worker-2", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"worker-1", "worker-2"}));
    const auto registry = httpd->registry();
    REQUIRE(registry.has_value());

    BackgroundLoad requests{hello_load(*httpd, 8)};
    REQUIRE(requests.wait_for(100));
    ::kill(*registry, SIGKILL);
    CHECK(eventually(seconds{10}, [&] {
        const auto now = httpd->registry();
        return now.has_value() && now != registry;
    }));
    REQUIRE(requests.wait_for(500));
    // A worker that comes now finds the new one; those that were there are still there.
    Worker three{"hello", "worker-3", router_options(httpd->router())};
    CHECK(in_rotation(*httpd, {"worker-1", "worker-2", "worker-3"}));
    REQUIRE(requests.wait_for(500));
    const LoadResult result = requests.finish();
    INFO(result.summary());
    CHECK(result.wrong == 0);
}

TEST_CASE("Relayed workers come back after a killed registry", "[lifecycle]") {
    const auto httpd = Httpd::started();
    Worker one{"hello", "worker-1", router_options(httpd->router(), true)};
    REQUIRE(in_rotation(*httpd, {"worker-1"}));
    for (int i = 0; i < 3; ++i) {
        const auto registry = httpd->registry();
        REQUIRE(registry.has_value());
        ::kill(*registry, SIGKILL);
        REQUIRE(eventually(seconds{10}, [&] {
            const auto now = httpd->registry();
            return now.has_value() && now != registry;
        }));
        CHECK(in_rotation(*httpd, {"worker-1"}));
    }
}

TEST_CASE("A worker that drains loses no request", "[lifecycle][core]") {
    const bool relayed = GENERATE(false, true);
    const std::string method = GENERATE("GET", "POST");
    CAPTURE(relayed, method);
    const auto httpd = Httpd::started();
    Worker stays{"hello", "stays", router_options(httpd->router(), relayed)};
    REQUIRE(in_rotation(*httpd, {"stays"}));

    LoadPlan plan = hello_load(*httpd, 8);
    plan.make = [&](std::size_t) {
        Call call;
        call.method = method;
        if (method == "POST") {
            call.body = std::string(1000, 'x');
        }
        return call;
    };
    BackgroundLoad requests{plan};
    for (int i = 0; i < 5; ++i) {
        Worker leaves{"hello", "leaves-" + std::to_string(i), router_options(httpd->router(), relayed)};
        REQUIRE(in_rotation(*httpd, {leaves.name()}));
        CHECK(leaves.drain() == 0);
    }
    const LoadResult result = requests.finish();
    INFO(result.summary());
    CHECK(result.wrong == 0);
}

TEST_CASE("A draining worker finishes what it has", "[lifecycle]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<RawClient>(httpd->port()));
        clients.back()->send(
            "GET /stream/10?ms=100 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        static_cast<void>(clients.back()->read_until("\r\n\r\n"));
    }
    worker.process().signal(SIGTERM);
    for (const auto& client : clients) {
        const std::string rest = client->read_all();
        CAPTURE(rest);
        CHECK(rest.ends_with("\r\n0\r\n\r\n"));
    }
    CHECK(worker.process().wait() == 0);
}

TEST_CASE("What killed children held is given back", "[lifecycle]") {
    const auto httpd = Httpd::started();
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--capacity", "2"});
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));
    // Every slot of the worker is held by a child that dies.
    RawClient one{httpd->port()};
    RawClient two{httpd->port()};
    for (RawClient* client : {&one, &two}) {
        client->send("GET /stream/100000?ms=50 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        static_cast<void>(client->read_until("\r\n\r\n"));
    }
    for (const pid_t child : httpd->serving_children()) {
        ::kill(child, SIGKILL);
    }
    CHECK(eventually(seconds{10}, [&] { return get_once(httpd->port(), "/whoami").ok(); }));
}
