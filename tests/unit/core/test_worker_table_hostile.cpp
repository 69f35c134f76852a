// Whatever stands in the shared memory: any child of httpd's can write there.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "mod_zmqspdy/core/dispatch.hpp"
#include "shared_table.hpp"

using namespace zmqspdy::router;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr WorkerTable::Size kSize{.workers = 9, .children = 5};

/// A table that ends where its memory does: one byte further is a fault.
class FencedTable {
  public:
    FencedTable() {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const auto bytes = WorkerTable::bytes_for(kSize);
        room_ = (bytes + page - 1) / page * page;
        all_ = static_cast<std::byte*>(SharedTable::map(room_ + 2 * page));
        begin_ = all_ + page + (room_ - bytes) / 64 * 64;
        REQUIRE(::mprotect(all_, page, PROT_NONE) == 0);
        REQUIRE(::mprotect(all_ + page + room_, page, PROT_NONE) == 0);
        words_ = {reinterpret_cast<std::uint64_t*>(begin_), bytes / sizeof(std::uint64_t)};
        table.emplace(WorkerTable::create(begin_, kSize));
        room_ += 2 * page;
    }
    ~FencedTable() { ::munmap(all_, room_); }
    FencedTable(const FencedTable&) = delete;
    FencedTable& operator=(const FencedTable&) = delete;

    void write(std::size_t word, std::uint64_t value) noexcept {
        std::atomic_ref(words_[word]).store(value, std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t words() const noexcept { return words_.size(); }
    [[nodiscard]] void* memory() const noexcept { return begin_; }

    std::optional<WorkerTable> table;

  private:
    std::size_t room_ = 0;
    std::byte* all_ = nullptr;
    std::byte* begin_ = nullptr;
    std::span<std::uint64_t> words_;
};

/// All that httpd's parent, which is root, does with the table when a child has ended, and at a restart.
void as_parent(FencedTable& shared) {
    auto table = WorkerTable::attach(shared.memory(), shared.table->geometry());
    REQUIRE(table);
    CHECK(table->size() == kSize);
    if (const auto child = table->find_child(4711))
        (void)table->leave(*child);
}

void as_others(WorkerTable& table) {
    Snapshot snapshot{1s};
    (void)snapshot.refresh(table);
    for (const auto& [slot, record] : snapshot.candidates()) {
        CHECK(slot < kSize.workers);
        CHECK(record.id < kWorkerIds);
        CHECK(record.name_view().size() < record.name.size());
        CHECK(record.service_view().size() < record.service.size());
        CHECK(record.endpoint_view().size() < record.endpoint.size());
        if (const auto* chosen = reserve_worker(snapshot, table, 1, record.service_view(), {}))
            table.release(chosen->slot, 1);
        (void)table.is_drained(slot, record.id);
    }
    const QueuePosition position(3, Clock::now(), "");
    (void)table.first_before(1, position, {});
    for (std::uint32_t child = 0; child < kSize.children; ++child)
        (void)table.child(child);
    (void)table.registry();
}

}  // namespace

TEST_CASE("a child that overwrites a word of the table harms neither httpd's parent nor anybody else") {
    FencedTable shared;
    for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x7fffffff7fffffff},
                                      std::uint64_t{0x1267}, std::uint64_t{0x4141414141414141}}) {
        for (std::size_t word = 0; word < shared.words(); ++word) {
            shared.write(word, value);
            as_parent(shared);
        }
        as_others(*shared.table);
    }
}

TEST_CASE("readers get on while somebody writes garbage all the time") {
    FencedTable shared;
    std::atomic<bool> stop{false};
    std::thread scribbler([&shared, &stop] {
        std::minstd_rand random{1};
        while (!stop.load())
            shared.write(random() % shared.words(), std::uint64_t{random()} << 32U | random());
    });
    const auto start = Clock::now();
    for (int round = 0; round < 3; ++round) {
        as_parent(shared);
        as_others(*shared.table);
    }
    stop = true;
    scribbler.join();
    CHECK(Clock::now() - start < 30s);
}

TEST_CASE("a look at all records ends although every one seems to be written for ever") {
    FencedTable shared;
    for (std::size_t word = 0; word < shared.words(); ++word)
        shared.write(word, ~std::uint64_t{0});
    const auto start = Clock::now();
    Snapshot snapshot;
    CHECK(snapshot.refresh(*shared.table));
    CHECK(snapshot.candidates().empty());
    // Not so long for each of the nine.
    CHECK(Clock::now() - start < 4 * WorkerTable::kPatience);
}
