// What operators learn of a request that no worker answered: a word in the access log, a sentence in the error log, and for
// its client a page that says no more than that.
#include <csignal>

#include <algorithm>
#include <array>
#include <vector>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "harness/status.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Stream = PuppetWorker::Stream;

/// An access log of "STATUS REASON WORKER PATH".
HttpdSetup with_access_log(const std::string& location = {}, const std::string& sections = {}) {
    return {.modules = {"log_config"},
            .global = "CustomLog access_log \"%>s %{zmqspdy-reason}n %{zmqspdy-worker}n %U\"",
            .location = location,
            .sections = status_section() + "\n" + sections};
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

}  // namespace

TEST_CASE("A request that found no worker says why: in both logs in detail, to its client in general",
          "[failures][core]") {
    const auto httpd = Httpd::started(with_access_log(
        "ZmqSpdyQueueTimeout 300ms", "<Location \"/blue\">\nZmqSpdyService blue\n</Location>"));
    const auto refused = [&](const std::string& path, const std::string& word, const std::string& sentence) {
        CAPTURE(path, word);
        const std::string page = raw_exchange(httpd->port(), get(path));
        CAPTURE(page);
        CHECK(page.starts_with("HTTP/1.1 503 "));
        CHECK(page.find("Retry-After: ") != std::string::npos);
        CHECK(page.find(" request ") != std::string::npos);
        // Neither httpd's own sentence, which is wrong here, nor names of the inside.
        for (const char* not_said : {"maintenance", "blue", "echo", "ZmqSpdy", "8000"}) {
            CHECK(page.find(not_said) == std::string::npos);
        }
        CHECK(access_logged(*httpd, "503 " + word + " - " + path));
        CHECK(logs(*httpd, path + ": no worker was free in time (ZmqSpdyQueueTimeout): " + sentence));
    };
    refused("/nobody", "no-worker", "no worker is announced");

    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--capacity", "1"});
    Worker worker{"echo", "echo-1", options};
    REQUIRE(joined(*httpd, {"echo-1"}));
    refused("/blue", "no-service", "no worker of the service 'blue' is announced");

    RawClient busy{httpd->port()};
    busy.send(get("/stream/100000?ms=20"));
    static_cast<void>(busy.read_until("\r\n\r\n"));
    refused("/full", "full", "1 worker has as many requests as it takes");

    const auto control = [&](const std::string& method) {
        Call call;
        call.method = method;
        call.path = "/status/drained/echo-1";
        return Client{httpd->port()}.send(call).status;
    };
    REQUIRE(control("PUT") == 204);
    refused("/drained", "drained", "1 worker is drained (zmqspdyctl resume)");
    REQUIRE(control("DELETE") == 204);

    worker.process().signal(SIGTERM);
    REQUIRE(eventually(seconds{5}, [&] { return read_status(*httpd)["workers"][0]["state"] == "leaving"; }));
    refused("/leaving", "leaving", "1 worker is leaving");
    busy.close();
    CHECK(worker.process().wait() == 0);
}

TEST_CASE("A request that killed the only worker says so", "[failures]") {
    const auto httpd = Httpd::started(with_access_log("ZmqSpdyQueueTimeout 500ms"));
    Worker worker{"echo", "echo-1", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"echo-1"}));
    CHECK(get_once(httpd->port(), "/crash").status == 503);
    CHECK(access_logged(*httpd, "503 lost echo-1 /crash"));
    CHECK(logs(*httpd, "worker 'echo-1' was lost over it; no other is announced"));
}

TEST_CASE("A request that finds the queue full says so, and what the others wait for", "[failures]") {
    auto setup = with_access_log();
    setup.global += "\nZmqSpdyQueueLength 0";
    const auto httpd = Httpd::started(setup);
    CHECK(get_once(httpd->port(), "/").status == 503);
    CHECK(access_logged(*httpd, "503 queue-full - /"));
    CHECK(logs(*httpd, "(ZmqSpdyQueueLength): no worker is announced"));
}

