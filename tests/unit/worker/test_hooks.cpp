// What is called beside handlers: hooks before and after them, and error pages.
#include <pthread.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "setting.hpp"

using namespace test;
using zmqspdy::HttpError;
using zmqspdy::Options;
using zmqspdy::Request;
using zmqspdy::Responder;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

std::string field(const Response& response, std::string_view name) {
    std::string values;
    for (const auto& [key, value] : response.headers()) {
        if (key == name)
            values += "[" + value + "]";
    }
    return values;
}

std::optional<Response> go_on(const Request& /*request*/) {
    return std::nullopt;
}

Response greet(Request& request) {
    return Response::text("hello " + request.param("name"));
}

Response handle(const Worker& worker, Request request) {
    return worker.handle(request);
}

}  // namespace

TEST_CASE("hooks run before and after handlers, the last after first") {
    Worker worker{Options{}};
    std::string calls;
    worker.get("/hello/:name", [&](Request& request) {
        calls += "handler ";
        return greet(request);
    });
    for (const char* name : {"1", "2"}) {
        worker.before([&calls, name](const Request& request) -> std::optional<Response> {
            calls += std::string("before") + name + "(" + request.param("name") + ") ";
            if (request.header("stop") == std::string_view{name})
                return Response::text("stopped").status(403);
            return std::nullopt;
        });
        worker.after([&calls, name](const Request& request, Response& response) {
            calls += std::string("after") + name + "(" + std::to_string(response.status()) + ") ";
            response.header("x-after", name + std::string(request.path()));
        });
    }
    auto response = handle(worker, {"GET", "/hello/you"});
    CHECK(response.body() == "hello you");
    CHECK(calls == "before1(you) before2(you) handler after2(200) after1(200) ");
    CHECK(field(response, "x-after") == "[2/hello/you][1/hello/you]");

    calls.clear();
    response = handle(worker, {"GET", "/hello/you", {{"stop", "1"}}});
    CHECK(response.body() == "stopped");
    CHECK(calls == "before1(you) after2(403) after1(403) ");

    // For what has no handler as well.
    calls.clear();
    CHECK(field(handle(worker, {"GET", "/nowhere"}), "x-after") == "[2/nowhere][1/nowhere]");
    CHECK(calls == "before1() before2() after2(404) after1(404) ");
    response = handle(worker, {"POST", "/hello/you"});
    CHECK(response.status() == 405);
    CHECK(field(response, "allow") == "[GET, HEAD]");
    CHECK(field(response, "x-after") == "[2/hello/you][1/hello/you]");
}

TEST_CASE("what a hook throws is answered like what a handler throws") {
    Worker worker{Options{}};
    int later = 0;
    worker.any("/*path", greet);
    worker.before([](const Request& request) -> std::optional<Response> {
        if (request.path() == "/teapot")
            throw HttpError{418, "short and stout"};
        if (request.path() == "/throws")
            throw std::runtime_error("on purpose");
        return std::nullopt;
    });
    worker.after([&later](const Request&, Response& response) {
        ++later;
        response.header("x-seen", std::to_string(response.status()));
    });
    worker.after([](const Request& request, Response& response) {
        response.header("x-lost", "1");
        if (request.path() == "/after")
            throw HttpError{402, "pay first"};
        if (request.path() == "/after-throws")
            throw 1;
    });
    auto response = handle(worker, {"GET", "/teapot"});
    CHECK(response.status() == 418);
    CHECK(response.body() == "short and stout\n");
    CHECK(handle(worker, {"GET", "/throws"}).status() == 500);
    response = handle(worker, {"GET", "/after"});
    CHECK(response.status() == 402);
    CHECK(response.body() == "pay first\n");
    CHECK(field(response, "x-lost").empty());
    CHECK(field(response, "x-seen") == "[402]");  // the other hooks are called all the same
    CHECK(handle(worker, {"GET", "/after-throws"}).status() == 500);
    CHECK(later == 4);
}

TEST_CASE("an error page is used for the framework's errors and for HttpErrors") {
    Worker worker{Options{}};
    worker.get("/", [](Request&) -> Response { throw std::runtime_error("a secret"); })
        .get("/gone",
             [](Request&) -> Response {
                 throw HttpError{410, "it was sold"};
             })
        .get("/missing",
             [](Request&) -> Response {
                 throw HttpError{404, "no such order"};
             })
        .get("/own", [](Request&) { return Response::text("mine").status(404); })
        .post("/number/:n", [](Request& request) {
            return Response::text(std::to_string(request.number<int>("n")) + request.text(3));
        });
    worker.error_page(404, [](const Request& request, const HttpError& error) {
        return Response::html("<h1>" + std::string(request.path()) + ": " + error.what() + "</h1>")
            .status(200);
    });
    worker.error_page([](const Request&, const HttpError& error) {
        return Response::json("{\"error\":\"" + std::string(error.what()) + "\"}");
    });
    auto response = handle(worker, {"GET", "/nowhere"});
    CHECK(response.status() == 404);  // not the page's 200
    CHECK(response.body() == "<h1>/nowhere: Not Found</h1>");
    CHECK(handle(worker, {"GET", "/missing"}).body() == "<h1>/missing: no such order</h1>");
    CHECK(handle(worker, {"GET", "/own"}).body() == "mine");
    response = handle(worker, {"PUT", "/"});
    CHECK(response.status() == 405);
    CHECK(field(response, "allow") == "[GET, HEAD]");
    CHECK(field(response, "content-type") == "[application/json]");
    response = handle(worker, {"GET", "/"});
    CHECK(response.status() == 500);
    CHECK(response.body() == R"({"error":"Internal Server Error"})");
    CHECK(handle(worker, {"GET", "/gone"}).body() == R"({"error":"it was sold"})");
    CHECK(handle(worker, {"POST", "/number/x"}).status() == 400);
    CHECK(field(handle(worker, {"POST", "/number/x"}), "content-type") == "[application/json]");
    response = handle(worker, {"POST", "/number/1", {}, "long"});
    CHECK(response.status() == 413);
    CHECK(field(response, "content-type") == "[application/json]");
}

