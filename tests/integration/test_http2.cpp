// HTTP/2 in front: the same worker, many streams in one connection. Clients are nghttp and h2load (nghttp2-client).
#include <filesystem>

#include "catch.hpp"
#include "harness/digest.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

/// httpd with TLS and HTTP/2, and one echo worker.
struct H2Server {
    explicit H2Server(bool relayed)
        // mod_http2 keeps early hints to itself unless told otherwise, and makes pushes of their links.
        : httpd{Httpd::started({.global = "<IfModule http2_module>\nH2EarlyHints on\nH2Push off\n</IfModule>",
                                .tls = true,
                                .single_child = true})},
          worker{"echo", "worker-1", router_options(httpd->router(), relayed)} {
        REQUIRE(joined(*httpd, {"worker-1"}));
    }

    [[nodiscard]] std::string https(const std::string& path) const {
        return "https://127.0.0.1:" + std::to_string(httpd->tls_port()) + path;
    }
    [[nodiscard]] std::string http(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(httpd->port()) + path;
    }

    std::unique_ptr<Httpd> httpd;
    Worker worker;
};

/// What `command` printed; a command that is not there, or fails, fails the test.
std::string output_of(std::vector<std::string> command) {
    const std::string name = command.front();
    const CommandResult result = run(std::move(command));
    INFO(name << " (Debian: nghttp2-client) ended with " << result.code << " and said:\n" << result.output);
    REQUIRE(result.code == 0);
    return result.output;
}

// Frames by hand (RFC 9113), for what no client can be told to do.
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr unsigned kData = 0;
constexpr unsigned kHeaders = 1;
constexpr unsigned kRstStream = 3;
constexpr unsigned kSettings = 4;

std::string frame(unsigned type, unsigned flags, unsigned stream, const std::string& payload) {
    std::string bytes;
    for (const std::size_t byte :
         {payload.size() >> 16U, payload.size() >> 8U, payload.size(), std::size_t{type}, std::size_t{flags},
          std::size_t{stream} >> 24U, std::size_t{stream} >> 16U, std::size_t{stream} >> 8U,
          std::size_t{stream}}) {
        bytes += static_cast<char>(byte & 0xffU);
    }
    return bytes + payload;
}

/// HEADERS: an indexed :method, :scheme http, literal :authority and :path (RFC 7541).
std::string headers(unsigned flags, char method, unsigned stream, const std::string& path) {
    const auto literal = [](char name, const std::string& value) {
        return std::string{name, static_cast<char>(value.size())} + value;
    };
    return frame(kHeaders, flags, stream,
                 std::string{method} + "\x86" + literal('\x01', "localhost") + literal('\x04', path));
}

/// The whole of a GET.
std::string get(unsigned stream, const std::string& path) {
    constexpr unsigned kEndStreamAndHeaders = 5;
    return headers(kEndStreamAndHeaders, '\x82', stream, path);
}

/// The beginning of a POST, whose body comes as DATA.
std::string post(unsigned stream, const std::string& path) {
    constexpr unsigned kEndHeaders = 4;
    return headers(kEndHeaders, '\x83', stream, path);
}

