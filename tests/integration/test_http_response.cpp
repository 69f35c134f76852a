// What a gateway owes a response on its way to the client, line by line.
#include "catch.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"
#include "response_gateway.hpp"

using namespace harness;

namespace {

using Fields = PuppetWorker::Fields;
using Stream = PuppetWorker::Stream;

const Fields kOk{{":status", "200"}, {":version", "HTTP/1.1"}};

Fields ok(Fields more) {
    Fields fields = kOk;
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("One final status from 200 to 599, else 502", "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        Fields fields{{":version", "HTTP/1.1"}};
                        const std::string status = stream.seen().path().substr(1);
                        if (status != "none") {
                            fields.insert(fields.begin(), {":status", status});
                        }
                        stream.reply(fields, true);
                    }};
    for (const char* good : {"200", "299", "302", "404", "451", "500", "599"}) {
        CAPTURE(good);
        CHECK(gateway.get("/" + std::string{good}).starts_with("HTTP/1.1 " + std::string{good} + " "));
    }
    for (const char* bad :
         {"none", "99", "100", "101", "103", "199", "600", "999", "1000", "-200", "2e2", "abc"}) {
        CAPTURE(bad);
        CHECK(gateway.get("/" + std::string{bad}).starts_with("HTTP/1.1 502 "));
    }
}

TEST_CASE("Interim responses pass through, any number of them, before the final one",
          "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const Gateway gateway{
        relayed, [](Stream stream) {
            stream.headers({{":status", "103"}, {"link", std::string{"</a.css>\0</b.css>", 17}}});
            stream.headers({{":status", "103"}, {"link", "</c.css>"}});
            stream.headers({{":status", "102"}});
            stream.reply(ok({{"content-length", "0"}, {"x-final", "1"}}), true);
        }};
    const std::string response = gateway.get("/");
    CAPTURE(response);
    CHECK(response.starts_with("HTTP/1.1 103 "));
    CHECK(count(response, "HTTP/1.1 103 ") == 2);
    CHECK(count(response, "HTTP/1.1 102 ") == 1);
    CHECK(has(response, "</a.css>\r\n"));
    CHECK(has(response, "</b.css>\r\n"));
    const auto final = response.find("HTTP/1.1 200 ");
    REQUIRE(final != std::string::npos);
    CHECK_FALSE(has(response.substr(final), "css"));
    CHECK(has(response.substr(final), "X-Final: 1\r\n"));
    // HTTP/1.0 knows none.
    const std::string old = raw_exchange(gateway.httpd->port(), "GET / HTTP/1.0\r\n\r\n");
    CHECK(old.starts_with("HTTP/1.1 200 "));
    CHECK(count(old, " 103 ") == 0);
}

TEST_CASE("HEAD, 204 and 304 have no body, whatever the worker sends, and the connection goes on",
          "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        const std::string path = stream.seen().path();
                        stream.reply({{":status", path == "/204"   ? "204"
                                                  : path == "/304" ? "304"
                                                                   : "200"},
                                      {":version", "HTTP/1.1"},
                                      {"content-length", "4"}});
                        stream.data("BODY", true);
                    }};
    RawClient client{gateway.httpd->port()};
    for (const char* line : {"HEAD /200", "GET /204", "GET /304", "GET /200"}) {
        CAPTURE(line);
        client.send(std::string{line} + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const std::string head = client.read_until("\r\n\r\n");
        CAPTURE(head);
        CHECK(head.starts_with("HTTP/1.1 " +
                               std::string{std::string_view{line} == "HEAD /200" ? "200" : line + 5} + " "));
        if (std::string_view{line} == "GET /204") {
            CHECK_FALSE(has(head, "ontent-"));
        }
    }
    CHECK(client.read_until("BODY") == "BODY");
}