TEST_CASE("an error page that fails gives way to the framework's own") {
    Worker worker{Options{}};
    worker.get("/", greet);
    worker
        .error_page(404,
                    [](const Request&, const HttpError&) -> Response {
                        throw HttpError{200 + 300, "no"};
                    })
        .error_page(405,
                    [](const Request&, const HttpError&) { return Response::later([](const Responder&) {}); })
        .error_page(500, [](const Request&, const HttpError&) -> Response { throw 1; });
    auto response = handle(worker, {"GET", "/nowhere"});
    CHECK(response.status() == 404);
    CHECK(response.body() == "Not Found\n");
    response = handle(worker, {"PUT", "/"});
    CHECK(response.status() == 405);
    CHECK(response.body() == "Method Not Allowed\n");
    CHECK(field(response, "allow") == "[GET, HEAD]");
}

TEST_CASE("hooks and error pages that cannot be are refused") {
    Worker worker{Options{}};
    const auto page = [](const Request&, const HttpError&) { return Response{}; };
    CHECK_NOTHROW(worker.error_page(404, page).error_page(page));
    CHECK_THROWS_WITH(worker.error_page(404, page), "there is a page for 404 already");
    CHECK_THROWS_WITH(worker.error_page(page), "there is a page for all errors already");
    for (const int status : {0, 200, 399, 600})
        CHECK_THROWS_AS(worker.error_page(status, page), std::invalid_argument);
    CHECK_THROWS_AS(worker.error_page(500, nullptr), std::invalid_argument);
    CHECK_THROWS_AS(worker.before(nullptr), std::invalid_argument);
    CHECK_THROWS_AS(worker.after(nullptr), std::invalid_argument);
}

TEST_CASE("hooks see streams, promises and requests that a handler has moved away") {
    Setting setting{[](Worker& w) {
        w.get("/stream", [](Request&) {
            return Response::stream("text/plain", [](Writer& out) { (void)out.write("streamed"); });
        });
        w.get("/later", [](Request& request) {
            auto kept = std::make_shared<Request>(std::move(request));
            return Response::later([kept](Responder responder) {
                std::thread{[kept, responder]() mutable {
                    responder.send(Response::text("in time"));
                }}.detach();
            });
        });
        w.get("/dropped", [](Request&) { return Response::later([](const Responder&) {}); });
        w.get("/refused", [](Request&) {
            return Response::later([](const Responder&) { throw HttpError{409, "not now"}; });
        });
        w.before(go_on);
        w.after([](const Request& request, Response& response) {
            response.header("x-path", std::string(request.path()) + " " +
                                          std::string(request.header("x-mine").value_or("none")));
        });
        w.error_page([](const Request&, const HttpError& error) {
            return Response::text("page: " + std::string(error.what()));
        });
    }};
    const auto ask = [&](const std::string& path) {
        return setting.ask({.path = path, .headers = {{"x-mine", "1"}}});
    };
    auto reply = ask("/stream");
    CHECK(reply.body == "streamed");
    CHECK(reply.headers["x-path"] == "/stream 1");
    reply = ask("/later");
    CHECK(reply.body == "in time");
    CHECK(reply.headers["x-path"] == "/later 1");
    reply = ask("/dropped");
    CHECK(reply.status() == "500");
    CHECK(reply.body == "page: Internal Server Error");
    CHECK(reply.headers["x-path"] == "/dropped 1");
    reply = ask("/refused");
    CHECK(reply.status() == "409");
    CHECK(reply.body == "page: not now");
    reply = ask("/nowhere");
    CHECK(reply.status() == "404");
    CHECK(reply.body == "page: Not Found");
    CHECK(reply.headers["x-path"] == "/nowhere 1");
}

TEST_CASE("routes run on the I/O thread only where every hook may") {
    const bool may_wait = GENERATE(false, true);
    const auto thread_name = [] {
        std::array<char, 16> name{};
        ::pthread_getname_np(::pthread_self(), name.data(), name.size());
        return std::string(name.data());
    };
    Setting setting{[&](Worker& w) {
        w.get(
            "/", [&](Request&) { return Response::text(thread_name()); }, Run::on_io_thread);
        w.before(go_on, Run::on_io_thread);
        w.after([&](const Request&, Response& response) { response.header("x-thread", thread_name()); },
                may_wait ? Run::on_thread_pool : Run::on_io_thread);
    }};
    const auto is_pool = [](const std::string& name) { return name == "zmqspdy-handler"; };
    auto reply = setting.ask({.path = "/"});
    CHECK(is_pool(reply.body) == may_wait);
    CHECK(is_pool(reply.headers["x-thread"]) == may_wait);
    reply = setting.ask({.path = "/nowhere"});
    CHECK(reply.status() == "404");
    CHECK(is_pool(reply.headers["x-thread"]) == may_wait);
}

TEST_CASE("what is no HTTP request gets the error page as well") {
    Setting setting{[](Worker& w) {
        w.any("/*path", greet);
        w.error_page(400, [](const Request& request, const HttpError& error) {
            return Response::text("[" + request.method() + "] " + error.what());
        });
    }};
    const auto& reply = setting.ask({.path = "no-slash"});
    CHECK(reply.status() == "400");
    CHECK(reply.body.starts_with("[] Bad Request: the path must begin with '/'"));
}
