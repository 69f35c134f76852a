// HTTP through the module: what goes in at one end comes out at the other.
#include "catch.hpp"
#include "harness/digest.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

struct EchoServer {
    explicit EchoServer(bool relayed)
        : httpd{Httpd::started()}, worker{"echo", "worker-1", router_options(httpd->router(), relayed)} {
        REQUIRE(joined(*httpd, {"worker-1"}));
    }
    std::unique_ptr<Httpd> httpd;
    Worker worker;
};

}  // namespace

TEST_CASE("Status codes of handlers reach the client", "[http][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    Client client{server.httpd->port()};
    for (const int status : {200, 201, 204, 301, 304, 400, 404, 418, 429, 500, 503, 599}) {
        const Reply reply = client.get("/status/" + std::to_string(status));
        CAPTURE(reply.summary());
        CHECK(reply.problem.empty());
        CHECK(reply.status == status);
    }
    CHECK(client.get("/no/such/path").status == 404);
    CHECK(client.get("/whoami").ok());
}

TEST_CASE("HEAD has the headers of GET and no body, and the connection goes on", "[http][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    RawClient client{server.httpd->port()};
    client.send(
        "HEAD /bytes/1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string head = client.read_until("\r\n\r\n");
    const std::string next = client.read_all();
    CAPTURE(head, next);
    CHECK(head.starts_with("HTTP/1.1 200 "));
    CHECK(head.find("Content-Length: 1000\r\n") != std::string::npos);
    CHECK(next.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("A worker sees method, path, query and headers as the client sent them", "[http][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    Call call;
    call.path = "/headers?a=1&b=%20x&c";
    call.headers = {"X-One: first", "X-Two: sec\"ond", "X-Empty;", "Cookie: a=b; c=d"};
    const Reply reply = Client{server.httpd->port()}.send(call);
    CAPTURE(reply.body);
    REQUIRE(reply.ok());
    for (const char* expected :
         {"GET", "/headers", "a=1&b=%20x&c", "x-one", "first", "sec\\\"ond", "a=b; c=d"}) {
        CAPTURE(expected);
        CHECK(reply.body.find(expected) != std::string::npos);
    }
}

TEST_CASE("Bodies of every size come back, with a length and without", "[http][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    Client client{server.httpd->port()};
    // Around the sizes of windows, frames and buffers.
    for (const std::size_t size : {0UL, 1UL, 1000UL, 8191UL, 8192UL, 16384UL, 65535UL, 65536UL, 65537UL,
                                   262143UL, 262144UL, 262145UL, 1000000UL}) {
        CAPTURE(size);
        const std::string body = PatternSource{size}.take(size);
        const Reply with_length = client.post("/echo", body);
        CHECK(with_length.ok());
        CHECK((with_length.body == body));

        Call chunked;
        chunked.method = "POST";
        chunked.path = "/sha256";
        chunked.headers = {"Transfer-Encoding: chunked"};
        PatternSource source{size};
        chunked.source = [&](char* out, std::size_t count) { source.fill(out, count); };
        chunked.source_size = size;
        Sha256 expected;
        expected.update(body);
        const Reply digest = client.send(chunked);
        CAPTURE(digest.summary());
        CHECK(digest.body.find(expected.hex()) != std::string::npos);

        const Reply bytes = client.get("/bytes/" + std::to_string(size));
        CHECK(bytes.ok());
        CHECK(bytes.body.size() == size);
    }
}

TEST_CASE("Expect: 100-continue is answered, and the body is taken", "[http]") {
    const EchoServer server{false};
    RawClient client{server.httpd->port()};
    client.send(
        "POST /sha256 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
        "Connection: close\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));
    client.send("hello");
    const std::string answer = client.read_all();
    CAPTURE(answer);
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    Sha256 expected;
    expected.update("hello");
    CHECK(answer.find(expected.hex()) != std::string::npos);
}

TEST_CASE("A client that breaks its body off harms nobody else", "[http]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    for (int i = 0; i < 5; ++i) {
        RawClient client{server.httpd->port()};
        client.send("POST /sha256 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nonly this");
    }
    Client client{server.httpd->port()};
    CHECK(client.get("/whoami").ok());
}

TEST_CASE("What is not given to the handler stays httpd's own", "[http]") {
    const auto httpd = Httpd::started();
    const Reply reply = get_once(httpd->port(), "/static/index.txt");
    CHECK(reply.ok());
    CHECK(reply.body == "a static file\n");
}

TEST_CASE("Forms, cookies, conditions and ranges of the framework work behind httpd", "[http]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const EchoServer server{relayed};
    Client client{server.httpd->port()};

    Call form;
    form.method = "POST";
    form.path = "/form";
    form.headers = {"Content-Type: multipart/form-data; boundary=b"};
    form.body =
        "--b\r\nContent-Disposition: form-data; name=\"colour\"\r\n\r\nblue\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n12345\r\n--b--\r\n";
    const Reply sent = client.send(form);
    CAPTURE(sent.summary());
    CHECK(sent.body.find(R"("fields":[["colour","blue"]])") != std::string::npos);
    CHECK(sent.body.find(R"("filename":"a.txt")") != std::string::npos);
    form.headers = {"Content-Type: text/plain"};
    CHECK(client.send(form).status == 415);

    Call visit;
    visit.path = "/visits";
    visit.headers = {"Cookie: a=b; visits=41"};
    const Reply visited = client.send(visit);
    CHECK(visited.body == "visit 42\n");
    CHECK(visited.header("set-cookie").value_or("").starts_with("visits=42;"));

    Call content;
    content.path = "/content";
    const Reply whole = client.send(content);
    CHECK(whole.body.size() == 1000);
    content.headers = {"Range: bytes=10-19"};
    const Reply part = client.send(content);
    CHECK(part.status == 206);
    CHECK(part.header("content-range") == "bytes 10-19/1000");
    CHECK(part.body == whole.body.substr(10, 10));
    content.headers = {"If-None-Match: " + whole.header("etag").value_or("")};
    CHECK(client.send(content).status == 304);
}
