// Who is in rotation, and since when: nobody tells httpd about workers, and nobody reloads it.
#include <algorithm>

#include "catch.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

std::string text_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("Two workers take turns, whoever starts first", "[rotation][core]") {
    const bool relayed = GENERATE(false, true);
    const bool workers_first = GENERATE(true, false);
    CAPTURE(relayed, workers_first);

    Httpd httpd;
    if (!workers_first) {
        httpd.start();
    }
    Worker one{"hello", "worker-1", router_options(httpd.router(), relayed)};
    Worker two{"hello", "worker-2", router_options(httpd.router(), relayed)};
    if (workers_first) {
        httpd.start();
    }
    REQUIRE(in_rotation(httpd, {"worker-1", "worker-2"}));

    std::string before = line_of(get_once(httpd.port(), "/"));
    for (int i = 0; i < 10; ++i) {
        const std::string now = line_of(get_once(httpd.port(), "/"));
        CHECK((now == hello_from("worker-1") || now == hello_from("worker-2")));
        CHECK(now != before);
        before = now;
    }
}

TEST_CASE(
    "A killed worker is missed by nobody, five new ones share the work, and the log has a line for each",
    "[rotation][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker one{"hello", "worker-1", router_options(httpd->router(), relayed)};
    Worker two{"hello", "worker-2", router_options(httpd->router(), relayed)};
    REQUIRE(in_rotation(*httpd, {"worker-1", "worker-2"}));

    one.process().kill();
    const auto survivors = who_answers(*httpd, 20);
    CAPTURE(to_text(survivors));
    CHECK(survivors.size() == 1);
    CHECK(survivors.contains(hello_from("worker-2")));

    std::vector<std::unique_ptr<Worker>> more;
    std::vector<std::string> names{"worker-2"};
    for (int i = 3; i <= 7; ++i) {
        names.push_back("worker-" + std::to_string(i));
        more.push_back(
            std::make_unique<Worker>("hello", names.back(), router_options(httpd->router(), relayed)));
    }
    REQUIRE(in_rotation(*httpd, names));
    const auto shares = who_answers(*httpd, 60);
    CAPTURE(to_text(shares));
    CHECK(shares.size() == 6);
    for (const std::string& name : names) {
        CHECK(shares.contains(hello_from(name)));
    }

    // Where they are awaited; seven came, one left.
    CHECK(eventually(seconds{5}, [&] { return httpd->module_log().size() >= 9; }));
    const auto lines = httpd->module_log();
    CAPTURE(text_of(lines));
    CHECK(lines.size() == 9);
    CHECK(logs(*httpd, "worker-1", 2));
    for (const std::string& name : names) {
        CHECK(logs(*httpd, name));
    }
    for (const std::string& line : split_lines(httpd->error_log())) {
        CAPTURE(line);
        CHECK(line.find(":notice]") != std::string::npos);
    }
}

TEST_CASE("A worker that leaves in peace is logged once", "[rotation]") {
    const auto httpd = Httpd::started();
    Worker stays{"hello", "stays", router_options(httpd->router())};
    Worker leaves{"hello", "leaves", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"stays", "leaves"}));
    CHECK(leaves.drain() == 0);
    CHECK(eventually(seconds{5}, [&] { return log_lines_with(*httpd, "leaves") >= 2; }));
    CHECK(who_answers(*httpd, 10) == std::map<std::string, int>{{hello_from("stays"), 10}});
    CHECK(httpd->module_log().size() == 4);
}

TEST_CASE("A worker that starts behind a running httpd is in rotation by itself", "[rotation][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker first{"hello", "first", router_options(httpd->router(), relayed)};
    CHECK(in_rotation(*httpd, {"first"}));
    Worker second{"hello", "second", router_options(httpd->router(), relayed)};
    CHECK(in_rotation(*httpd, {"first", "second"}));
}

