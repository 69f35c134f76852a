// The module among httpd's others: what they do to a file's response they do to a worker's.
#include <filesystem>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

using Fields = PuppetWorker::Fields;
using Stream = PuppetWorker::Stream;

Fields ok(const std::string& type) {
    return {{":status", "200"}, {":version", "HTTP/1.1"}, {"content-type", type}};
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string ask(const Httpd& httpd, const std::string& path, const std::string& fields = "") {
    return raw_exchange(httpd.port(), "GET " + path + " HTTP/1.1\r\nConnection: close\r\n" +
                                          (has(fields, "Host: ") ? "" : "Host: localhost\r\n") + fields +
                                          "\r\n");
}

/// Answers every request with its path and query.
PuppetWorker::Script tells_path() {
    return {.completed = [](Stream stream) {
        stream.reply(ok("text/html"));
        stream.data("path " + stream.seen().path() + "\n", true);
    }};
}

}  // namespace

TEST_CASE("mod_deflate compresses a worker's response, and a streamed one still comes piece by piece",
          "[citizen]") {
    const auto httpd = Httpd::started(
        {.modules = {"filter", "deflate"}, .location = "AddOutputFilterByType DEFLATE text/plain"});
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            stream.reply(ok(stream.seen().path() == "/image" ? "image/png" : "text/plain"));
                            stream.data(std::string(10000, 'x'), stream.seen().path() != "/stream");
                        }}};
    const std::string gzip = "Accept-Encoding: gzip\r\n";
    const std::string compressed = ask(*httpd, "/text", gzip);
    CHECK(has(compressed, "Content-Encoding: gzip\r\n"));
    CHECK(compressed.size() < 1000);
    CHECK_FALSE(has(ask(*httpd, "/image", gzip), "Content-Encoding"));
    CHECK_FALSE(has(ask(*httpd, "/text"), "Content-Encoding"));

    RawClient client{httpd->port()};
    client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + gzip + "\r\n");
    CHECK(has(client.read_until("\r\n\r\n"), "Content-Encoding: gzip\r\n"));
    (void)client.read_until("\x1f\x8b");  // gzip's first bytes, while the worker holds the rest back
    worker.act("/stream", [](Stream stream) { stream.data("end", true); });
    (void)client.read_until("0\r\n\r\n");
}

