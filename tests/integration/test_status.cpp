// The status handler: what it shows, how it drains and resumes workers, and who is allowed to.
#include "catch.hpp"
#include "harness/process.hpp"
#include "harness/raw_client.hpp"
#include "harness/status.hpp"
#include "helpers.hpp"

using namespace harness;
using Json = nlohmann::json;

namespace {

HttpdSetup with_status(const std::string& require = "Require all granted") {
    HttpdSetup setup;
    setup.sections = status_section(require);
    return setup;
}

long control(const Httpd& httpd, const std::string& method, const std::string& name) {
    Client client{httpd.port()};
    Call call;
    call.method = method;
    call.path = "/status/drained/" + name;
    return client.send(call).status;
}

CommandResult zmqspdyctl(const Httpd& httpd, std::vector<std::string> arguments) {
    std::vector<std::string> command{ZMQSPDYCTL, "--url",
                                     "http://127.0.0.1:" + std::to_string(httpd.port()) + "/status"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
}

}  // namespace

TEST_CASE("The status shows workers and what is under way, and zeros at rest", "[status]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started(with_status());
    auto options = router_options(httpd->router(), relayed);
    options.insert(options.end(), {"--capacity", "1"});
    Worker worker{"echo", "worker-1", options};
    REQUIRE(joined(*httpd, {"worker-1"}));

    RawClient served{httpd->port()};
    served.send("GET /delay/1500 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    REQUIRE(eventually(seconds{5}, [&] { return read_status(*httpd)["in_flight"] == 1; }));
    RawClient waits{httpd->port()};
    waits.send("GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    REQUIRE(eventually(seconds{1}, [&] { return read_status(*httpd)["queued"] == 1; }));
    // The registry tells its part by itself, once it has passed the request on.
    Json busy;
    const int sessions = relayed ? 1 : 0;
    CHECK(eventually(seconds{1}, [&] {
        busy = read_status(*httpd);
        return busy["registry"]["relayed_sessions"] == sessions;
    }));
    CAPTURE(busy.dump(2));
    REQUIRE(busy["workers"].size() == 1);
    const Json& shown = busy["workers"][0];
    CHECK(shown["name"] == "worker-1");
    CHECK(shown["state"] == "serving");
    CHECK(shown["capacity"] == 1);
    CHECK(shown["in_flight"] == 1);
    CHECK(shown["endpoint"].is_null() == relayed);
    CHECK(busy["registry"]["pid"] == httpd->registry().value_or(0));
    CHECK(busy["registry"]["connections"] == 1);

    CHECK(served.read_all().starts_with("HTTP/1.1 200 "));
    CHECK(waits.read_all().starts_with("HTTP/1.1 200 "));
    CHECK(eventually(seconds{2}, [&] { return at_rest(read_status(*httpd)); }));
}

TEST_CASE("httpd and the status say which release of the module they have", "[status]") {
    const auto httpd = Httpd::started({.global = "ServerTokens Full", .sections = status_section()});
    const auto version = read_status(*httpd)["version"].get<std::string>();
    CHECK_FALSE(version.empty());
    const auto response = get_once(httpd->port(), "/zmqspdy-status");
    CHECK(response.header("server").value_or("").ends_with(" mod_zmqspdy/" + version));
}

TEST_CASE("A worker is drained by its name and resumed, while its requests go on", "[status]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started(with_status());
    Worker one{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    RawClient under_way{httpd->port()};
    under_way.send("GET /stream/3?ms=400 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    REQUIRE(eventually(seconds{5}, [&] { return read_status(*httpd)["in_flight"] == 1; }));
    Worker two{"hello", "worker-2", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-2"}));

    const auto drained = zmqspdyctl(*httpd, {"drain", "worker-1"});
    CAPTURE(drained.output);
    REQUIRE(drained.code == 0);
    CHECK(read_status(*httpd)["workers"][0]["state"] == "drained");
    const auto served = who_answers(*httpd, 20);
    CAPTURE(to_text(served));
    CHECK(served == std::map<std::string, int>{{hello_from("worker-2"), 20}});
    CHECK(under_way.read_all().starts_with("HTTP/1.1 200 "));
    CHECK(one.process().running());

    CHECK(zmqspdyctl(*httpd, {"resume", "worker-1"}).code == 0);
    CHECK(read_status(*httpd)["workers"][0]["state"] == "serving");
    CHECK(who_answers(*httpd, 20).size() == 2);
}

TEST_CASE("A request that waits for a drained worker gets it when it is resumed", "[status]") {
    const auto httpd = Httpd::started(with_status());
    Worker only{"hello", "only", router_options(httpd->router(), false)};
    REQUIRE(in_rotation(*httpd, {"only"}));
    REQUIRE(control(*httpd, "PUT", "only") == 204);
    RawClient client{httpd->port()};
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    REQUIRE(eventually(seconds{2}, [&] { return read_status(*httpd)["queued"] == 1; }));
    REQUIRE(control(*httpd, "DELETE", "only") == 204);
    CHECK(client.read_all().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("Nobody is drained by mistake or by strangers", "[status]") {
    const auto httpd = Httpd::started(with_status("Require method GET"));
    Worker one{"hello", "worker-1", router_options(httpd->router(), false)};
    REQUIRE(in_rotation(*httpd, {"worker-1"}));
    CHECK(control(*httpd, "PUT", "worker-1") == 403);
    CHECK(zmqspdyctl(*httpd, {"drain", "worker-1"}).code == 1);
    CHECK(zmqspdyctl(*httpd, {"status"}).output.find("\"serving\"") != std::string::npos);
    CHECK(read_status(*httpd)["workers"][0]["state"] == "serving");

    const auto open = Httpd::started(with_status());
    Worker two{"hello", "worker-2", router_options(open->router(), false)};
    REQUIRE(in_rotation(*open, {"worker-2"}));
    CHECK(control(*open, "PUT", "worker-3") == 404);
    CHECK(control(*open, "GET", "worker-2") == 405);
    CHECK(control(*open, "POST", "worker-2") == 405);
    // The URL of a worker, which answers anything.
    const auto elsewhere =
        run({ZMQSPDYCTL, "--url", "http://127.0.0.1:" + std::to_string(open->port()) + "/x", "drain",
             "worker-2"});
    CHECK(elsewhere.code == 1);
    CHECK(elsewhere.output.find("there is no 'SetHandler zmq-spdy-status' at") != std::string::npos);
    const auto unknown = zmqspdyctl(*open, {"drain", "worker-3"});
    CHECK(unknown.code == 1);
    CHECK(unknown.output.find("no worker is called 'worker-3'") != std::string::npos);
    CHECK(read_status(*open)["workers"][0]["state"] == "serving");
}

TEST_CASE("A newcomer is spared until its slow start is over", "[status]") {
    static constexpr seconds kSlowStart{5};
    auto setup = with_status();
    setup.global = "ZmqSpdySlowStart 5s";
    const auto httpd = Httpd::started(setup);
    const auto grown_up = [](Clock::time_point start) {
        return eventually(2 * kSlowStart, [&] { return since(start) > kSlowStart; });
    };
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto send_eight = [&] {
        const std::size_t wanted = clients.size() + 8;
        while (clients.size() < wanted) {
            clients.push_back(std::make_unique<RawClient>(httpd->port()));
            clients.back()->send("GET /delay/60000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        return eventually(seconds{5}, [&] { return read_status(*httpd)["in_flight"] == wanted; });
    };
    const auto in_flight = [&](std::size_t worker) {
        return read_status(*httpd)["workers"][worker]["in_flight"].get<int>();
    };

    Worker old{"echo", "old", router_options(httpd->router(), false)};
    REQUIRE(joined(*httpd, {"old"}));
    REQUIRE(grown_up(Clock::now()));
    REQUIRE(send_eight());
    Worker newcomer{"echo", "newcomer", router_options(httpd->router(), false)};
    REQUIRE(joined(*httpd, {"newcomer"}));
    const auto there = Clock::now();
    REQUIRE(send_eight());
    // All eight, if it had its whole share.
    CHECK(in_flight(1) <= 4);
    REQUIRE(grown_up(there));
    REQUIRE(send_eight());
    REQUIRE(send_eight());
    CHECK(in_flight(0) == 16);
    CHECK(in_flight(1) == 16);
}
