// A child of httpd that has run out of descriptors.
#include <optional>

#include "catch.hpp"
#include "few_descriptors.hpp"
#include "pool_bench.hpp"

TEST_CASE("pool: a request that comes while no descriptor is left is served once there are some") {
    const auto left = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{2});
    PoolBench bench;
    FakeWorker worker(answering("hello"));
    // The pool has begun, and has not dialled anybody.
    REQUIRE(bench.get("/" + std::string(100'000, 'x')).outcome() == "no_worker_left");
    std::optional<NoDescriptors> none{left};
    bench.add(worker, {.name = "blue"});
    auto call = bench.get("/");
    REQUIRE(bench.log.await("worker 'blue' cannot be dialled"));
    none.reset();
    CHECK(call.outcome() == "200 hello");
    CHECK(worker.log().count("SYN /") == 1);
    bench.rest();
}
