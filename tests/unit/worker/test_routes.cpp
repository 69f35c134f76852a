// Which handler a method and a path lead to.
#include "catch.hpp"
#include "matchers.hpp"
#include "worker/routes.hpp"

using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::serving::RouteTable;
using zmqspdy::test::contains_text;

namespace {

/// A handler that answers with its own name.
zmqspdy::Handler named(std::string name) {
    return [name = std::move(name)](Request&) { return Response::text(name); };
}

std::string found(const RouteTable& table, std::string_view method, std::string_view path) {
    const auto result = table.find(method, path);
    if (const auto* match = std::get_if<RouteTable::Match>(&result)) {
        Request request{"GET", "/"};
        std::string text = match->route->handler(request).body();
        for (const auto& [name, value] : match->params)
            text.append(" ").append(name).append("=").append(value);
        return text;
    }
    if (const auto* refusal = std::get_if<RouteTable::MethodNotAllowed>(&result))
        return "405 " + refusal->allow;
    return "404";
}

}  // namespace

TEST_CASE("literal beats :name beats *name, whatever the order of registration") {
    RouteTable table;
    table.add("GET", "/*rest", named("rest"), Run::on_thread_pool);
    table.add("GET", "/a/:x", named("param"), Run::on_thread_pool);
    table.add("GET", "/a/b", named("literal"), Run::on_thread_pool);
    table.add("GET", "/a/:x/c", named("deep"), Run::on_thread_pool);
    table.add("GET", "/a/b/d", named("literal-deep"), Run::on_thread_pool);
    CHECK(found(table, "GET", "/a/b") == "literal");
    CHECK(found(table, "GET", "/a/z") == "param x=z");
    CHECK(found(table, "GET", "/a/b/c") == "deep x=b");
    CHECK(found(table, "GET", "/a/b/d") == "literal-deep");
    CHECK(found(table, "GET", "/a/b/e") == "rest rest=a/b/e");
    CHECK(found(table, "GET", "/") == "rest rest=");
    CHECK(found(table, "GET", "/a/") == "rest rest=a/");
    CHECK(found(table, "GET", "/a") == "rest rest=a");
}

TEST_CASE("a more specific pattern without the method does not hide a less specific one with it") {
    RouteTable table;
    table.add("GET", "/files/list", named("list"), Run::on_thread_pool);
    table.add("PUT", "/files/:name", named("put"), Run::on_thread_pool);
    table.add("", "/any/:x", named("any"), Run::on_thread_pool);
    table.add("POST", "/any/:y", named("post"), Run::on_thread_pool);
    CHECK(found(table, "PUT", "/files/list") == "put name=list");
    CHECK(found(table, "DELETE", "/files/list") == "405 GET, HEAD, PUT");
    CHECK(found(table, "DELETE", "/files/x") == "405 PUT");
    CHECK(found(table, "POST", "/any/1") == "post y=1");
    CHECK(found(table, "BREW", "/any/1") == "any x=1");
    CHECK(found(table, "GET", "/other") == "404");
    CHECK(found(table, "GET", "/files") == "404");
}

TEST_CASE("HEAD is served by GET's handler unless it has its own") {
    RouteTable table;
    table.add("GET", "/a", named("get"), Run::on_thread_pool);
    table.add("GET", "/b", named("get"), Run::on_thread_pool);
    table.add("HEAD", "/b", named("head"), Run::on_thread_pool);
    table.add("POST", "/c", named("post"), Run::on_thread_pool);
    CHECK(found(table, "HEAD", "/a") == "get");
    CHECK(found(table, "HEAD", "/b") == "head");
    CHECK(found(table, "HEAD", "/c") == "405 POST");
    CHECK(found(table, "OPTIONS", "/a") == "405 GET, HEAD");
    CHECK(found(table, "get", "/a") == "405 GET, HEAD");
}

TEST_CASE("segments are compared and given decoded") {
    RouteTable table;
    table.add("GET", "/hello/:name", named("hello"), Run::on_thread_pool);
    table.add("GET", "/files/*path", named("files"), Run::on_thread_pool);
    table.add("GET", "/literal", named("literal"), Run::on_thread_pool);
    CHECK(found(table, "GET", "/%68ello/a%20b+c") == "hello name=a b+c");
    CHECK(found(table, "GET", "/hello/a%2Fb") == "hello name=a/b");
    CHECK(found(table, "GET", "/hello/%zz%4") == "hello name=%zz%4");
    CHECK(found(table, "GET", "/hello/%") == "hello name=%");
    CHECK(found(table, "GET", "/files/a/b%20c//d") == "files path=a/b c//d");
    CHECK(found(table, "GET", "/files/") == "files path=");
    CHECK(found(table, "GET", "/hello/") == "404");
    CHECK(found(table, "GET", "/literal/") == "404");
    CHECK(found(table, "GET", "//literal") == "404");
    CHECK(found(table, "GET", "*") == "404");
    CHECK(found(table, "GET", "") == "404");
}

TEST_CASE("patterns that make no sense are refused with a sentence") {
    RouteTable table;
    const auto add = [&](std::string_view method, std::string_view pattern) {
        table.add(method, pattern, named("x"), Run::on_thread_pool);
    };
    for (const auto* pattern : {"", "a", "/*", "/:", "/*x/y", "/:a/:a", "/:a b", "/a?x", "/:a-b"})
        CHECK_THROWS_AS(add("GET", pattern), std::invalid_argument);
    CHECK_THROWS_AS(add("G T", "/a"), std::invalid_argument);
    CHECK_THROWS_AS(table.add("GET", "/a", nullptr, Run::on_thread_pool), std::invalid_argument);
    add("GET", "/a/:x");
    add("POST", "/a/:y");
    CHECK_THROWS_WITH(add("GET", "/a/:z"), "the route '/a/:z' has a handler for GET already");
    add("", "/a/:z");
    CHECK_THROWS_AS(add("", "/a/:q"), std::invalid_argument);
    std::string many;
    for (int i = 0; i < 16; ++i)
        many += "/:p" + std::to_string(i);
    CHECK_NOTHROW(add("GET", many));
    CHECK_THROWS_AS(add("GET", many + "/:more"), std::invalid_argument);
}

TEST_CASE("a placeholder in another framework's spelling is refused, since it would match nothing") {
    RouteTable table;
    for (const char* const pattern : {"/users/{id}", "/users/{id:int}", "/users/<id>", "/users/<int:id>",
                                      "/{a}-{b}/c", "/files/{path...}"}) {
        CAPTURE(pattern);
        CHECK_THROWS_WITH(table.add("GET", pattern, named("x"), Run::on_thread_pool),
                          contains_text("a parameter is written ':name'"));
    }
    CHECK_NOTHROW(table.add("GET", "/a{b", named("x"), Run::on_thread_pool));
    CHECK_NOTHROW(table.add("GET", "/a<b", named("x"), Run::on_thread_pool));
    table.add("GET", "/%7Bid%7D", named("literal"), Run::on_thread_pool);
    CHECK(found(table, "GET", "/%7Bid%7D") == "literal");
    CHECK(found(table, "GET", "/{id}") == "literal");
}
