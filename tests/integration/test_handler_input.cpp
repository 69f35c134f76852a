// What every handler of httpd owes its clients, whatever makes the content: chunked input, lengths, expectations, names and ports,
// limits. Each request is sent as it stands, and the client's sending side ends with it.
#include <sstream>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

/// The first line's status, and the body.
struct Answer {
    std::string status;
    std::string body;
};

Answer ask(const Httpd& httpd, const std::string& bytes) {
    RawClient client{httpd.port()};
    client.send(bytes);
    client.finish_sending();
    const std::string response = client.read_all();
    CAPTURE(bytes.substr(0, 300), response.substr(0, 300));
    REQUIRE(response.starts_with("HTTP/1.1 "));
    const auto end = response.find("\r\n\r\n");
    REQUIRE(end != std::string::npos);
    return {response.substr(9, 3), response.substr(end + 4)};
}

/// Answers with the body that it was sent, and its trailers behind it.
PuppetWorker::Script echoes() {
    PuppetWorker::Script script;
    script.completed = [](PuppetWorker::Stream stream) {
        std::string body = stream.seen().body;
        for (const auto& [name, value] : stream.seen().trailers) {
            body += "[" + name + ": " + value + "]";
        }
        stream.reply(
            {{":status", "200"}, {":version", "HTTP/1.1"}, {"content-length", std::to_string(body.size())}});
        stream.data(body, true);
    };
    return script;
}

/// Answers with some of its request's fields.
PuppetWorker::Script tells(const std::vector<std::string>& names) {
    PuppetWorker::Script script;
    script.opened = [names](PuppetWorker::Stream stream) {
        std::string body;
        for (const std::string& name : names) {
            body += name + "=" + stream.seen().header(name).value_or("") + " ";
        }
        stream.reply(
            {{":status", "200"}, {":version", "HTTP/1.1"}, {"content-length", std::to_string(body.size())}});
        stream.data(body, true);
    };
    return script;
}

}  // namespace

TEST_CASE("Chunked input is read as RFC 9112 has it", "[handler_input]") {
    const bool relayed = GENERATE(false, true);
    const auto httpd = Httpd::started({.single_child = true});
    const PuppetWorker worker{*httpd, relayed, echoes()};
    struct Row {
        std::string chunks;
        std::string status;
        std::string body = {};
    };
    const std::vector<Row> rows{
        {"0\r\n\r\n", "200", ""},
        {"0\r\nX-Trailer: 7\r\n\r\n", "200", "[x-trailer: 7]"},
        {"A\r\n1234567890\r\n0\r\nX-Trailer: 7\r\n\r\n", "200", "1234567890[x-trailer: 7]"},
        {"a\r\n1234567890\r\n0\r\n\r\n", "200", "1234567890"},
        {"00000A\r\n1234567890\r\n0\r\n\r\n", "200", "1234567890"},
        {"A; ext=val\r\n1234567890\r\n0\r\n\r\n", "200", "1234567890"},
        {"A;ext=\"v;\"\r\n1234567890\r\n0\r\n\r\n", "200", "1234567890"},
        {"A    \r\n1234567890\r\n0\r\n\r\n", "200", "1234567890"},
        {"5\r\n12345\r\n5\r\n67890\r\n000\r\n\r\n", "200", "1234567890"},
        {"A" + std::string(11, ' ') + "\r\n1234567890\r\n0\r\n\r\n", "400"},
        {std::string(35, 'A') + "\r\n", "413"},
        {"A; ext=\x7fval\r\n1234567890\r\n0\r\n\r\n", "400"},
        {" A\r\n1234567890\r\n0\r\n\r\n", "400"},
        {"A\r\n1234567890X\r\n0\r\n\r\n", "400"},
        {"A\r\n12345", "400"},
        {"A\r\n1234567890\r\n", "400"},
        {"G\r\n1234567890\r\n0\r\n\r\n", "400"},
        {"-A\r\n1234567890\r\n0\r\n\r\n", "400"},
        {"A\n1234567890\n0\n\n", "400"},
    };
    for (const Row& row : rows) {
        CAPTURE(relayed, row.chunks);
        const auto answer = ask(
            *httpd,
            "POST /p HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
                row.chunks);
        CHECK(answer.status == row.status);
        if (row.status == "200") {
            CHECK(answer.body == row.body);
        }
    }
}

