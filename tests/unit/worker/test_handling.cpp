// Worker::handle(), the thread pool, and what handlers may do wrong.
#include <atomic>
#include <stdexcept>

#include "catch.hpp"
#include "worker/handler_pool.hpp"
#include "zmqspdy/http_error.hpp"
#include "zmqspdy/worker.hpp"

using namespace zmqspdy;

TEST_CASE("handlers are tested without httpd and sockets") {
    Worker worker{Options{}};
    worker
        .get("/hello/:name",
             [](const Request& request) { return Response::text("Hello, " + request.param("name")); })
        .post("/count",
              [](Request& request) {
                  std::size_t bytes = 0;
                  for (const std::string_view chunk : request.body())
                      bytes += chunk.size();
                  return Response::text(std::to_string(bytes));
              })
        .put("/throws", [](Request&) -> Response { throw std::runtime_error("on purpose"); })
        .patch("/throws", [](Request&) -> Response { throw 1; })
        .del("/throws", [](Request& request) { return Response::text(request.text(1)); })
        .any("/any", [](Request& request) { return Response::text(request.method()); });
    const auto handle = [&](Request request) { return worker.handle(request); };
    CHECK(handle({"GET", "/hello/you?x"}).body() == "Hello, you");
    CHECK(handle({"POST", "/count", {}, "12345"}).body() == "5");
    CHECK(handle({"PUT", "/throws"}).status() == 500);
    CHECK(handle({"PATCH", "/throws"}).status() == 500);
    CHECK(handle({"DELETE", "/throws", {}, "long"}).status() == 413);  // longer than text() was to take
    CHECK(handle({"BREW", "/any"}).body() == "BREW");
    CHECK(handle({"GET", "/nowhere"}).status() == 404);
    const auto refused = handle({"POST", "/hello/you"});
    CHECK(refused.status() == 405);
    CHECK(refused.headers().back() == std::pair<std::string, std::string>{"allow", "GET, HEAD"});
    CHECK_THROWS_AS(worker.route("", "/x", [](Request&) { return Response{}; }), std::invalid_argument);
    CHECK_THROWS_AS(worker.get("/any/*", [](Request&) { return Response{}; }), std::invalid_argument);
}

TEST_CASE("routes with a common prefix are registered as a group") {
    Worker worker{Options{}};
    const auto name = [](const char* text) { return [text](Request&) { return Response::text(text); }; };
    auto api = worker.group("/api");
    api.get("/users", name("users")).post("/users", name("new user")).get("", name("api"));
    api.group("/v2/:tenant").any("/*rest", name("v2"));
    const auto answer = [&](Request request) { return worker.handle(request).body(); };
    CHECK(answer({"GET", "/api/users"}) == "users");
    CHECK(answer({"POST", "/api/users"}) == "new user");
    CHECK(answer({"GET", "/api"}) == "api");
    CHECK(answer({"DELETE", "/api/v2/x/y/z"}) == "v2");
    CHECK(answer({"GET", "/users"}) == "Not Found\n");
    for (const auto* prefix : {"", "api", "/", "/api/"})
        CHECK_THROWS_AS(worker.group(prefix), std::invalid_argument);
    CHECK_THROWS_AS(api.get("users", name("x")), std::invalid_argument);
    CHECK_THROWS_AS(api.group("v3"), std::invalid_argument);
}

TEST_CASE("a handler that throws an HttpError answers with its status and message") {
    Worker worker{Options{}};
    worker.get("/", [](Request&) -> Response { throw zmqspdy::HttpError{422, "no such colour"}; });
    Request request{"GET", "/"};
    const Response response = worker.handle(request);
    CHECK(response.status() == 422);
    CHECK(response.body() == "no such colour\n");
}

TEST_CASE("the pool does every job, never more at once than it has threads") {
    constexpr std::size_t kThreads = 4;
    constexpr int kJobs = 2000;
    std::atomic<int> done{0};
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    {
        serving::HandlerPool pool{kThreads, [&](serving::Job& job) {
                                      const int now = ++running;
                                      int seen = most.load();
                                      while (now > seen && !most.compare_exchange_weak(seen, now)) {
                                      }
                                      if (job.request.target() == "/slow")
                                          (void)job.request.sleep_for(std::chrono::milliseconds(1));
                                      --running;
                                      ++done;
                                  }};
        std::vector<std::unique_ptr<serving::Job>> jobs;
        for (int i = 0; i < kJobs; ++i) {
            jobs.push_back(std::make_unique<serving::Job>(
                serving::Job{Request{"GET", i % 20 == 0 ? "/slow" : "/"}, nullptr, nullptr, std::nullopt}));
            if (i % 3 == 0)
                pool.submit(jobs);
        }
        pool.submit(jobs);
    }
    CHECK(done == kJobs);
    CHECK(most <= static_cast<int>(kThreads));
}

TEST_CASE("jobs that wait for one another all get a thread") {
    constexpr int kThreads = 8;
    std::atomic<int> here{0};
    serving::HandlerPool pool{kThreads, [&](serving::Job&) {
                                  ++here;
                                  while (here < kThreads)
                                      std::this_thread::yield();
                              }};
    std::vector<std::unique_ptr<serving::Job>> jobs;
    for (int i = 0; i < kThreads; ++i)
        jobs.push_back(std::make_unique<serving::Job>(
            serving::Job{Request{"GET", "/"}, nullptr, nullptr, std::nullopt}));
    pool.submit(jobs);
    while (here < kThreads)
        std::this_thread::yield();
    CHECK(here == kThreads);
}