TEST_CASE("A body that an input filter inflates reaches the worker as what it is then", "[citizen]") {
    const auto httpd =
        Httpd::started({.modules = {"filter", "deflate"}, .location = "SetInputFilter DEFLATE"});
    PuppetWorker worker{*httpd, false, answers({}, "ok\n")};
    const TempDir folder;
    write_file(folder.path() / "body", std::string(5000, 'x'));
    REQUIRE(run({"gzip", (folder.path() / "body").string()}).code == 0);
    const std::string gzipped = read_file(folder.path() / "body.gz");
    const auto post = [&](const std::string& fields, const std::string& body) {
        return raw_exchange(httpd->port(),
                            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
    };
    CHECK(has(post("Content-Encoding: gzip\r\n", gzipped), "ok\n"));
    const auto inflated = worker.requests().at(0);
    CHECK(inflated.body == std::string(5000, 'x'));
    CHECK_FALSE(inflated.header("content-length"));
    CHECK_FALSE(inflated.header("content-encoding"));
    CHECK(has(post("Content-Encoding: br\r\n", "as it is"), "ok\n"));
    CHECK(worker.requests().at(1).header("content-encoding") == "br");
    CHECK(worker.requests().at(1).body == "as it is");
}

TEST_CASE("mod_headers changes what goes to the worker and what comes back", "[citizen]") {
    const auto httpd =
        Httpd::started({.modules = {"headers"},
                        .location = "RequestHeader set X-Added by-httpd\nRequestHeader unset X-Secret\n"
                                    "Header set X-Frame-Options DENY\nHeader unset X-Powered-By\nHeader edit "
                                    "Location http: https:"});
    PuppetWorker worker{*httpd, false,
                        answers({{"x-powered-by", "worker"}, {"location", "http://example.com/"}}, "body")};
    const std::string response = ask(*httpd, "/", "X-Secret: 1\r\n");
    CAPTURE(response);
    CHECK(has(response, "X-Frame-Options: DENY\r\n"));
    CHECK_FALSE(has(response, "owered"));
    CHECK(has(response, "ocation: https://example.com/\r\n"));
    const auto seen = worker.requests().at(0);
    CHECK(seen.header("x-added") == "by-httpd");
    CHECK_FALSE(seen.header("x-secret"));
}

TEST_CASE("mod_rewrite gives URLs to the handler, and the worker sees what it made of them", "[citizen]") {
    const auto httpd = Httpd::started({.modules = {"rewrite"},
                                       .global = "RewriteEngine on\n"
                                                 "RewriteRule ^/static/by-rule$ - [H=zmq-spdy]\n"
                                                 "RewriteRule ^/old/(.*)$ /new/$1 [PT]\n"
                                                 "RewriteRule ^/more$ /more?added=1 [PT,QSA]"});
    PuppetWorker worker{*httpd, false, tells_path()};
    CHECK(has(ask(*httpd, "/static/by-rule"), "path /static/by-rule\n"));
    CHECK(has(ask(*httpd, "/old/a%20b?q=%20"), "path /new/a%20b?q=%20\n"));
    CHECK(has(ask(*httpd, "/more?own=2"), "path /more?added=1&own=2\n"));
    CHECK(has(ask(*httpd, "/kept/%41?q"), "path /kept/%41?q\n"));
}

TEST_CASE("ErrorDocument answers our own errors, and a worker's error page passes untouched", "[citizen]") {
    const auto httpd =
        Httpd::started({.location = "ZmqSpdyQueueTimeout 300ms\nErrorDocument 503 /static/sorry.txt\n"
                                    "ErrorDocument 502 \"broken worker\"\nErrorDocument 404 \"not ours\""});
    write_file(httpd->root().path() / "htdocs/static/sorry.txt", "come back later\n");
    const std::string none = ask(*httpd, "/");
    CAPTURE(none);
    CHECK(none.starts_with("HTTP/1.1 503 "));
    CHECK(has(none, "come back later\n"));
    CHECK(has(none, "Retry-After: "));
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            if (stream.seen().path() == "/bad") {
                                return stream.reset();
                            }
                            stream.reply({{":status", "404"}, {":version", "HTTP/1.1"}});
                            stream.data("the worker's own page", true);
                        }}};
    const std::string missing = ask(*httpd, "/missing");
    CHECK(missing.starts_with("HTTP/1.1 404 "));
    CHECK(has(missing, "the worker's own page"));
    const std::string bad = ask(*httpd, "/bad");
    CHECK(bad.starts_with("HTTP/1.1 502 "));
    CHECK(has(bad, "broken worker"));
}

TEST_CASE("An ErrorDocument that a worker serves is a request of its own, without the other's body",
          "[citizen]") {
    const auto httpd = Httpd::started(
        {.location = "ErrorDocument 502 /error\nZmqSpdyRequestBuffer 0", .single_child = true});
    PuppetWorker worker{*httpd, false, {.opened = [](Stream stream) {
                            if (stream.seen().path() == "/fails") {
                                return stream.reply({{":status", "600"}}, true);
                            }
                            stream.reply(ok("text/plain"));
                            stream.data("the worker's error page", true);
                        }}};
    RawClient client{httpd->port()};
    client.send(
        "POST /fails HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Type: text/plain\r\n"
        "Connection: close\r\n\r\nfirst");
    const auto page = worker.await("/error");
    REQUIRE(page);
    CHECK(page->header(":method") == "GET");
    CHECK_FALSE(page->header("content-length"));
    CHECK_FALSE(page->header("content-type"));
    client.send("tail!");
    const std::string response = client.read_all();
    CHECK(response.starts_with("HTTP/1.1 502 "));
    CHECK(has(response, "the worker's error page"));
    CHECK(worker.await("/error")->body.empty());
}