TEST_CASE("Content-Length is one decimal number, or the request is refused", "[handler_input]") {
    const auto httpd = Httpd::started({.single_child = true});
    const PuppetWorker worker{*httpd, false, echoes()};
    struct Row {
        std::string length;
        std::string status;
    };
    const std::vector<Row> rows{{"", "400"},
                                {"0", "200"},
                                {std::string(34, '0'), "200"},
                                {"1" + std::string(33, '0'), "400"},
                                {"-1", "400"},
                                {"+3", "400"},
                                {"123abc", "400"},
                                {"0x3", "400"},
                                {"3", "200"},
                                {"03", "200"},
                                {"3, 3", "400"},
                                {"3 3", "400"},
                                {"3,", "400"},
                                {"3.0", "400"},
                                {"\"3\"", "400"},
                                {"9223372036854775808", "400"}};
    for (const std::string method : {"GET", "POST", "DELETE"}) {
        for (const std::string version : {"HTTP/1.0", "HTTP/1.1"}) {
            for (const Row& row : rows) {
                CAPTURE(method, version, row.length);
                const auto answer = ask(
                    *httpd, method + " /p " + version +
                                "\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + row.length +
                                "\r\n\r\nabc");
                CHECK(answer.status == row.status);
                if (row.status == "200") {
                    CHECK(answer.body == (row.length.ends_with('3') ? "abc" : ""));
                }
            }
        }
    }
}

TEST_CASE("An expectation is met, or answered with 417", "[handler_input]") {
    const auto httpd = Httpd::started({.single_child = true});
    const PuppetWorker worker{*httpd, false, echoes()};
    const auto status = [&](const std::string& version, const std::string& fields) {
        return ask(*httpd, "POST /p " + version +
                               "\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n" + fields +
                               "\r\nabc")
            .status;
    };
    // The client waits for no word here, and has sent its body: a 100 is to come first, or may be left out.
    for (const std::string field :
         {"Expect: 100-continue\r\n", "Expect: 100-Continue\r\n", "expect:100-CONTINUE\r\n"}) {
        CAPTURE(field);
        const auto first = status("HTTP/1.1", field);
        CHECK((first == "100" || first == "200"));
        // HTTP/1.0 knows no expectations.
        CHECK(status("HTTP/1.0", field) == "200");
    }
    for (const std::string field :
         {"Expect: 200-ok\r\n", "Expect: 100-continue, 200-ok\r\n", "Expect: x=y\r\n"}) {
        CAPTURE(field);
        CHECK(status("HTTP/1.1", field) == "417");
    }
}

TEST_CASE("A worker is told the name and the port that httpd goes by, whoever stops sending first",
          "[handler_input]") {
    HttpdSetup setup;
    setup.single_child = true;
    setup.location = "ZmqSpdyPass SERVER_NAME SERVER_PORT";
    setup.global = "UseCanonicalPhysicalPort on";
    const auto httpd = Httpd::started(setup);
    const PuppetWorker worker{*httpd, false, tells({"zmqspdy-server-name", "zmqspdy-server-port"})};
    struct Row {
        std::string target;
        std::string host;
        std::string name;
        std::string port;  ///< empty: the one that was connected to
    };
    const std::vector<Row> rows{
        {"/", "righthost", "righthost", ""},
        {"/", "righthost:123", "righthost", "123"},
        {"/", "Righthost:123", "righthost", "123"},
        {"/", "128.0.0.1", "128.0.0.1", ""},
        {"/", "128.0.0.1:123", "128.0.0.1", "123"},
        {"/", "[::1]", "[::1]", ""},
        {"/", "[::1]:123", "[::1]", "123"},
        {"/", "[A::1]:123", "[a::1]", "123"},
        {"http://righthost/", "", "righthost", ""},
        {"http://Righthost:123/", "", "righthost", "123"},
        {"http://[::1]:123/", "", "[::1]", "123"},
        {"http://righthost/", "wronghost", "righthost", ""},
        {"http://righthost:123/", "wronghost:321", "righthost", "123"},
        {"http://128.0.0.1/", "126.0.0.1", "128.0.0.1", ""},
        {"http://[::1]:123/", "[::2]:321", "[::1]", "123"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.target, row.host);
        // HTTP/1.1 asks for a Host even where the target has one.
        const std::string host =
            row.host.empty() ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: " + row.host + "\r\n";
        const auto answer = ask(*httpd, "GET " + row.target + host + "Connection: close\r\n\r\n");
        CHECK(answer.status == "200");
        const std::string port = row.port.empty() ? std::to_string(httpd->port()) : row.port;
        CHECK(answer.body == "zmqspdy-server-name=" + row.name + " zmqspdy-server-port=" + port + " ");
    }
}

