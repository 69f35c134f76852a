// The registry outlives restarts: what it has to know of a new configuration reaches it all the same.
#include <csignal>
#include <filesystem>

#include <algorithm>
#include <memory>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "harness/forwarder.hpp"
#include "harness/raw_client.hpp"
#include "harness/status.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

namespace fs = std::filesystem;

/// Lines of `file` below the server's root that hold `text`.
std::ptrdiff_t lines_with(const Httpd& httpd, const std::string& file, const std::string& text) {
    const auto lines = split_lines(read_file(httpd.root().path() / file));
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

void rotate(Httpd& httpd, const std::string& to) {
    fs::rename(httpd.root().path() / "error_log", httpd.root().path() / to);
    httpd.control("graceful");
}

std::vector<std::string> open_files_of(pid_t process) {
    std::vector<std::string> files;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator{"/proc/" + std::to_string(process) + "/fd"}) {
        files.push_back(fs::read_symlink(entry.path(), gone).string());
    }
    return files;
}

}  // namespace

TEST_CASE("The registry's lines are in the log of the present configuration, all of them and once",
          "[lifecycle][core]") {
    const auto httpd = Httpd::started();
    const auto registry = httpd->registry();
    Worker first{"echo", "first", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"first"}));
    // A child of the first configuration stays, with its logs.
    RawClient stays{httpd->port()};
    stays.send("GET /stream/100000?ms=20 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    static_cast<void>(stays.read_until("\r\n\r\n"));
    for (int round = 1; round <= 2; ++round) {
        CAPTURE(round);
        const std::string rotated = "error_log." + std::to_string(round);
        rotate(*httpd, rotated);
        std::vector<std::unique_ptr<Worker>> more;
        for (int i = 0; i < 8; ++i) {
            const std::string name = "round-" + std::to_string(round) + "-" + std::to_string(i);
            more.push_back(std::make_unique<Worker>("echo", name, router_options(httpd->router())));
        }
        for (const auto& worker : more) {
            CHECK(eventually(seconds{10}, [&] {
                return lines_with(*httpd, "error_log", "'" + worker->name() + "' joined") == 1;
            }));
            CHECK(lines_with(*httpd, rotated, worker->name()) == 0);
        }
    }
    CHECK(httpd->registry() == registry);
}

TEST_CASE("The registry keeps no log open that is rotated away", "[lifecycle]") {
    const auto httpd = Httpd::started({.modules = {"log_config"}, .global = "CustomLog access_log %U"});
    const auto registry = httpd->registry();
    REQUIRE(registry);
    Worker worker{"hello", "worker", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"worker"}));
    const auto root = httpd->root().path().string();
    const auto files = open_files_of(*registry);
    CHECK_FALSE(files.empty());
    CHECK(std::none_of(files.begin(), files.end(),
                       [&](const std::string& file) { return file.starts_with(root); }));
}

TEST_CASE("What the registry says while no child is there to write it is not lost", "[lifecycle]") {
    const auto httpd = Httpd::started();
    Worker worker{"hello", "worker", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"worker"}));
    const auto registry = httpd->registry();
    rotate(*httpd, "error_log.1");
    worker.process().kill();
    httpd->control("restart");
    CHECK(eventually(seconds{10},
                     [&] { return lines_with(*httpd, "error_log", "worker 'worker' is gone") == 1; }));
    CHECK(httpd->registry() == registry);
}

TEST_CASE("A logger behind a pipe gets the registry's lines after each graceful", "[lifecycle]") {
    Httpd httpd{{.sections = "Include more.conf"}};
    const auto folder = httpd.root().path().string();
    write_file(httpd.root().path() / "more.conf", "");
    httpd.start();
    const auto registry = httpd.registry();
    // httpd tells the harness that it is up through the same pipe.
    write_file(httpd.root().path() / "more.conf", "ErrorLog \"|/usr/bin/tee -a " + folder + "/error_log\"\n");
    for (const char* name : {"one", "two"}) {
        httpd.control("graceful");
        Worker worker{"hello", name, router_options(httpd.router())};
        CHECK(joined(httpd, {name}));
    }
    CHECK(httpd.registry() == registry);
}

