// What a handler sees of a request.
#include <stdexcept>

#include "catch.hpp"
#include "worker/request_builder.hpp"
#include "zmqspdy/http_error.hpp"
#include "zmqspdy/request.hpp"

using zmqspdy::Request;
using zmqspdy::RequestBuilder;
using namespace std::chrono_literals;

namespace {

zmqspdy::spdy::HeaderBlock usual() {
    zmqspdy::spdy::HeaderBlock headers;
    headers.add(":method", "GET");
    headers.add(":path", "/a%20b?x=1&y=%26");
    headers.add(":version", "HTTP/1.1");
    headers.add(":host", "example.org:8080");
    headers.add(":scheme", "https");
    headers.add("accept", "text/html");
    headers.add("cookie", "a=1");
    headers.add("accept", "text/plain");
    return headers;
}

/// A body of two chunks, then cut off.
class CutBody final : public zmqspdy::BodySource {
  public:
    std::string_view next() override {
        if (++calls_ > 2)
            throw zmqspdy::BodyAborted{};
        return "chunk";
    }
    bool cancelled() const noexcept override { return calls_ > 2; }

  private:
    int calls_ = 0;
};

}  // namespace

TEST_CASE("a request out of a SYN_STREAM") {
    auto built = RequestBuilder::build(usual(), zmqspdy::spdy::kDefaultPriority, std::make_shared<CutBody>());
    auto& request = std::get<Request>(built);
    CHECK(request.method() == "GET");
    CHECK(request.target() == "/a%20b?x=1&y=%26");
    CHECK(request.path() == "/a%20b");
    CHECK(request.query() == "x=1&y=%26");
    CHECK(request.host() == "example.org:8080");
    CHECK(request.scheme() == "https");
    CHECK(request.header("Accept") == "text/html");
    CHECK(request.header("HOST") == "example.org:8080");
    CHECK(!request.header(":path"));
    CHECK(!request.header("missing"));
    CHECK(!request.header(""));
    CHECK(request.headers() == Request::Fields{{"host", "example.org:8080"},
                                               {"accept", "text/html"},
                                               {"accept", "text/plain"},
                                               {"cookie", "a=1"}});
    CHECK(!request.cancelled());
    CHECK(request.sleep_for(0ms));
    CHECK_THROWS_AS(request.text(), zmqspdy::BodyAborted);
    CHECK(request.cancelled());
    CHECK(!request.sleep_for(1h));
}

TEST_CASE("what is no request is refused") {
    const auto without = [](std::string_view left_out, std::string_view instead = {}) {
        zmqspdy::spdy::HeaderBlock headers;
        for (const auto& [name, value] : usual()) {
            if (name != left_out)
                headers.add(name, value);
            else if (!instead.empty())
                headers.add(name, instead);
        }
        return std::holds_alternative<RequestBuilder::BadRequest>(RequestBuilder::build(
            std::move(headers), zmqspdy::spdy::kDefaultPriority, std::make_shared<CutBody>()));
    };
    for (const auto* name : {":method", ":path", ":version", ":host", ":scheme"})
        CHECK(without(name));
    CHECK(without(":method", "G T"));
    CHECK(without(":path", "path"));
    CHECK(without(":path", "http://host/path"));
    CHECK(without(":path", "/a\r\nb"));
    CHECK(!without(":path", "*"));
    CHECK(!without("accept"));
}

TEST_CASE("values of the query") {
    const Request request{"GET", "/?a=1&b=x+y%20z&c&d=&a=2&%65=6&f=a=b&&g=%zz"};
    CHECK(request.query_param("a") == "1");
    CHECK(request.query_param("b") == "x y z");
    CHECK(request.query_param("c") == "");
    CHECK(request.query_param("d") == "");
    CHECK(request.query_param("e") == "6");
    CHECK(request.query_param("f") == "a=b");
    CHECK(request.query_param("g") == "%zz");
    CHECK(!request.query_param("h"));
    CHECK(!Request("GET", "/").query_param("a"));
    CHECK(!Request("GET", "/?").query_param("a"));
}