TEST_CASE("StrictHostCheck and MergeSlashes are heeded before a worker is asked", "[handler_input]") {
    HttpdSetup setup;
    setup.single_child = true;
    setup.global = "StrictHostCheck on";
    setup.sections =
        "<Location \"/secret/a/b\">\n  Require all denied\n</Location>\n"
        "<LocationMatch \"^/secret/x/y\">\n  Require all denied\n</LocationMatch>";
    const auto httpd = Httpd::started(setup);
    const PuppetWorker worker{*httpd, false, tells({":path"})};
    const auto status = [&](const std::string& target, const std::string& host = "localhost") {
        return ask(*httpd, "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
            .status;
    };
    CHECK(status("/") == "200");
    CHECK(status("/", "localhost:1") == "200");
    CHECK(status("/", "notlisted") == "400");
    CHECK(status("/", "128.0.0.1") == "400");
    for (const std::string target :
         {"/secret/a/b", "//secret/a/b", "///secret/a/b", "/secret//a/b/c", "/secret/a//b", "/secret/a/b//c",
          "/secret/x/y", "//secret/x//y", "/%73ecret/a/b", "/./secret/a/b", "/o/../secret/a/b"}) {
        CAPTURE(target);
        CHECK(status(target) == "403");
    }
    CHECK(status("/secret/a/c") == "200");
}

TEST_CASE("Limits of requests are httpd's, with httpd's own answers", "[handler_input]") {
    HttpdSetup setup;
    setup.single_child = true;
    setup.global = "LimitRequestLine 500\nLimitRequestFieldSize 1000\nLimitRequestFields 20";
    setup.location = "LimitRequestBody 2000";
    const auto httpd = Httpd::started(setup);
    const PuppetWorker worker{*httpd, false, echoes()};
    const std::string end = "Connection: close\r\n\r\n";
    const auto get = [&](const std::string& target, const std::string& fields = "") {
        return ask(*httpd, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + end).status;
    };
    const auto post = [&](const std::string& framing, const std::string& body) {
        return ask(*httpd, "POST /p HTTP/1.1\r\nHost: localhost\r\n" + framing + end + body).status;
    };
    CHECK(get("/" + std::string(400, 'a')) == "200");
    CHECK(get("/" + std::string(500, 'a')) == "414");
    CHECK(get("/", "X: " + std::string(900, 'a') + "\r\n") == "200");
    CHECK(get("/", "X: " + std::string(1100, 'a') + "\r\n") == "400");
    const std::string half = "X: " + std::string(600, 'a') + "\r\n";
    CHECK(get("/", half) == "200");
    CHECK(get("/", half + half) == "400");
    std::string few;
    std::string many;
    for (int i = 0; i < 30; ++i) {
        (i < 10 ? few : many) += "X-" + std::to_string(i) + ": a\r\n";
    }
    CHECK(get("/", few) == "200");
    CHECK(get("/", few + many) == "400");
    CHECK(post("Content-Length: 2000\r\n", std::string(2000, 'b')) == "200");
    CHECK(post("Content-Length: 2001\r\n", std::string(2001, 'b')) == "413");
    const auto chunk = [](std::size_t size) {
        std::ostringstream text;
        text << std::hex << size << "\r\n" << std::string(size, 'b') << "\r\n0\r\n\r\n";
        return text.str();
    };
    CHECK(post("Transfer-Encoding: chunked\r\n", chunk(2000)) == "200");
    CHECK(post("Transfer-Encoding: chunked\r\n", chunk(2001)) == "413");
    CHECK(get("/") == "200");
}