TEST_CASE("Content-Length is one decimal number, and the body is neither shorter nor longer",
          "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        std::string length = stream.seen().path().substr(1);
                        if (const auto comma = length.find(';'); comma != std::string::npos) {
                            length[comma] = '\0';
                        }
                        stream.reply(ok({{"content-length", length}}));
                        stream.data("12345", true);
                    }};
    CHECK(has(gateway.get("/5"), "\r\n\r\n12345"));
    CHECK(has(gateway.get("/5;5"), "\r\n\r\n12345"));
    for (const char* bad : {"-5", "+5", "5x", "0x5", "5,5", "5;6", "5%20", "99999999999999999999"}) {
        CAPTURE(bad);
        CHECK(gateway.get("/" + std::string{bad}).starts_with("HTTP/1.1 502 "));
    }
    const std::string cut = gateway.get("/3");
    CHECK(cut.ends_with("\r\n\r\n123"));
    CHECK(logs(*gateway.httpd, "sent more than the Content-Length"));
    const std::string shorter = gateway.get("/7");
    CAPTURE(shorter);
    CHECK((shorter.starts_with("HTTP/1.1 502 ") || shorter.ends_with("\r\n\r\n12345")));
    CHECK(logs(*gateway.httpd, "sent less than the Content-Length"));
}

TEST_CASE("Hop-by-hop fields from a worker are refused, Transfer-Encoding above all", "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              stream.reply(ok({{stream.seen().path().substr(1), "chunked"}}));
                              stream.data("0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true);
                          }};
    for (const char* name : {"transfer-encoding", "connection", "keep-alive", "proxy-connection", "te",
                             "trailer", "upgrade", "http2-settings"}) {
        CAPTURE(name);
        CHECK(gateway.get("/" + std::string{name}).starts_with("HTTP/1.1 502 "));
    }
}

TEST_CASE("Several values become several lines, never joined", "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        stream.reply(ok({{"content-length", "0"},
                                         {"set-cookie", std::string{"a=1; Path=/\0b=2, c", 18}},
                                         {"www-authenticate", std::string{"Basic\0Digest x=\"y\"", 18}}}),
                                     true);
                    }};
    const std::string response = gateway.get("/");
    CAPTURE(response);
    for (const char* line : {"Set-Cookie: a=1; Path=/\r\n", "Set-Cookie: b=2, c\r\n",
                             "WWW-Authenticate: Basic\r\n", "WWW-Authenticate: Digest x=\"y\"\r\n"}) {
        CHECK(count(response, line) == 1);
    }
}

TEST_CASE("More or longer header lines than httpd takes itself are refused with 502", "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              const int number = std::stoi(stream.seen().path().substr(2));
                              Fields fields = ok({{"content-length", "0"}});
                              if (stream.seen().path().starts_with("/n")) {
                                  for (int i = 1; i < number; ++i) {
                                      fields.emplace_back("x-" + std::to_string(i), "1");
                                  }
                              } else {
                                  fields.emplace_back("x",
                                                      std::string(static_cast<std::size_t>(number) - 1, 'v'));
                              }
                              stream.reply(fields, true);
                          }};
    CHECK(gateway.get("/n100").starts_with("HTTP/1.1 200 "));
    CHECK(gateway.get("/n101").starts_with("HTTP/1.1 502 "));
    CHECK(logs(*gateway.httpd, "LimitRequestFields)"));
    CHECK(gateway.get("/s8190").starts_with("HTTP/1.1 200 "));
    CHECK(gateway.get("/s8191").starts_with("HTTP/1.1 502 "));
}

TEST_CASE("A worker gone before its headers costs a 502, within its body a broken connection",
          "[http_response][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        const std::string path = stream.seen().path();
                        if (path != "/before") {
                            stream.reply(path == "/length" ? ok({{"content-length", "100"}}) : kOk);
                            stream.data("part");
                        }
                    }};
    const auto broken = [&](const std::string& path, const std::string& version) {
        RawClient client{gateway.httpd->port()};
        client.send("GET " + path + " HTTP/" + version + "\r\nHost: localhost\r\n\r\n");
        REQUIRE(gateway.worker.await(path, [](const auto& seen) { return seen.end == "FIN"; }));
        if (path != "/before") {
            (void)client.read_until("part");
        }
        gateway.worker.act(path, [](Stream stream) { stream.reset(); });
        std::string rest;
        if (path == "/before") {
            rest = client.read_until("\r\n\r\n");
            client.close();
        } else {
            rest = client.read_all();
        }
        return std::pair{rest, client.was_reset()};
    };
    CHECK(broken("/before", "1.1").first.starts_with("HTTP/1.1 502 "));
    CHECK_FALSE(has(broken("/chunked", "1.1").first, "0\r\n\r\n"));
    CHECK(broken("/length", "1.1").first.empty());
    // The end of the connection is the end of the body: only a reset tells.
    CHECK(broken("/unframed", "1.0").second);
}

