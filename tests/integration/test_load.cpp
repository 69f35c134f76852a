// No answer goes to anybody but who asked.
#include "catch.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

std::string token(std::size_t number) {
    return "token-" + std::to_string(number * 2654435761U % 4294967291U) + "-" + std::to_string(number) + ".";
}

/// Even numbers carry their token in a body that comes back; odd ones in a header and in the query, both of which come
/// back in what the worker says that it received.
Call tagged_call(std::size_t number) {
    Call call;
    if (number % 2 == 0) {
        call.method = "POST";
        call.path = "/echo";
        call.headers = {"Content-Type: text/" + token(number)};
        call.body = token(number);
    } else {
        call.path = "/headers?token=" + token(number);
        call.headers = {"X-Token: " + token(number)};
    }
    return call;
}

std::size_t count_of(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

std::string check_tag(std::size_t number, const Reply& reply) {
    const bool right =
        number % 2 == 0
            ? reply.body == token(number) && reply.header("content-type") == "text/" + token(number)
            : count_of(reply.body, "token-") == count_of(reply.body, token(number)) &&
                  count_of(reply.body, token(number)) >= 2;
    return reply.status == 200 && right ? "" : "sent " + token(number) + ", got " + reply.summary();
}

}  // namespace

TEST_CASE("Every one of very many concurrent requests gets its own answer", "[load][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::string> names;
    for (int i = 1; i <= 4; ++i) {
        names.push_back("worker-" + std::to_string(i));
        workers.push_back(
            std::make_unique<Worker>("echo", names.back(), router_options(httpd->router(), relayed)));
    }
    REQUIRE(joined(*httpd, names));

    LoadPlan plan;
    plan.port = httpd->port();
    plan.concurrency = 64;
    plan.make = tagged_call;
    plan.check = check_tag;
    // The relayed path is the same code but for one hop: a fifth of the requests is enough to show that hop.
    const std::size_t total = number_from("ZMQSPDY_TEST_REQUESTS", 100000) / (relayed ? 5 : 1);
    const LoadResult result = load(plan, total);
    INFO(result.summary());
    CHECK(result.done == total);
    CHECK(result.wrong == 0);
}