TEST_CASE("a request made by hand, for tests of handlers") {
    Request request{"POST", "/x", {{"Content-Type", "a/b"}, {"Host", "here"}, {"Empty", ""}}, "the body"};
    CHECK(request.header("content-type") == "a/b");
    CHECK(request.host() == "here");
    CHECK(request.header("empty") == "");
    CHECK(request.param("none").empty());
    try {
        (void)request.text(3);
        FAIL("a body over the limit was read");
    } catch (const zmqspdy::HttpError& error) {
        CHECK(error.status() == 413);
    }
    Request again{"POST", "/x", {}, "the body"};
    CHECK(again.text(8) == "the body");
    CHECK(again.text().empty());  // it was read
    CHECK_THROWS_AS(Request("GET", "/", {{"", "x"}}), std::invalid_argument);
    CHECK_THROWS_AS(Request("GET", "/", {{"x", std::string("a\0b", 3)}}), std::invalid_argument);
}

TEST_CASE("a request that was moved away is empty") {
    Request request{"POST", "/x?y", {{"a", "b"}}, "body"};
    Request other{std::move(request)};
    CHECK(other.text() == "body");
    // NOLINTBEGIN(bugprone-use-after-move): what is left is what this test is about
    CHECK(request.method().empty());
    CHECK(request.path().empty());
    CHECK(request.query().empty());
    CHECK(request.headers().empty());
    CHECK(!request.header("a"));
    CHECK(request.param("x").empty());
    CHECK(!request.cancelled());
    CHECK_THROWS_AS(request.text(), std::logic_error);
    // NOLINTEND(bugprone-use-after-move)
}

TEST_CASE("numbers in the query and in the path") {
    const auto status_of = [](auto&& ask) {
        try {
            (void)ask();
            return 200;
        } catch (const zmqspdy::HttpError& error) {
            return error.status();
        }
    };
    const auto query = [&](const std::string& text) { return Request{"GET", "/?n=" + text}; };
    CHECK(query("42").query_number<int>("n") == 42);
    CHECK(query("-42").query_number<long>("n") == -42);
    CHECK(query("255").query_number<std::uint8_t>("n") == 255);
    CHECK(query("1.5e3").query_number<double>("n") == 1500.0);
    CHECK(!query("1").query_number<int>("m"));
    for (const auto* text :
         {"", "x", "1x", "%201", "1%20", "+1", "0x10", "1.5", "99999999999999999999", "1%00"})
        CHECK(status_of([&] { return query(text).query_number<int>("n"); }) == 400);
    CHECK(status_of([&] { return query("256").query_number<std::uint8_t>("n"); }) == 400);
    CHECK(status_of([&] { return query("-1").query_number<unsigned>("n"); }) == 400);
    for (const auto* text : {"inf", "nan", "1e999", "1.5.5"})
        CHECK(status_of([&] { return query(text).query_number<double>("n"); }) == 400);

    Request request{"GET", "/orders/7"};
    RequestBuilder::set_params(request, {{"id", "7"}, {"name", "fred"}});
    CHECK(request.number<int>("id") == 7);
    CHECK(status_of([&] { return request.number<int>("name"); }) == 400);
    CHECK(status_of([&] { return request.number<int>("none"); }) == 400);
}

TEST_CASE("the client's address is the last word, which is httpd's") {
    const auto address = [](const Request::Fields& fields) {
        return std::string(Request{"GET", "/", fields}.client_address());
    };
    CHECK(address({}).empty());
    CHECK(address({{"X-Forwarded-For", "10.0.0.1"}}) == "10.0.0.1");
    CHECK(address({{"X-Forwarded-For", "6.6.6.6, 10.0.0.1"}}) == "10.0.0.1");
    CHECK(address({{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "7.7.7.7,2001:db8::1"}}) ==
          "2001:db8::1");
}