TEST_CASE("Another worker port at the same number replaces the registry, not httpd", "[lifecycle][core]") {
    HttpdSetup setup;
    setup.listen_directive = false;
    setup.global = "ZmqSpdyInsecure on\nInclude listen.conf";
    Httpd httpd{setup};
    const auto listen = [&](const std::string& host) {
        write_file(httpd.root().path() / "listen.conf",
                   "ZmqSpdyListen tcp://" + host + ":" + std::to_string(httpd.worker_port()) + "\n");
    };
    listen("127.0.0.1");
    httpd.start();
    Worker worker{"hello", "worker", router_options(httpd.router())};
    REQUIRE(in_rotation(httpd, {"worker"}));
    for (const char* host : {"*", "127.0.0.1", "localhost"}) {
        CAPTURE(host);
        listen(host);
        httpd.control("graceful");
        Worker late{"hello", std::string{"late-"} + host[0], router_options(httpd.router())};
        CHECK(in_rotation(httpd, {"worker", late.name()}));
        CHECK(log_lines_with(httpd, std::string{"workers are awaited at tcp://"} + host + ":") >= 1);
    }
    CHECK(httpd.running());
}

TEST_CASE("A registry that hangs is replaced once, and direct traffic does not notice", "[lifecycle]") {
    const auto httpd = Httpd::started();
    Worker worker{"hello", "worker", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"worker"}));
    const auto registry = httpd->registry();
    REQUIRE(registry);
    LoadPlan plan;
    plan.port = httpd->port();
    plan.concurrency = 1;
    BackgroundLoad requests{plan};
    REQUIRE(requests.wait_for(50));
    ::kill(*registry, SIGSTOP);
    CHECK(eventually(seconds{40}, [&] { return httpd->registry() && httpd->registry() != registry; }));
    Worker late{"hello", "late", router_options(httpd->router())};
    CHECK(in_rotation(*httpd, {"worker", "late"}));
    const LoadResult result = requests.finish();
    INFO(result.summary());
    CHECK(result.wrong == 0);
    CHECK(logs(*httpd, "the registry (pid " + std::to_string(*registry) + ") hangs"));
    CHECK(logs(*httpd, "hangs"));
}

TEST_CASE("A worker whose endpoint httpd cannot reach is relayed instead, and says what to do",
          "[lifecycle][core]") {
    const auto httpd = Httpd::started({.global = "ZmqSpdyHeartbeat 100ms\n", .sections = status_section()});
    // Where the worker listens is another place for httpd, at which nobody does.
    const HeldPort inside_port;
    const HeldPort outside_port;
    const auto inside = ":" + std::to_string(inside_port.number());
    const auto outside = ":" + std::to_string(outside_port.number());
    const Forwarder network{httpd->worker_port(), inside, outside};
    auto options = router_options("tcp://127.0.0.1:" + std::to_string(network.port()));
    options.insert(options.end(), {"--listen", "tcp://127.0.0.1" + inside});
    Worker worker{"hello", "boxed", options};
    REQUIRE(joined(*httpd, {"boxed"}));
    const auto endpoint = read_status(*httpd)["workers"][0]["endpoint"].get<std::string>();
    REQUIRE(endpoint.ends_with(outside));
    // The first request finds it out, and is answered all the same.
    CHECK(get_once(httpd->port(), "/").status == 200);
    CHECK(read_status(*httpd)["workers"][0]["endpoint"].is_null());
    CHECK(logs(*httpd, "'boxed' is announced, but httpd cannot connect to " + endpoint));
    CHECK(logs(*httpd, "'boxed' is relayed from 127.0.0.1 from now on"));
    const std::string said = worker.process().output();
    CAPTURE(said);
    CHECK(said.find("does not reach this worker: httpd cannot connect to " + endpoint) != std::string::npos);
    CHECK(who_answers(*httpd, 8) == std::map<std::string, int>{{hello_from("boxed"), 8}});
    CHECK(worker.drain() == 0);
}
