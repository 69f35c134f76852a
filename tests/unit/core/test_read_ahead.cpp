// What is taken of responses ahead of their clients: as much as fits, and never more than the budget.
#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "mod_zmqspdy/core/read_ahead.hpp"
#include "spdy/flow_window.hpp"

using namespace zmqspdy::router;

namespace {

constexpr std::uint32_t kWindow = 1000;

/// A worker that sends whenever its window lets it, a client that reads when it is told to, and between them what the
/// session does.
class Download {
  public:
    Download(std::shared_ptr<MemoryBudget> budget, std::size_t length, std::size_t limit, bool known = true)
        : ahead_{std::move(budget), kWindow, limit,
                 known ? std::optional<std::uint64_t>{length} : std::nullopt},
          left_{length} {}

    /// One frame. False when there is no room for any of it.
    bool send(std::size_t most = 300) {
        const auto size = std::min({most, left_, room_});
        if (size == 0)
            return false;
        REQUIRE(window_.take(static_cast<std::uint32_t>(size)));
        room_ -= size;
        left_ -= size;
        unread_ += size;
        if (left_ != 0)
            give_back(ahead_.received(size));
        return true;
    }
    void send_all() {
        while (send()) {
        }
    }
    void read(std::size_t most) {
        const auto size = std::min(most, unread_);
        unread_ -= size;
        if (left_ != 0)
            give_back(ahead_.read(size));
    }
    [[nodiscard]] bool is_complete() const { return left_ == 0; }
    [[nodiscard]] std::size_t unread() const { return unread_; }
    [[nodiscard]] std::size_t reserved() const { return ahead_.reserved(); }

  private:
    void give_back(std::size_t size) { room_ += window_.give_back(size); }

    ReadAhead ahead_;
    zmqspdy::spdy::ReceiveWindow window_{kWindow, 0};
    std::size_t room_ = kWindow;
    std::size_t left_;
    std::size_t unread_ = 0;
};

}  // namespace

TEST_CASE("read-ahead: a response that fits comes in whole, one byte more and it does not") {
    for (const bool known : {true, false}) {
        CAPTURE(known);
        const auto budget = std::make_shared<MemoryBudget>(100'000);
        for (const std::size_t length : {1U, 999U, 1000U, 1001U, 1400U, 1500U, 1501U, 3999U, 4000U}) {
            CAPTURE(length);
            Download fits(budget, length, 4000, known);
            fits.send_all();
            CHECK(fits.is_complete());
            CHECK(budget->used() == fits.reserved());
            CHECK(fits.reserved() + kWindow >= length);
        }
        CHECK(budget->used() == 0);
        Download does_not(budget, 4001, 4000, known);
        does_not.send_all();
        CHECK_FALSE(does_not.is_complete());
        // Of an unknown length it may have been the end.
        CHECK(does_not.unread() == (known ? kWindow : 4000));
    }
}

TEST_CASE("read-ahead: a long response comes in whole once what is left of it fits") {
    const auto budget = std::make_shared<MemoryBudget>(100'000);
    Download download(budget, 10'000, 3000);
    for (std::size_t read = 0; read + 3000 + 100 < 10'000; read += 100) {
        download.send_all();
        CHECK(download.unread() <= kWindow);
        CHECK(budget->used() == 0);
        download.read(100);
    }
    for (int i = 0; i < 8 && !download.is_complete(); ++i) {
        download.send_all();
        download.read(100);
    }
    CHECK(download.is_complete());
    CHECK(download.unread() > kWindow);
}

TEST_CASE("read-ahead: without a limit above the window, or a budget, the window is all") {
    const auto budget = std::make_shared<MemoryBudget>(100'000);
    const auto none = std::make_shared<MemoryBudget>(0);
    Download small(budget, 1500, kWindow);
    Download off(budget, 1500, 0);
    Download poor(none, 1500, 4000);
    Download unlimited(nullptr, 1500, 4000);
    for (auto* const download : {&small, &off, &poor, &unlimited}) {
        download->send_all();
        CHECK(download->unread() == kWindow);
        // Still it goes on as the client reads.
        download->read(500);
        download->send_all();
        CHECK(download->is_complete());
    }
    CHECK(budget->used() == 0);
}

TEST_CASE("read-ahead: the budget is what it says, in whatever order they come and go") {
    constexpr std::size_t kBudget = 8'000;
    const auto budget = std::make_shared<MemoryBudget>(kBudget);
    std::mt19937 random(7);
    const auto up_to = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most)(random);
    };
    std::vector<std::unique_ptr<Download>> downloads;
    std::size_t most = 0;
    std::size_t finished = 0;
    for (int step = 0; step < 40'000; ++step) {
        if (downloads.size() < 20)
            downloads.push_back(std::make_unique<Download>(budget, 1 + up_to(9000), 4000, up_to(1) == 0));
        auto& one = downloads[up_to(downloads.size() - 1)];
        const auto what = up_to(9);
        if (what < 5)
            (void)one->send(1 + up_to(400));
        else if (what < 9)
            one->read(up_to(400));
        if (what == 9 || (one->is_complete() && one->unread() == 0)) {  // what == 9: its client left
            finished += one->is_complete() ? 1 : 0;
            std::swap(one, downloads.back());
            downloads.pop_back();
        }
        std::size_t sum = 0;
        for (const auto& each : downloads) {
            sum += each->reserved();
            REQUIRE(each->unread() <= kWindow + each->reserved());
        }
        REQUIRE(budget->used() == sum);
        REQUIRE(sum <= kBudget);
        most = std::max(most, sum);
    }
    CHECK(most > kBudget - kWindow);
    CHECK(finished > 100);
    // Everybody gets all of theirs, however little memory is left.
    for (auto& each : downloads) {
        while (!each->is_complete()) {
            each->send_all();
            each->read(50);
        }
    }
    downloads.clear();
    CHECK(budget->used() == 0);
}

TEST_CASE("memory budget: many threads never take more than there is, and give all of it back") {
    MemoryBudget budget(1000);
    std::atomic<std::size_t> held{0};
    std::atomic<bool> exceeded{false};
    std::atomic<bool> was_full{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20'000; ++round) {
                const std::size_t bytes = 100 + static_cast<std::size_t>(round) % 700;
                if (!budget.take(bytes)) {
                    was_full = true;
                    continue;
                }
                if (held.fetch_add(bytes) + bytes > 1000)
                    exceeded = true;
                held.fetch_sub(bytes);
                budget.give_back(bytes);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    CHECK_FALSE(exceeded);
    CHECK(budget.used() == 0);
    CHECK(budget.take(1000));
    CHECK_FALSE(budget.take(1));
}
