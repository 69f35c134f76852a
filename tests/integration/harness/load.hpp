// Many requests at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "harness/client.hpp"

namespace harness {

struct LoadPlan {
    std::uint16_t port = 0;
    std::size_t concurrency = 1;
    /// Requests begun in a second, as long as `concurrency` allows it; 0: a new one for each that ends.
    double per_second = 0;
    /// The request of each number, and what is wrong with its reply: empty when nothing is. Without `make` GET /,
    /// without `check` every whole 200 is right. A reply with a problem of libcurl's is wrong whatever `check` says.
    std::function<Call(std::size_t number)> make;
    std::function<std::string(std::size_t number, const Reply& reply)> check;
};

struct LoadResult {
    std::size_t done = 0;
    std::size_t wrong = 0;
    std::vector<std::string> problems;  ///< the first few

    [[nodiscard]] std::string summary() const;
};

/// Sends the requests 0 to `total` - 1.
[[nodiscard]] LoadResult load(const LoadPlan& plan, std::size_t total);

/// Sends requests on a thread of its own until it is told to finish.
class BackgroundLoad {
  public:
    explicit BackgroundLoad(LoadPlan plan);
    ~BackgroundLoad();
    BackgroundLoad(const BackgroundLoad&) = delete;
    BackgroundLoad& operator=(const BackgroundLoad&) = delete;

    /// Replies so far.
    [[nodiscard]] std::size_t done() const noexcept { return done_; }
    /// Waits until `more` further replies have come; false when they do not within 20 s.
    [[nodiscard]] bool wait_for(std::size_t more);
    /// Starts no more requests, waits for those under way.
    [[nodiscard]] LoadResult finish();

  private:
    std::atomic<bool> stop_{false};
    std::atomic<std::size_t> done_{0};
    LoadResult result_;
    std::thread thread_;
};

}  // namespace harness
