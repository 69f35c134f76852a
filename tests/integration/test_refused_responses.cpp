// Responses that httpd's own output filters refuse, and responses that are there before the end of the upload.
#include "catch.hpp"
#include "harness/paths.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

using Seen = PuppetWorker::Seen;
using Stream = PuppetWorker::Stream;
using Fields = PuppetWorker::Fields;

const Fields kOk{{":status", "200"}, {":version", "HTTP/1.1"}};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string get(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

/// Ten bytes for everything but what says otherwise in its path.
void answer(Stream stream) {
    const std::string path = stream.seen().path();
    stream.reply(path == "/404" ? Fields{{":status", "404"}, {":version", "HTTP/1.1"}} : kOk);
    if (path.ends_with("/late")) {
        stream.data("fine so far\n");
    } else {
        stream.data(path == "/error-page" ? "page of a worker"
                    : has(path, "ok")     ? "0123456789"
                                          : "a secret",
                    true);
    }
}

std::unique_ptr<Httpd> refusing(const std::string& location = "", const std::string& filter = "") {
    return Httpd::started({.modules = {"log_config"},
                           .global = "LoadModule refuse_module " REFUSING_MODULE
                                     "\nLogFormat \"%U status=%>s reason=%{zmqspdy-reason}n\" fate\n"
                                     "CustomLog access_log fate",
                           .location = location,
                           .sections = filter.empty()
                                           ? ""
                                           : "<LocationMatch \"^/(?!ok|error-page)\">\nSetOutputFilter " +
                                                 filter + "\n</LocationMatch>",
                           .single_child = true});
}

}  // namespace

TEST_CASE("A range beyond a whole response is 416, and the connection goes on", "[http_response][core]") {
    const auto& [document, page] = GENERATE(values<std::pair<std::string, std::string>>(
        {{"", "Range Not Satisfiable"},
         {"ErrorDocument 416 \"beyond its end\"", "beyond its end"},
         {"ErrorDocument 416 /static/index.txt", "static"},
         {"ErrorDocument 416 /error-page", "page of a worker"}}));
    CAPTURE(document);
    const auto httpd = refusing(document);
    PuppetWorker worker{*httpd, false, {.completed = answer}};
    RawClient client{httpd->port()};
    client.send(get("/ok/range", "Range: bytes=20-30\r\n") + get("/ok"));
    const std::string both = client.read_until("0123456789");
    CAPTURE(both);
    CHECK(both.starts_with("HTTP/1.1 416 "));
    CHECK(has(both, page));
    CHECK(has(both, "HTTP/1.1 200 "));
    CHECK(access_logged(*httpd, "/ok/range status=416 reason=filter"));
}

TEST_CASE("What a filter of httpd refuses before anything has gone out is answered with its error",
          "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    {
        const auto httpd = refusing("", "DENY");
        PuppetWorker worker{*httpd, relayed, {.completed = answer}};
        for (const char* path : {"/whole", "/404"}) {
            CAPTURE(path);
            RawClient client{httpd->port()};
            client.send(get(path) + get("/ok"));
            const std::string both = client.read_until("0123456789");
            CAPTURE(both);
            CHECK(both.starts_with("HTTP/1.1 403 "));
            CHECK_FALSE(has(both, "secret"));
        }
        CHECK(access_logged(*httpd, "/whole status=403 reason=filter"));
    }
    const auto httpd = refusing("ErrorDocument 500 /error-page", "FAIL");
    PuppetWorker worker{*httpd, relayed, {.completed = answer}};
    RawClient client{httpd->port()};
    client.send(get("/whole"));
    const std::string response = client.read_all();
    CHECK(response.starts_with("HTTP/1.1 500 "));
    CHECK(has(response, "page of a worker"));
}

TEST_CASE("What a filter of httpd refuses after a part has gone out is broken off", "[http_response]") {
    const auto* const filter = GENERATE("DENY", "FAIL");
    CAPTURE(filter);
    const auto httpd = refusing("", filter);
    PuppetWorker worker{*httpd, false, {.completed = answer}};
    RawClient client{httpd->port()};
    client.send(get("/late") + get("/ok"));
    (void)client.read_until("fine so far\n");
    worker.act("/late", [](Stream stream) { stream.data("a secret"); });
    CHECK(worker.await("/late", [](const Seen& seen) { return seen.end == "CANCEL"; }));
    const std::string rest = client.read_all();
    CAPTURE(rest);
    CHECK_FALSE(has(rest, "secret"));
    CHECK_FALSE(has(rest, "0123456789"));
    CHECK(access_logged(*httpd, "/late status=200 reason=filter"));
}

TEST_CASE("A worker lost while httpd's filters hold all of its response costs a whole 502",
          "[http_response]") {
    const auto httpd =
        Httpd::started({.modules = {"buffer"},
                        .location = "SetOutputFilter BUFFER\nErrorDocument 502 /static/index.txt",
                        .single_child = true});
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            stream.reply(kOk);
                            stream.data("part");
                            stream.reset();
                        }}};
    // Without chunks or a length, a reset would say that something is missing.
    RawClient client{httpd->port()};
    client.send("GET /lost HTTP/1.0\r\n\r\n");
    const std::string response = client.read_all();
    CHECK(response.starts_with("HTTP/1.1 502 "));
    CHECK(has(response, "a static file"));
    CHECK_FALSE(client.was_reset());
}

TEST_CASE("A response that comes before the end of the upload does not wait for it",
          "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    const bool chunked = GENERATE(false, true);
    CAPTURE(relayed, chunked);
    const auto httpd = refusing("ZmqSpdyTimeout 500ms", "DENY");
    PuppetWorker worker{*httpd, relayed, {.opened = [](Stream stream) {
                            const std::string path = stream.seen().path();
                            if (path == "/ok/403") {
                                stream.reply({{":status", "403"}, {":version", "HTTP/1.1"}});
                                stream.data("you may not", true);
                            } else if (path == "/ok/502") {
                                stream.reset();
                            } else if (path == "/denied") {
                                stream.reply(kOk);
                                stream.data("a secret", true);
                            } else {
                                stream.reply(kOk);
                                stream.data("0123456789", true);
                            }
                        }}};
    const std::string framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: 1000000";
    const std::string rest(chunked ? 0x10000 : 1000000 - 1000, 'r');
    const auto begin = [&](RawClient& client, const std::string& path) {
        client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + framing + "\r\n\r\n" +
                    (chunked ? "3e8\r\n" : "") + std::string(1000, 'b') + (chunked ? "\r\n" : ""));
    };
    {
        RawClient client{httpd->port()};
        begin(client, "/ok/403");
        CHECK(client.read_until("you may not").starts_with("HTTP/1.1 403 "));
        // The connection goes on behind the rest.
        client.send((chunked ? "10000\r\n" : "") + rest + (chunked ? "\r\n0\r\n\r\n" : "") + get("/ok"));
        (void)client.read_until("HTTP/1.1 200 ");
        (void)client.read_until("0123456789");
    }
    // Errors, httpd's and a filter's, end it.
    for (const auto& [path, status] : {std::pair{"/ok/502", "502"}, {"/denied", "403"}}) {
        CAPTURE(path);
        RawClient other{httpd->port()};
        begin(other, path);
        CHECK(other.read_until("</html>").starts_with("HTTP/1.1 " + std::string{status}));
    }
}