TEST_CASE("A service that is waited for leaves threads to the others", "[failures][core]") {
    auto setup =
        with_access_log("ZmqSpdyQueueTimeout 30s", "<Location \"/few\">\nZmqSpdyService few\n</Location>");
    setup.global += "\nZmqSpdyServiceQueueLength 3";
    const auto httpd = Httpd::started(setup);
    PuppetWorker worker{*httpd, false, answers({}, "fine\n")};
    std::vector<std::unique_ptr<RawClient>> waiting;
    for (std::size_t i = 1; i <= 3; ++i) {
        waiting.push_back(std::make_unique<RawClient>(httpd->port()));
        waiting.back()->send(get("/few"));
        REQUIRE(eventually(seconds{5}, [&] { return read_status(*httpd)["queued"] == i; }));
    }
    // Whichever child it meets.
    for (int i = 0; i < 6; ++i) {
        const std::string page = raw_exchange(httpd->port(), get("/few"));
        CHECK(page.starts_with("HTTP/1.1 503 "));
        CHECK(page.find("Retry-After: ") != std::string::npos);
    }
    CHECK(access_logged(*httpd, "503 service-queue-full - /few"));
    CHECK(logs(*httpd, "too many requests of the service wait for a worker (ZmqSpdyServiceQueueLength)", 6));
    CHECK(get_once(httpd->port(), "/other").ok());
    // A child that is killed takes those that waited in it along.
    const auto status = read_status(*httpd);
    for (const auto& child : status["children"]) {
        if (child["queued"] != 0)
            ::kill(child["pid"].get<pid_t>(), SIGKILL);
    }
    REQUIRE(eventually(seconds{10}, [&] { return read_status(*httpd)["queued"] == 0; }));
    RawClient again{httpd->port()};
    again.send(get("/few"));
    CHECK(eventually(seconds{5}, [&] { return read_status(*httpd)["queued"] == 1; }));
}

TEST_CASE("A request that its worker did not answer says why, and who that was", "[failures][core]") {
    const auto httpd = Httpd::started(with_access_log("ZmqSpdyRetries 0\nZmqSpdyTimeout 300ms",
                                                      "<Location \"/all\">\nZmqSpdyTimeout 60s\n"
                                                      "ZmqSpdyRequestTimeout 300ms\n</Location>"));
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            const auto path = stream.seen().path();
                            if (path == "/reset")
                                stream.reset();
                            if (path == "/bad")
                                stream.reply({{":status", "nonsense"}, {":version", "HTTP/1.1"}}, true);
                            if (path == "/short")
                                stream.reply({{":status", "200"}, {"content-length", "5"}}, true);
                            if (path == "/between")
                                stream.reply({{":status", "200"}});
                        }}};
    const auto name = read_status(*httpd)["workers"][0]["name"].get<std::string>();
    for (const auto& [path, status, word] : std::vector<std::array<std::string, 3>>{
             {"/reset", "502", "reset"},
             {"/bad", "502", "bad-response"},
             {"/short", "502", "bad-response"},
             {"/silent", "504", "first-byte-timeout"},
             {"/all", "504", "request-timeout"},
             {"/between", "200", "timeout"}}) {  // begun: broken off, not answered otherwise
        CAPTURE(path);
        static_cast<void>(raw_exchange(httpd->port(), get(path)));
        std::string line = status;
        line += " " + word + " " + name + " " + path;
        CHECK(access_logged(*httpd, line));
    }
    Worker dies{"echo", "dies", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"dies"}));
    // The two take turns.
    CHECK(eventually(seconds{5}, [&] {
        static_cast<void>(get_once(httpd->port(), "/crash"));
        return !dies.process().running();
    }));
    CHECK(access_logged(*httpd, "502 lost dies /crash"));
}

TEST_CASE("A request that a worker answered has no reason", "[failures]") {
    const auto httpd = Httpd::started(with_access_log());
    PuppetWorker worker{*httpd, false, answers({}, "fine\n")};
    const auto name = read_status(*httpd)["workers"][0]["name"].get<std::string>();
    CHECK(get_once(httpd->port(), "/fine").ok());
    CHECK(access_logged(*httpd, "200 - " + name + " /fine"));
}

TEST_CASE("An ErrorDocument keeps the reason and the worker for the access log", "[failures]") {
    auto setup = with_access_log("ZmqSpdyRetries 0", "ErrorDocument 502 /static/index.txt");
    const auto httpd = Httpd::started(setup);
    Worker dies{"echo", "dies", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"dies"}));
    const Reply reply = get_once(httpd->port(), "/crash");
    CHECK(reply.status == 502);
    CHECK(reply.body == "a static file\n");
    CHECK(access_logged(*httpd, "502 lost dies /crash"));
}

TEST_CASE("An ErrorDocument for 503 goes before the page that says why", "[failures]") {
    const auto httpd = Httpd::started(
        with_access_log("ZmqSpdyQueueTimeout 100ms",
                        "ErrorDocument 503 \"words of the administrator\"\n<Location \"/default\">\n"
                        "ErrorDocument 503 default\n</Location>"));
    CHECK(get_once(httpd->port(), "/").body == "words of the administrator");
    CHECK(get_once(httpd->port(), "/default").body.find("maintenance") != std::string::npos);
    CHECK(access_logged(*httpd, "503 no-worker - /default"));
}