TEST_CASE("A worker that waits for httpd is in rotation once httpd starts", "[rotation][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Httpd httpd;
    Worker worker{"hello", "early", router_options(httpd.router(), relayed)};
    // Long enough for a worker's pauses between attempts to have grown as far as they ever do.
    CHECK_FALSE(within(seconds{3}, [&] { return !worker.process().running(); }));
    httpd.start();
    CHECK(in_rotation(httpd, {"early"}));
}

TEST_CASE("Workers come back by themselves when httpd was stopped and started", "[rotation][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Httpd httpd;
    httpd.start();
    Worker one{"hello", "worker-1", router_options(httpd.router(), relayed)};
    Worker two{"hello", "worker-2", router_options(httpd.router(), relayed)};
    REQUIRE(in_rotation(httpd, {"worker-1", "worker-2"}));
    httpd.control("stop");
    httpd.start();
    CHECK(in_rotation(httpd, {"worker-1", "worker-2"}));
}

TEST_CASE("A request that finds no worker waits for the first", "[rotation][core]") {
    const auto httpd = Httpd::started();
    RawClient client{httpd->port()};
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK_FALSE(within(milliseconds{300}, [&] { return !client.pending().empty(); }));
    Worker worker{"hello", "late", router_options(httpd->router())};
    const std::string answer = client.read_all();
    CAPTURE(answer);
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    CHECK(answer.ends_with("\r\n\r\nHello from late\n"));
}

TEST_CASE("One worker serves two routers, and goes on with one when the other stops", "[rotation]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Httpd left;
    Httpd right;
    left.start();
    right.start();
    auto options = router_options(left.router(), relayed);
    options.insert(options.end(), {"--router", right.router()});
    Worker worker{"hello", "shared", options};
    REQUIRE(in_rotation(left, {"shared"}));
    REQUIRE(in_rotation(right, {"shared"}));

    left.control("stop");
    CHECK(who_answers(right, 10) == std::map<std::string, int>{{hello_from("shared"), 10}});
    left.start();
    CHECK(in_rotation(left, {"shared"}));
    CHECK(who_answers(right, 10) == std::map<std::string, int>{{hello_from("shared"), 10}});
}

TEST_CASE("A service is served by its own workers only", "[rotation]") {
    HttpdSetup setup;
    setup.sections = "<Location \"/blue\">\n  ZmqSpdyService blue\n</Location>";
    const auto httpd = Httpd::started(setup);
    Worker plain{"hello", "plain", router_options(httpd->router())};
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--service", "blue"});
    Worker blue{"hello", "blue-1", options};
    REQUIRE(in_rotation(*httpd, {"plain"}));
    REQUIRE(eventually(seconds{10},
                       [&] { return line_of(get_once(httpd->port(), "/blue")) == hello_from("blue-1"); }));
    CHECK(who_answers(*httpd, 10) == std::map<std::string, int>{{hello_from("plain"), 10}});
    CHECK(who_answers(*httpd, 10, "/blue/x") == std::map<std::string, int>{{hello_from("blue-1"), 10}});
}

TEST_CASE("Different programs that answer for each other are warned of, in both logs", "[rotation]") {
    const auto httpd = Httpd::started();
    Worker first{"hello", "first", router_options(httpd->router())};
    REQUIRE(in_rotation(*httpd, {"first"}));
    Worker like_first{"hello", "like-first", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"like-first"}));
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--service", "own"});
    Worker apart{"echo", "apart", options};
    REQUIRE(joined(*httpd, {"apart"}));
    CHECK(log_lines_with(*httpd, ":warn]") == 0);

    Worker other{"echo", "other", router_options(httpd->router())};
    const auto warned = [](Worker& worker) {
        return worker.process().output().find("are different programs: 'other' runs echo") !=
               std::string::npos;
    };
    CHECK(eventually(seconds{5}, [&] { return warned(other); }));
    CHECK(logs(*httpd, "workers without a service are different programs"));
    CHECK_FALSE(warned(first));
    CHECK_FALSE(warned(apart));
}