/// How often the threads of `process` have gone to sleep so far.
std::size_t sleeps(pid_t process) {
    std::size_t count = 0;
    const std::string name = "voluntary_ctxt_switches:";
    for (const auto& task :
         std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task"}) {
        for (const std::string& line : split_lines(read_file(task.path() / "status"))) {
            count += line.starts_with(name) ? std::stoul(line.substr(name.size())) : 0;
        }
    }
    return count;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("10,000 requests over TLS, 100 streams at a time in one connection, and no error", "[http2]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const H2Server server{relayed};
    const std::string report = output_of({"h2load", "--requests=10000", "--clients=1",
                                          "--max-concurrent-streams=100", server.https("/bytes/1000")});
    CAPTURE(report);
    CHECK(has(report,
              "10000 total, 10000 started, 10000 done, 10000 succeeded, 0 failed, 0 errored, 0 timeout"));
    CHECK(has(report, "status codes: 10000 2xx, 0 3xx, 0 4xx, 0 5xx"));
    CHECK(has(report, "Application protocol: h2\n"));
    CHECK(log_lines_with(*server.httpd, "error]") == 0);
}

TEST_CASE("Bodies go both ways over HTTP/2 unharmed, with TLS and without", "[http2]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const H2Server server{relayed};
    const TempDir folder;
    const std::string body = PatternSource{7}.take(3'000'000);
    const auto file = folder.path() / "body";
    write_file(file, body);
    Sha256 expected;
    expected.update(body);
    const std::string digest = expected.hex();
    for (const std::string& url : {server.https("/sha256"), server.http("/sha256")}) {
        const std::string said = output_of({"nghttp", "--no-dep", "--data=" + file.string(), url});
        CAPTURE(url, said);
        CHECK(has(said, digest));
    }
    const std::string echoed =
        output_of({"nghttp", "--no-dep", "--data=" + file.string(), server.https("/echo")});
    CHECK(echoed.ends_with(body));  // a warning about the certificate comes first
}

TEST_CASE("Early hints and trailers reach HTTP/2 clients, and theirs the worker", "[http2]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const H2Server server{relayed};
    const TempDir folder;
    const auto file = folder.path() / "body";
    write_file(file, "hello");

    const std::string hints = output_of({"nghttp", "--verbose", "--no-dep", server.https("/early-hints")});
    CAPTURE(hints);
    const auto early = hints.find(":status: 103");
    const auto final = hints.find(":status: 200");
    REQUIRE(early != std::string::npos);
    REQUIRE(final != std::string::npos);
    CHECK(early < final);
    CHECK(has(hints.substr(early, final - early), "link: </style.css>; rel=preload; as=style"));
    CHECK_FALSE(has(hints.substr(final), "style.css"));

    const std::string trailers =
        output_of({"nghttp", "--verbose", "--no-dep", "--data=" + file.string(), server.https("/trailers")});
    CAPTURE(trailers);
    const auto body = trailers.find("hello");
    REQUIRE(body != std::string::npos);
    CHECK(has(trailers.substr(body), "x-length: 5"));
    CHECK_FALSE(has(trailers.substr(0, body), "x-length"));

    const std::string seen = output_of({"nghttp", "--no-dep", "--data=" + file.string(),
                                        "--trailer=x-sum: 42", server.https("/request-trailers")});
    CAPTURE(seen);
    CHECK(has(seen, "x-sum"));
    CHECK(has(seen, "42"));
}

TEST_CASE("A stream that its client resets cancels the handler within 250 ms, on a connection that lives on",
          "[http2]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started({.tls = true, .single_child = true});
    PuppetWorker worker{*httpd, relayed, {.opened = [](PuppetWorker::Stream stream) {
                            if (stream.seen().path() != "/silent") {
                                stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                                stream.data("first part");
                            }
                        }}};
    RawClient client{httpd->port()};
    client.send(kPreface + frame(kSettings, 0, 0, ""));
    unsigned id = 1;
    for (const std::string path : {"/silent", "/speaks"}) {
        CAPTURE(path);
        client.send(get(id, path));
        REQUIRE(worker.await(path));
        if (path == "/speaks") {
            (void)client.read_until("first part");
        }
        client.send(frame(kRstStream, 0, id, std::string{"\0\0\0\x08", 4}));
        CHECK(within(patience(milliseconds{250}), [&] { return worker.await(path)->end == "CANCEL"; }));
        id += 2;
    }
    // The connection ends: so do all of its streams.
    client.send(get(id, "/left"));
    REQUIRE(worker.await("/left"));
    client.close();
    CHECK(within(patience(milliseconds{250}), [&] { return worker.await("/left")->end == "CANCEL"; }));
}

TEST_CASE("A stream that is reset while it waits for a worker gives up its place", "[http2]") {
    const auto httpd = Httpd::started({.global = "LogLevel zmqspdy:debug",
                                       .location = "ZmqSpdyQueueTimeout 60s",
                                       .tls = true,
                                       .single_child = true});
    RawClient client{httpd->port()};
    client.send(kPreface + frame(kSettings, 0, 0, "") + get(1, "/waits"));
    REQUIRE(
        eventually(seconds{10}, [&] { return log_lines_with(*httpd, "/waits: no worker is free") == 1; }));
    client.send(get(3, "/kept"));
    client.send(frame(kRstStream, 0, 1, std::string{"\0\0\0\x08", 4}));
    CHECK(
        within(patience(milliseconds{250}), [&] { return log_lines_with(*httpd, "the client left") == 1; }));
    PuppetWorker worker{*httpd, false, answers({}, "ok\n")};
    (void)client.read_until("ok\n");
    for (const auto& seen : worker.requests()) {
        CHECK(seen.path() == "/kept");
    }
}

TEST_CASE("A response that breaks off is reset on HTTP/2, and its connection lives on", "[http2]") {
    const auto httpd = Httpd::started({.tls = true, .single_child = true});
    PuppetWorker worker{*httpd, false, {.completed = [](PuppetWorker::Stream stream) {
                            stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                            stream.data(stream.seen().path() == "/whole" ? "whole" : "part",
                                        stream.seen().path() == "/whole");
                        }}};
    RawClient client{httpd->port()};
    client.send(kPreface + frame(kSettings, 0, 0, "") + get(1, "/broken"));
    (void)client.read_until("part");
    worker.act("/broken", [](PuppetWorker::Stream stream) { stream.reset(); });
    (void)client.read_until(frame(kRstStream, 0, 1, "....").substr(0, 9));
    client.send(get(3, "/whole"));
    (void)client.read_until("whole");
}

TEST_CASE("A range beyond a whole response is 416 over HTTP/2 too", "[http2]") {
    const H2Server server{false};
    const std::string said = output_of(
        {"nghttp", "--verbose", "--no-dep", "--header=range: bytes=20-30", server.https("/bytes/10")});
    CAPTURE(said);
    CHECK(has(said, ":status: 416"));
    CHECK(has(said, "Range Not Satisfiable"));
}

TEST_CASE("A body is echoed piece by piece over HTTP/2, each before the next is sent", "[http2]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const H2Server server{relayed};
    RawClient client{server.httpd->port()};
    client.send(kPreface + frame(kSettings, 0, 0, "") + post(1, "/echo"));
    for (int i = 0; i < 200; ++i) {
        const std::string piece = "<piece " + std::to_string(i) + ">";
        client.send(frame(kData, 0, 1, piece));
        CHECK(has(client.read_until(piece), piece));
    }
    constexpr unsigned kEndStream = 1;
    client.send(frame(kData, kEndStream, 1, ""));
    (void)client.read_until(frame(kData, kEndStream, 1, ""));
}

TEST_CASE("An upload over HTTP/2 whose client pauses leaves its thread asleep", "[http2]") {
    const auto httpd = Httpd::started({.tls = true, .single_child = true});
    PuppetWorker worker{*httpd, false, {}};
    RawClient client{httpd->port()};
    client.send(kPreface + frame(kSettings, 0, 0, ""));
    constexpr unsigned kUploads = 5;  // mod_http2 begins with six at a time
    const auto path = [](unsigned i) { return "/upload-" + std::to_string(i); };
    for (unsigned i = 0; i < kUploads; ++i) {
        client.send(post(2 * i + 1, path(i)) + frame(kData, 0, 2 * i + 1, "part"));
    }
    for (unsigned i = 0; i < kUploads; ++i) {
        REQUIRE(worker.await(path(i), [](const PuppetWorker::Seen& seen) { return seen.body == "part"; }));
    }
    const pid_t child = httpd->serving_children().front();
    const std::size_t before = sleeps(child);
    (void)within(seconds{1}, [] { return false; });
    // Looking for more every 20 ms would be 250 times; httpd's filters, which keep time, are asked twice a second, and
    // the session has its heartbeat.
    CHECK(sleeps(child) - before < 100);
    client.send(frame(kData, 0, 1, "more"));
    CHECK(worker.await(path(0), [](const PuppetWorker::Seen& seen) { return seen.body == "partmore"; }));
}

TEST_CASE("A client that closes as soon as it has all of a response over HTTP/2 is logged with its status",
          "[http2]") {
    const auto httpd =
        Httpd::started({.modules = {"log_config"},
                        .global = "LogFormat \"%r %>s %{zmqspdy-reason}n\" fate\nCustomLog access_log fate",
                        .tls = true});
    const Worker worker{"echo", "worker-1", router_options(httpd->router())};
    REQUIRE(joined(*httpd, {"worker-1"}));
    constexpr int kTimes = 30;
    const TempDir folder;
    write_file(folder.path() / "body", "what is sent");
    const std::string url = "http://127.0.0.1:" + std::to_string(httpd->port()) + "/echo";
    for (int i = 0; i < kTimes; ++i)
        static_cast<void>(output_of({"nghttp", "--data=" + (folder.path() / "body").string(), url}));
    const auto log = httpd->root().path() / "access_log";
    const auto lines = [&](const std::string& ending) {
        const std::string text = read_file(log);
        std::size_t count = 0;
        for (auto at = text.find(ending); at != std::string::npos; at = text.find(ending, at + 1))
            ++count;
        return count;
    };
    REQUIRE(eventually(seconds{5}, [&] { return lines("\n") == kTimes; }));
    CHECK(lines(" 200 -\n") == kTimes);
}
