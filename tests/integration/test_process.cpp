// The worker as a process: its signals and its end.
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "catch.hpp"
#include "harness/paths.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

std::vector<std::string> draining_after(const Httpd& httpd, int limit) {
    auto options = router_options(httpd.router());
    options.insert(options.end(), {"--drain-timeout", std::to_string(limit)});
    return options;
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

int handler_threads(pid_t process) {
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task"})
        count += read_file(task.path() / "comm") == "zmqspdy-handler\n" ? 1 : 0;
    return count;
}

/// Waits until the response has begun.
void begin(RawClient& client, const std::string& path) {
    client.send(get(path));
    static_cast<void>(client.read_until("more\n"));
}

}  // namespace

TEST_CASE("a worker that is told to stop ends at its drain limit, whatever its handlers do", "[process]") {
    const auto httpd = Httpd::started({.location = "ZmqSpdyQueueTimeout 1s"});
    Worker worker{"unruly", "unruly", draining_after(*httpd, 1)};
    REQUIRE(joined(*httpd, {"unruly"}));
    RawClient endless{httpd->port()};
    begin(endless, "/endless");
    RawClient deaf{httpd->port()};
    deaf.send(get("/deaf"));
    // Both are being handled.
    REQUIRE(eventually(seconds{5}, [&] { return handler_threads(worker.pid()) == 2; }));

    const auto start = Clock::now();
    worker.process().signal(SIGTERM);
    const auto answer = deaf.read_until("\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 503"));  // another worker could have answered it, and there is none
    CHECK(since(start) >= seconds{1});
    const auto rest = endless.read_all();
    CHECK(!rest.ends_with("\r\n0\r\n\r\n"));
    // A second for handlers that have heard of it, and the farewell.
    CHECK(worker.process().wait(seconds{3}) == 0);
    const auto output = worker.process().output();
    CAPTURE(output);
    CHECK(output.find("breaking off the 2 requests left 1 s after the stop") != std::string::npos);
    CHECK(output.find("1 handler has not returned") != std::string::npos);
}

TEST_CASE("two signals at once lose no request", "[process]") {
    const auto httpd = Httpd::started();
    Worker worker{"unruly", "unruly", draining_after(*httpd, 30)};
    REQUIRE(joined(*httpd, {"unruly"}));
    RawClient client{httpd->port()};
    client.send(get("/slow"));
    REQUIRE(eventually(seconds{5}, [&] { return handler_threads(worker.pid()) == 1; }));
    worker.process().signal(SIGTERM);
    REQUIRE(eventually(seconds{5},
                       [&] { return worker.process().output().find("stopping") != std::string::npos; }));
    worker.process().signal(SIGTERM);
    CHECK(client.read_until("done\n").starts_with("HTTP/1.1 200"));
    CHECK(worker.process().wait() == 0);
}

TEST_CASE("PID 1 of a container ends at a second signal", "[process]") {
    if (run({"unshare", "--pid", "--fork", "true"}).code != 0) {
        WARN("not tried: this user may not make a namespace of processes");
        return;
    }
    const auto httpd = Httpd::started();
    const TempDir folder;
    std::vector<std::string> command{"unshare", "--pid", "--fork", "--kill-child", built("unruly"), "first"};
    for (const auto& option : draining_after(*httpd, 30))
        command.push_back(option);
    Process container{command, folder.path() / "output"};
    REQUIRE(joined(*httpd, {"first"}));
    RawClient client{httpd->port()};
    begin(client, "/endless");
    const auto children = children_of(container.pid());
    REQUIRE(children.size() == 1);
    CHECK(get_once(httpd->port(), "/pid").body == "1\n");
    ::kill(children[0], SIGTERM);
    // The line that comes after a second, so that the next signal is another stop.
    REQUIRE(eventually(seconds{5}, [&] {
        return container.output().find("still stopping: 1 request open") != std::string::npos;
    }));
    CHECK(container.running());
    ::kill(children[0], SIGTERM);
    CHECK(container.wait(seconds{5}) == 128 + SIGTERM);
}

TEST_CASE("a worker serves whatever its standard streams are", "[process]") {
    const std::string redirections = GENERATE("<&- >&- 2>&-", "2> >(exit 0)");
    CAPTURE(redirections);
    const auto httpd = Httpd::started();
    const TempDir folder;
    std::vector<std::string> command{"bash",          "-c",    "exec \"$@\" " + redirections, "bash",
                                     built("unruly"), "unruly"};
    for (const auto& option : router_options(httpd->router()))
        command.push_back(option);
    Process worker{command, folder.path() / "output"};
    REQUIRE(joined(*httpd, {"unruly"}));
    CHECK(get_once(httpd->port(), "/slow").body == "done\n");
    if (redirections.starts_with("<")) {
        for (const char* const stream : {"0", "1", "2"})
            CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(worker.pid()) + "/fd/" + stream) ==
                  "/dev/null");
    }
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
}