TEST_CASE("A response whose body is still to come reaches the client before it", "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) { stream.reply(ok({{"x-early", "1"}})); }};
    RawClient client{gateway.httpd->port()};
    client.send("GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    CHECK(has(client.read_until("\r\n\r\n"), "X-Early: 1\r\n"));
    for (const char* event : {"data: 1\n\n", "data: 2\n\n"}) {
        gateway.worker.act("/events", [event](Stream stream) { stream.data(event); });
        (void)client.read_until(event);
    }
    gateway.worker.act("/events", [](Stream stream) { stream.data("", true); });
    CHECK(client.read_all().ends_with("0\r\n\r\n"));
}

TEST_CASE("Trailers reach HTTP/1.1 clients that take them, and are no headers", "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const Gateway gateway{
        relayed, [](Stream stream) {
            stream.reply(stream.seen().path() == "/length" ? ok({{"content-length", "4"}}) : kOk);
            stream.data("body");
            stream.headers({{stream.seen().path() == "/bad" ? "content-length" : "x-sum", "42"},
                            {"x-also", std::string{"1\0002", 3}}},
                           true);
        }};
    const std::string taken = gateway.get("/", "TE: trailers\r\n");
    CAPTURE(taken);
    CHECK(taken.ends_with("4\r\nbody\r\n0\r\nX-Sum: 42\r\nX-Also: 1\r\nX-Also: 2\r\n\r\n"));
    CHECK(gateway.get("/").ends_with("\r\n\r\nbody"));
    CHECK(gateway.get("/length", "TE: trailers\r\n").ends_with("\r\n\r\nbody"));
    CHECK_FALSE(gateway.get("/bad", "TE: trailers\r\n").ends_with("0\r\n\r\n"));
}

TEST_CASE("Conditions and ranges are the worker's, and its 206 is not ranged again", "[http_response]") {
    const Gateway gateway{
        false, [](Stream stream) {
            if (stream.seen().header("if-none-match") == "\"e\"") {
                stream.reply({{":status", "304"}, {":version", "HTTP/1.1"}, {"etag", "\"e\""}}, true);
            } else if (stream.seen().header("range") == "bytes=2-5") {
                stream.reply({{":status", "206"},
                              {":version", "HTTP/1.1"},
                              {"content-range", "bytes 2-5/10"},
                              {"content-length", "4"},
                              {"etag", "\"e\""}});
                stream.data("2345", true);
            } else {
                stream.reply(ok({{"content-length", "10"},
                                 {"etag", "\"e\""},
                                 {"last-modified", "Mon, 01 Jun 2020 00:00:00 GMT"}}));
                stream.data("0123456789", true);
            }
        }};
    const std::string partial = gateway.get("/", "Range: bytes=2-5\r\n");
    CAPTURE(partial);
    CHECK(partial.starts_with("HTTP/1.1 206 "));
    CHECK(partial.ends_with("\r\n\r\n2345"));
    CHECK(count(partial, "ontent-") + count(partial, "ONTENT-") == 2);
    CHECK(gateway.get("/", "If-None-Match: \"e\"\r\n").starts_with("HTTP/1.1 304 "));
    const std::string whole = gateway.get("/");
    CAPTURE(whole);
    CHECK(has(whole, "ETag: \"e\"\r\n"));
    CHECK(has(whole, "ast-"));
    CHECK(count(whole, "\r\nDate: ") == 1);
    CHECK(count(whole, "\r\nServer: ") == 1);
}

