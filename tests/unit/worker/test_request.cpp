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
