// Many workers in one process, so that a thousand fit on a machine: scale_workers COUNT ROUTES NAME [OPTION]...
//
// Each has its own name, context, connection, endpoint and threads, as if it were alone; what they share is the process
// (StopSignal has room for 64). With 0 ROUTES they serve /small; else exactly so many routes, of which the last is
// /route-LAST/:name.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>
#include <zmqspdy/worker.hpp>

#include "answers.hpp"

using namespace zmqspdy;

namespace {

constexpr std::size_t kMostWorkers = 64;

Response small(Request&) {
    return Response::text(std::string(bench::kSmall));
}

/// Literal and parameter routes in turns, side by side in one level of the tree.
void add_routes(Worker& worker, std::size_t count) {
    if (count == 0)
        worker.get("/small", small, Run::on_io_thread);
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_literal = (count - i) % 2 == 0;
        worker.get("/route-" + std::to_string(i) + (is_literal ? "/small" : "/:name"), small,
                   Run::on_io_thread);
    }
}

/// 0 unless all could serve. One that cannot takes the others along: figures of fewer would mislead.
int run_all(const std::vector<std::unique_ptr<Worker>>& workers) {
    std::vector<int> results(workers.size());
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < workers.size(); ++i) {
            threads.emplace_back([&workers, &results, i] {
                results[i] = workers[i]->run();
                if (results[i] != 0)
                    std::for_each(workers.begin(), workers.end(), [](const auto& each) { each->stop(); });
            });
        }
    }
    return *std::max_element(results.begin(), results.end());
}

std::size_t number(std::string_view text) {
    std::size_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 3 ? number(argv[1]) : 0;
    if (count < 1 || count > kMostWorkers) {
        std::fprintf(stderr, "usage: %s COUNT ROUTES NAME [OPTION]...; COUNT is 1 to %zu\n", argv[0],
                     kMostWorkers);
        return 2;
    }
    try {
        std::vector<const char*> words(argv + 2, argv + argc);
        words.front() = argv[0];
        const Options common = Options::from_args(static_cast<int>(words.size()), words.data());
        std::vector<std::unique_ptr<Worker>> workers;
        for (std::size_t i = 0; i < count; ++i) {
            Options options = common;
            options.name += "-" + std::to_string(i);
            workers.push_back(std::make_unique<Worker>(std::move(options)));
            add_routes(*workers.back(), number(argv[2]));
        }
        return run_all(workers);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
}