TEST_CASE("Access control holds for dot segments: the worker is asked for what httpd allowed", "[citizen]") {
    const auto httpd = Httpd::started({.sections = "<Location \"/admin\">\nRequire all denied\n</Location>"});
    PuppetWorker worker{*httpd, false, tells_path()};
    CHECK(ask(*httpd, "/admin/pub").starts_with("HTTP/1.1 403 "));
    for (const char* path : {"/admin/../pub", "/admin/%2e%2e/pub", "/admin/.%2E/pub", "/./pub"}) {
        CAPTURE(path);
        CHECK(has(ask(*httpd, path), "path /pub\n"));
    }
    CHECK(ask(*httpd, "/pub/../admin/x").starts_with("HTTP/1.1 403 "));
}

TEST_CASE("Access control holds for every form of a target: a worker is asked for the path that httpd judged",
          "[citizen]") {
    const std::string slashes = GENERATE("Off", "On", "NoDecode");
    const std::string merge = GENERATE("On", "Off");
    CAPTURE(slashes, merge);
    const auto httpd =
        Httpd::started({.modules = {"rewrite"},
                        .global = "AllowEncodedSlashes " + slashes + "\nMergeSlashes " + merge +
                                  "\nRewriteEngine on\nRewriteRule ^/x(.*)$ /y/$1 [PT]\n"
                                  "RewriteRule ^/z(.*)$ /$1 [PT]",
                        .sections = "<Location \"/headers\">\nRequire all denied\n</Location>"});
    PuppetWorker worker{*httpd, false, tells_path()};
    std::vector<std::string> targets{"/headers",     "//headers",  "/./headers",  "/%68eaders",
                                     "/x../headers", "/z/headers", "/z../headers"};
    for (const std::string scheme : {"http:", "HTTP:", "https:", "ftp:", "x:", ""}) {
        for (const std::string path : {"/public", "/p", "/p/x", "", "/p/", "/p%3f", "/p%23", "/p;a"}) {
            for (const std::string rest :
                 {"?://h/headers", "://h/headers", "?//h/headers", "//h/headers", "/://h/headers",
                  "?:///headers", "#://h/headers", "%2f..%2fheaders"}) {
                targets.push_back(scheme + path + rest);
            }
        }
    }
    for (const std::string& target : targets) {
        (void)raw_exchange(httpd->port(),
                           "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    }
    CHECK(worker.requests().size() > targets.size() / 3);
    for (const auto& seen : worker.requests()) {
        const std::string path = seen.path().substr(0, seen.path().find('?'));
        CAPTURE(seen.path());
        CHECK(path.starts_with("/"));
        CHECK_FALSE(path.ends_with("/../headers"));
        CHECK_FALSE((path == "/headers" || path == "//headers"));
    }
}

TEST_CASE("Subrequests reach workers, and their responses take part in the page", "[citizen]") {
    const auto httpd = Httpd::started(
        {.modules = {"include", "filter"},
         .sections = "<Location \"/static\">\nOptions +Includes\n"
                     "SetOutputFilter INCLUDES\n</Location>\n"
                     "<Location \"/ssi\">\nOptions +Includes\nSetOutputFilter INCLUDES\n</Location>"});
    write_file(httpd->root().path() / "htdocs/static/page.html",
               "before <!--#include virtual=\"/part?x=1\" --> after\n");
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            stream.headers({{":status", "103"}, {"link", "</hint.css>"}});
                            stream.reply(ok("text/html"));
                            stream.data(stream.seen().path() == "/ssi"
                                            ? "<!--#include virtual=\"/part?x=2\" -->!"
                                            : "[" + stream.seen().path() + "]",
                                        true);
                        }}};
    const auto ask_whole = [&](const std::string& path) {  // not in chunks
        return raw_exchange(httpd->port(), "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    };
    const std::string page = ask_whole("/static/page.html");
    CAPTURE(page);
    CHECK(has(page, "before [/part?x=1] after"));
    CHECK_FALSE(has(ask(*httpd, "/static/page.html"), "hint.css"));
    const std::string both = ask_whole("/ssi");
    CAPTURE(both);
    CHECK(has(both, "[/part?x=2]!"));
    // Conditions and ranges are about the page.
    (void)ask(*httpd, "/static/page.html", "If-None-Match: \"e\"\r\nRange: bytes=0-1\r\nIf-Range: \"e\"\r\n");
    for (const char* name : {"if-none-match", "range", "if-range"}) {
        CHECK_FALSE(worker.requests().back().header(name));
    }
    // A body belongs to the page's request, never to what is included.
    const std::string posted =
        raw_exchange(httpd->port(),
                     "POST /static/page.html HTTP/1.1\r\nHost: localhost\r\nConnection: "
                     "close\r\nContent-Length: 4\r\n\r\nbody");
    CAPTURE(posted);
    for (const auto& seen : worker.requests()) {
        CHECK(seen.body.empty());
        CHECK_FALSE(seen.header("content-length"));
    }
}

TEST_CASE("mod_status shows requests that workers have", "[citizen]") {
    const auto httpd =
        Httpd::started({.modules = {"status"},
                        .global = "ExtendedStatus on",
                        .sections = "<Location \"/server-status\">\nSetHandler server-status\n</Location>"});
    PuppetWorker worker{*httpd, false, {}};
    RawClient client{httpd->port()};
    client.send("GET /in-flight HTTP/1.1\r\nHost: localhost\r\n\r\n");
    REQUIRE(worker.await("/in-flight"));
    CHECK(has(ask(*httpd, "/server-status"), "GET /in-flight HTTP/1.1"));
}

TEST_CASE("mod_ssl in front: the worker learns of TLS what ZmqSpdyPass names", "[citizen]") {
    const auto httpd =
        Httpd::started({.location = "ZmqSpdyPass SSL_PROTOCOL SSL_CIPHER SSL_CLIENT_S_DN", .tls = true});
    PuppetWorker worker{*httpd, false, answers({}, "over TLS\n")};
    const CommandResult curl =
        run({"curl", "--silent", "--insecure", "--http1.1", "--header", "zmqspdy-ssl-client-s-dn: CN=forged",
             "https://127.0.0.1:" + std::to_string(httpd->tls_port()) + "/"});
    CAPTURE(curl.output);
    CHECK(curl.output == "over TLS\n");
    const auto seen = worker.requests().at(0);
    CHECK(seen.header(":scheme") == "https");
    CHECK(seen.header("x-forwarded-proto") == "https");
    CHECK(seen.header("zmqspdy-ssl-protocol").value_or("").starts_with("TLSv1."));
    CHECK_FALSE(seen.header("zmqspdy-ssl-cipher").value_or("").empty());
    CHECK_FALSE(seen.header("zmqspdy-ssl-client-s-dn"));
    // Without TLS there is nothing to tell.
    (void)ask(*httpd, "/plain");
    CHECK_FALSE(worker.requests().at(1).header("zmqspdy-ssl-protocol"));
}

TEST_CASE("mod_reqtimeout ends a body that stalls with 408, and the worker's stream with CANCEL",
          "[citizen]") {
    const auto httpd = Httpd::started({.modules = {"reqtimeout"}, .global = "RequestReadTimeout body=1"});
    PuppetWorker worker{*httpd, false, {}};
    RawClient client{httpd->port()};
    client.send(
        "POST /stalls HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nConnection: close\r\n\r\nabc");
    REQUIRE(worker.await("/stalls"));
    CHECK(client.read_all().starts_with("HTTP/1.1 408 "));
    CHECK(worker.await("/stalls", [](const auto& seen) { return seen.end == "CANCEL"; }));
}

TEST_CASE("SetHandler works in .htaccess, <Directory>, <If> and <Files>", "[citizen]") {
    Httpd httpd{{.all_to_workers = false, .sections = "Include more.conf"}};
    const fs::path htdocs = httpd.root().path() / "htdocs";
    fs::create_directories(htdocs / "own");
    fs::create_directories(htdocs / "dir");
    write_file(htdocs / "own/.htaccess", "SetHandler zmq-spdy\n");
    write_file(htdocs / "file.txt", "a file\n");
    write_file(httpd.root().path() / "more.conf",
               "<Directory \"" + htdocs.string() +
                   "\">\nAllowOverride FileInfo\n<Files \"*.worker\">\nSetHandler zmq-spdy\n</Files>\n"
                   "</Directory>\n<Directory \"" +
                   (htdocs / "dir").string() +
                   "\">\nSetHandler zmq-spdy\n</Directory>\n"
                   "<If \"%{QUERY_STRING} == 'worker'\">\nSetHandler zmq-spdy\n</If>\n");
    httpd.start();
    PuppetWorker worker{httpd, false, tells_path()};
    for (const char* path : {"/own/x", "/a.worker", "/dir/y", "/file.txt?worker"}) {
        CAPTURE(path);
        CHECK(has(ask(httpd, path), "path " + std::string{path} + "\n"));
    }
    CHECK(has(ask(httpd, "/file.txt"), "a file\n"));
}

TEST_CASE("Virtual hosts are told apart, and may have services of their own", "[citizen]") {
    const auto httpd =
        Httpd::started({.sections = "<VirtualHost *>\nServerName first.example\n</VirtualHost>\n"
                                    "<VirtualHost *>\nServerName second.example\n<Location \"/\">\n"
                                    "ZmqSpdyService second\n</Location>\n</VirtualHost>\n"
                                    "<VirtualHost *>\nServerName files.example\n<Location \"/\">\n"
                                    "SetHandler None\n</Location>\n</VirtualHost>"});
    PuppetWorker first{*httpd, false, answers({}, "first\n")};
    PuppetWorker second{*httpd, false, answers({}, "second\n"), "second"};
    CHECK(has(ask(*httpd, "/", "Host: first.example\r\n"), "first\n"));
    CHECK(has(ask(*httpd, "/", "Host: second.example\r\n"), "second\n"));
    CHECK(second.requests().at(0).header(":host") == "second.example");
    CHECK(has(ask(*httpd, "/static/index.txt", "Host: files.example\r\n"), "a static file"));
}

TEST_CASE("Authentication is httpd's, and REMOTE_USER reaches the worker", "[citizen]") {
    const auto httpd =
        Httpd::started({.modules = {"authn_core", "authn_file", "auth_basic", "authz_user"},
                        .location = "AuthType Basic\nAuthName workers\nAuthBasicProvider file\n"
                                    "AuthUserFile users\nRequire valid-user\nZmqSpdyPass REMOTE_USER"});
    const CommandResult hash = run({"openssl", "passwd", "-apr1", "secret"});
    write_file(httpd->root().path() / "users", "joe:" + hash.output);
    PuppetWorker worker{*httpd, false, answers({}, "in\n")};
    CHECK(ask(*httpd, "/").starts_with("HTTP/1.1 401 "));
    CHECK(worker.requests().empty());
    CHECK(has(ask(*httpd, "/", "Authorization: Basic am9lOnNlY3JldA==\r\nzmqspdy-remote-user: root\r\n"),
              "in\n"));
    CHECK(worker.requests().at(0).header("zmqspdy-remote-user") == "joe");
}

TEST_CASE("mod_remoteip is heeded: the worker learns of the client behind the proxy", "[citizen]") {
    const auto httpd =
        Httpd::started({.modules = {"remoteip"},
                        .global = "RemoteIPHeader X-Client-IP\nRemoteIPInternalProxy 127.0.0.1",
                        .location = "ZmqSpdyPass REMOTE_ADDR"});
    PuppetWorker worker{*httpd, false, answers({}, "ok\n")};
    (void)ask(*httpd, "/", "X-Client-IP: 192.0.2.7\r\n");
    const auto seen = worker.requests().at(0);
    CHECK(seen.header("x-forwarded-for") == "192.0.2.7");
    CHECK(seen.header("zmqspdy-remote-addr") == "192.0.2.7");
}
