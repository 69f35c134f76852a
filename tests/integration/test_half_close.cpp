// Clients that end their sending side after the request and wait for the response: shutdown(SHUT_WR), as `nc -N` and
// socat do it. On the wire it is what close() sends too.
#include <algorithm>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Stream = PuppetWorker::Stream;

std::string get(const std::string& target, const std::string& version,
                const std::string& host = "localhost") {
    return "GET " + target + " HTTP/" + version + "\r\n" + (host.empty() ? "" : "Host: " + host + "\r\n") +
           "\r\n";
}

void answer(Stream stream) {
    stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}, {"content-length", "6"}});
    stream.data("answer", true);
}

std::string without_date(std::string response) {
    const auto from = response.find("Date: ");
    if (from != std::string::npos) {
        response.erase(from, response.find("\r\n", from) + 2 - from);
    }
    return response;
}

/// One child that tells what it notices of its clients, and an access log of status and client's fate.
std::unique_ptr<Httpd> watched(const std::string& location = "") {
    return Httpd::started(
        {.modules = {"log_config"},
         .global = "LogLevel zmqspdy:debug\n"
                   "LogFormat \"%U status=%>s reason=%{zmqspdy-reason}n\" fate\nCustomLog access_log fate",
         .location = location,
         .single_child = true});
}

bool half_close_noticed(const Httpd& httpd, std::size_t times) {
    return logs(httpd, "closed its sending side", times);
}

}  // namespace

TEST_CASE("A client that half-closes gets the same response from a slow worker as from a fast one",
          "[cancel][core]") {
    const bool relayed = GENERATE(false, true);
    const bool abort_on_close = GENERATE(true, false);
    CAPTURE(relayed, abort_on_close);
    const auto httpd = watched(abort_on_close ? "" : "ZmqSpdyAbortOnClose off");
    PuppetWorker worker{*httpd, relayed, {.completed = [](Stream stream) {
                            if (stream.seen().path().starts_with("/fast")) {
                                answer(stream);
                            }
                        }}};
    std::size_t times = 0;
    for (const char* version : {"1.0", "1.1"}) {
        CAPTURE(version);
        RawClient fast{httpd->port()};
        fast.send(get("/fast", version));
        fast.finish_sending();
        const std::string expected = without_date(fast.read_all());
        CHECK(expected.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(expected.ends_with("\r\n\r\nanswer"));

        RawClient slow{httpd->port()};
        slow.send(get("/slow", version));
        slow.finish_sending();
        REQUIRE(worker.await("/slow"));
        REQUIRE(half_close_noticed(*httpd, ++times));
        worker.act("/slow", answer);
        CHECK(without_date(slow.read_all()) == expected);
    }
    CHECK(access_logged(*httpd, "/slow status=200 reason=-"));
}

TEST_CASE("Every pipelined request of a client that half-closes is answered", "[cancel]") {
    const auto httpd = watched();
    PuppetWorker worker{*httpd, false, {}};
    RawClient client{httpd->port()};
    client.send(get("/first", "1.1") +
                "POST /second HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
    client.finish_sending();
    std::size_t times = 0;
    for (const char* path : {"/first", "/second"}) {
        REQUIRE(worker.await(path, [](const auto& seen) { return seen.end == "FIN"; }));
        REQUIRE(half_close_noticed(*httpd, ++times));
        worker.act(path, [](Stream stream) {
            stream.headers({{":status", "103"}, {"link", "</a.css>"}});
            answer(stream);
        });
        CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 103 "));
        CHECK(client.read_until("answer").starts_with("HTTP/1.1 200 "));
    }
    CHECK(client.read_all().empty());
}

TEST_CASE("A client that half-closes gets an error of httpd's own like any other", "[cancel]") {
    const auto httpd = watched("ZmqSpdyQueueTimeout 400ms\nErrorDocument 503 \"no worker\"");
    RawClient client{httpd->port()};
    client.send(get("/", "1.1"));
    client.finish_sending();
    const std::string response = client.read_all();
    CAPTURE(response);
    CHECK(response.starts_with("HTTP/1.1 503 "));
    CHECK(response.ends_with("\r\n\r\nno worker"));
    CHECK(half_close_noticed(*httpd, 1));
}

TEST_CASE("A client that half-closed before its response began gets all of a response with pauses",
          "[cancel]") {
    const auto httpd = watched();
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                            stream.data("one");
                        }}};
    std::size_t times = 0;
    for (const char* version : {"1.0", "1.1"}) {
        CAPTURE(version);
        RawClient client{httpd->port()};
        client.send_last(get("/pauses", version));
        (void)client.read_until("one");
        REQUIRE(half_close_noticed(*httpd, ++times));
        // Long enough for the socket to be watched as well.
        CHECK_FALSE(within(milliseconds{150}, [&] { return worker.requests().back().end == "CANCEL"; }));
        worker.act("/pauses", [](Stream stream) { stream.data("two", true); });
        CHECK(client.read_all().find("two") != std::string::npos);
    }
}

TEST_CASE(
    "A client that closes its sending side within its response is taken to have left, unless told otherwise",
    "[cancel]") {
    const bool abort_on_close = GENERATE(true, false);
    CAPTURE(abort_on_close);
    const auto httpd = watched(abort_on_close ? "" : "ZmqSpdyAbortOnClose off");
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                            stream.data("one");
                        }}};
    RawClient client{httpd->port()};
    client.send(get("/within", "1.1"));
    (void)client.read_until("one");
    client.finish_sending();
    if (abort_on_close) {
        CHECK(worker.await("/within", [](const auto& seen) { return seen.end == "CANCEL"; }));
        CHECK(access_logged(*httpd, "/within status=499 reason=client-left"));
    } else {
        REQUIRE(half_close_noticed(*httpd, 1));
        worker.act("/within", [](Stream stream) { stream.data("two", true); });
        (void)client.read_until("two");
        CHECK(access_logged(*httpd, "/within status=200 reason=-"));
    }
}

TEST_CASE("A request whose client left is logged as 499", "[cancel][core]") {
    const auto httpd = watched();
    PuppetWorker worker{*httpd, false, {}};
    for (const char* version : {"1.0", "1.1"}) {
        const std::string path = std::string{"/left-"} + version;
        RawClient client{httpd->port()};
        client.send(get(path, version));
        REQUIRE(worker.await(path));
        client.close();
        CHECK(worker.await(path, [](const auto& seen) { return seen.end == "CANCEL"; }));
        CHECK(access_logged(*httpd, path + " status=499 reason=client-left"));
    }
}

// What httpd's own tests of server names do: many spellings of one host, the sending side closed behind each.
TEST_CASE("A client that half-closes is answered whatever names the host", "[cancel]") {
    const auto httpd = watched();
    PuppetWorker worker{*httpd, false, {}};
    struct Form {
        std::string request;
        std::string host;
    };
    std::size_t times = 0;
    for (const auto& [request, host] :
         {Form{get("/named", "1.1", "foo"), "foo"}, Form{get("/named", "1.1", "foo:8080"), "foo:8080"},
          Form{get("http://bar/named", "1.1", "foo"), "bar"},
          Form{get("http://bar:81/named", "1.0", ""), "bar:81"}}) {
        CAPTURE(request);
        RawClient client{httpd->port()};
        client.send(request);
        client.finish_sending();
        REQUIRE(half_close_noticed(*httpd, ++times));
        REQUIRE(worker.requests().size() == times);
        worker.act("/named", answer);
        CHECK(client.read_all().ends_with("answer"));
        CHECK(worker.requests().back().header(":host") == host);
    }
}
