// How long a request may wait, for what, and what its client and its worker are told then.
#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Seen = PuppetWorker::Seen;
using Stream = PuppetWorker::Stream;

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

bool is_cancelled(const Seen& seen) {
    return seen.end == "CANCEL";
}

void begin(Stream stream) {
    stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
    stream.data("part");
}

}  // namespace

TEST_CASE("Without a worker a request is answered 503 with Retry-After once its time is over", "[timeouts]") {
    const auto httpd =
        Httpd::started({.sections = "<Location \"/queue\">\nZmqSpdyQueueTimeout 300ms\n</Location>\n"
                                    "<Location \"/all\">\nZmqSpdyQueueTimeout 60s\n"
                                    "ZmqSpdyRequestTimeout 300ms\n</Location>"});
    for (const auto& [path, directive] :
         {std::pair{"/queue", "(ZmqSpdyQueueTimeout)"}, std::pair{"/all", "(ZmqSpdyRequestTimeout)"}}) {
        CAPTURE(path);
        const std::string response = raw_exchange(httpd->port(), get(path));
        CAPTURE(response);
        CHECK(response.starts_with("HTTP/1.1 503 "));
        CHECK(response.find("Retry-After: ") != std::string::npos);
        CHECK(logs(*httpd, directive));
    }
}

TEST_CASE("Each limit of a worker's time ends in 504 or a broken response, and CANCEL", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd =
        Httpd::started({.location = "ZmqSpdyTimeout 60s",
                        .sections = "<Location \"/first\">\nZmqSpdyFirstByteTimeout 300ms\n</Location>\n"
                                    "<Location \"/between\">\nZmqSpdyTimeout 300ms\n"
                                    "ZmqSpdyFirstByteTimeout 60s\n</Location>\n"
                                    "<Location \"/all\">\nZmqSpdyRequestTimeout 600ms\n</Location>\n"
                                    "<Location \"/plain\">\nZmqSpdyTimeout 300ms\n</Location>"});
    PuppetWorker worker{*httpd, relayed, {}};
    const auto outcome = [&](const std::string& path, const PuppetWorker::Action& meanwhile) {
        RawClient client{httpd->port()};
        client.send(get(path));
        REQUIRE(worker.await(path));
        if (meanwhile) {
            worker.act(path, meanwhile);
        }
        const std::string response = client.read_all();
        CHECK(worker.await(path, is_cancelled));
        return response;
    };
    CHECK(outcome("/first", {}).starts_with("HTTP/1.1 504 "));
    CHECK(logs(*httpd, "did not answer within ZmqSpdyFirstByteTimeout"));
    CHECK(outcome("/plain", {}).starts_with("HTTP/1.1 504 "));
    CHECK(logs(*httpd, "did not answer within ZmqSpdyTimeout"));
    CHECK(outcome("/all", {}).starts_with("HTTP/1.1 504 "));
    CHECK(logs(*httpd, "had not finished within ZmqSpdyRequestTimeout"));

    const std::string between = outcome("/between", begin);
    CHECK(between.starts_with("HTTP/1.1 200 "));
    CHECK_FALSE(between.ends_with("0\r\n\r\n"));
    CHECK(logs(*httpd, "was silent for longer than ZmqSpdyTimeout"));
    const std::string all = outcome("/all/in-the-body", begin);
    CHECK(all.starts_with("HTTP/1.1 200 "));
    CHECK_FALSE(all.ends_with("0\r\n\r\n"));
    CHECK(logs(*httpd, "had not finished within ZmqSpdyRequestTimeout", 2));
}

TEST_CASE("A client that stalls within its body gets 408, and the worker CANCEL", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    // The worker is not to blame, however little time it has.
    const auto httpd = Httpd::started({.global = "Timeout 1", .location = "ZmqSpdyTimeout 100ms"});
    PuppetWorker worker{*httpd, relayed, {}};
    RawClient client{httpd->port()};
    client.send(
        "POST /stalls HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nConnection: close\r\n\r\nabc");
    CHECK(client.read_all().starts_with("HTTP/1.1 408 "));
    const auto seen = worker.await("/stalls", is_cancelled);
    REQUIRE(seen);
    CHECK(seen->body == "abc");
}

TEST_CASE("A response may begin, stream and end while the request's body still flows", "[timeouts][http]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    PuppetWorker worker{*httpd, relayed, {}};
    RawClient client{httpd->port()};
    client.send(
        "POST /duplex HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: "
        "close\r\n\r\n");
    REQUIRE(worker.await("/duplex"));
    worker.act("/duplex", begin);
    (void)client.read_until("part");
    client.send("3\r\nabc\r\n");
    REQUIRE(worker.await("/duplex", [](const Seen& seen) { return seen.body == "abc"; }));
    worker.act("/duplex", [](Stream stream) { stream.data("more"); });
    (void)client.read_until("more");
    client.send("3\r\ndef\r\n");
    REQUIRE(worker.await("/duplex", [](const Seen& seen) { return seen.body == "abcdef"; }));
    worker.act("/duplex", [](Stream stream) { stream.data("end", true); });
    (void)client.read_until("0\r\n\r\n");
    // Nobody needs the rest any more.
    CHECK(worker.await("/duplex", is_cancelled));
    client.send("3\r\nghi\r\n0\r\n\r\n");
    CHECK(get_once(httpd->port(), "/static/index.txt").ok());
}