TEST_CASE("Upgrade is not offered to the worker, and the request is served as plain HTTP",
          "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              stream.reply(ok({{"content-length", "2"}}));
                              stream.data(stream.seen().header("upgrade") ? "up" : "ok", true);
                          }};
    const std::string response = raw_exchange(
        gateway.httpd->port(),
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade, close\r\n\r\n");
    CHECK(response.starts_with("HTTP/1.1 200 "));
    CHECK(response.ends_with("ok"));
}

TEST_CASE("A reason phrase reaches HTTP/1 clients, and httpd's own stands where there is none",
          "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              const std::string path = stream.seen().path();
                              stream.headers({{":status", "103 Soon"}, {"link", "</a.css>"}});
                              stream.reply({{":status", path == "/own"     ? "404 Nothing Here"
                                                        : path == "/bad"   ? "404 Nothing\rHere"
                                                        : path == "/plain" ? "404"
                                                                           : "299 Odd But True"},
                                            {":version", "HTTP/1.1"},
                                            {"content-length", "0"}},
                                           true);
                          }};
    CHECK(gateway.get("/own").starts_with("HTTP/1.1 103 Soon\r\n"));
    CHECK(has(gateway.get("/own"), "\r\nHTTP/1.1 404 Nothing Here\r\n"));
    CHECK(has(gateway.get("/odd"), "\r\nHTTP/1.1 299 Odd But True\r\n"));
    CHECK(has(gateway.get("/plain"), "\r\nHTTP/1.1 404 Not Found\r\n"));
    CHECK(has(gateway.get("/bad"), "\r\nHTTP/1.1 502 Bad Gateway\r\n"));
}

TEST_CASE("An interim response has no length, and nothing of httpd's own", "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              stream.headers({{":status", "103"},
                                              {"content-length", "5"},
                                              {"date", "Mon, 01 Jun 2020 00:00:00 GMT"},
                                              {"server", "worker"},
                                              {"link", "</a.css>"}});
                              stream.reply(ok({{"content-length", "5"}}));
                              stream.data("12345", true);
                          }};
    const std::string response = gateway.get("/");
    CAPTURE(response);
    CHECK(response.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_CASE("Only GET has ranges", "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const Gateway gateway{relayed, [](Stream stream) {
                              stream.reply(ok({{"content-length", "10"}}));
                              stream.data("0123456789", true);
                          }};
    for (const std::string method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT", "ODD"}) {
        CAPTURE(method);
        for (const char* range : {"bytes=2-5", "bytes=20-30"}) {
            const std::string response = raw_exchange(
                gateway.httpd->port(), method +
                                           " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                           "Content-Length: 0\r\nRange: " +
                                           range + "\r\n\r\n");
            CHECK(response.starts_with("HTTP/1.1 200 "));
            CHECK(response.ends_with("\r\n\r\n0123456789"));
        }
    }
}

TEST_CASE("What comes of a range of a short response does not depend on its worker's pace",
          "[http_response]") {
    const auto httpd = Httpd::started({.global = "ZmqSpdyWindow 16384"});
    PuppetWorker worker{*httpd, false, {.completed = [](Stream stream) {
                            const bool is_short = stream.seen().path() == "/short";
                            stream.reply(ok({{"content-length", is_short ? "10" : "16385"}}));
                            stream.data("01234");
                        }}};
    RawClient client{httpd->port()};
    client.send("GET /short HTTP/1.1\r\nHost: localhost\r\nRange: bytes=3-6\r\n\r\n");
    REQUIRE(worker.await("/short", [](const auto& seen) { return seen.end == "FIN"; }));
    RawClient other{httpd->port()};
    other.send("GET /long HTTP/1.1\r\nHost: localhost\r\nRange: bytes=3-6\r\n\r\n");
    CHECK(other.read_until("01234").starts_with("HTTP/1.1 200 "));
    CHECK(client.pending().empty());
    worker.act("/short", [](Stream stream) { stream.data("56789", true); });
    const std::string part = client.read_until("3456");
    CHECK(part.starts_with("HTTP/1.1 206 "));
    CHECK(has(part, "Content-Range: bytes 3-6/10\r\n"));
}
