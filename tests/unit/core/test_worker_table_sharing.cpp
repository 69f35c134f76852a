// The worker table between threads and processes that write, read and count at once.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "eventually.hpp"
#include "shared_table.hpp"
#include "transport/file_descriptor.hpp"

using namespace zmqspdy::router;
using zmqspdy::transport::FileDescriptor;

namespace {

/// A record whose every field tells its id, so that a mixture of two shows.
WorkerRecord self_telling(WorkerId id) {
    const auto text = std::string(1 + id % 60, static_cast<char>('a' + id % 26)) + std::to_string(id);
    return record_of(id, {.name = text,
                          .capacity = static_cast<std::uint32_t>(id),
                          .weight = static_cast<std::uint32_t>(id + 1),
                          .service = "s" + text,
                          .endpoint = "e" + text,
                          .draining = id % 2 == 1,
                          .relayed = id % 3 == 1});
}

bool equal(const WorkerRecord& a, const WorkerRecord& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

/// A forked process; killed and reaped at the latest when this ends.
class Process {
  public:
    explicit Process(const std::function<int()>& body) : pid_{::fork()} {
        if (pid_ < 0)
            throw std::runtime_error("fork failed");
        if (pid_ == 0)
            ::_exit(body());
    }
    Process(Process&& other) noexcept : pid_{std::exchange(other.pid_, -1)} {}
    Process& operator=(Process&&) = delete;
    ~Process() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            (void)wait();
        }
    }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// The status that waitpid() gives.
    int wait() {
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

  private:
    pid_t pid_;
};

/// Reserves and releases; at no moment may more than `capacity` be held by all who do so.
bool contend(WorkerTable& table, std::atomic<std::uint32_t>& held, std::uint32_t capacity,
             std::uint32_t child, int rounds) {
    bool within = true;
    for (int i = 0; i < rounds; ++i) {
        if (!table.try_reserve(0, capacity, child)) {
            std::this_thread::yield();
            continue;
        }
        within = held.fetch_add(1) < capacity && table.in_flight(0) <= capacity && within;
        held.fetch_sub(1);
        table.release(0, child);
    }
    return within;
}

}  // namespace

TEST_CASE("readers never see half of a record") {
    SharedTable table;
    constexpr WorkerId kLast = 20000;
    table->write(0, self_telling(1));
    std::atomic<int> torn{0};
    std::atomic<int> backwards{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            WorkerId last = 0;
            while (last != kLast) {
                const auto record = table->read(0);
                if (!equal(record, self_telling(record.id)) || record.id == 0)
                    ++torn;
                if (record.id < last)
                    ++backwards;
                last = record.id;
            }
        });
    for (WorkerId id = 2; id <= kLast; ++id)
        table->write(0, self_telling(id));
    for (auto& reader : readers)
        reader.join();
    CHECK(torn == 0);
    CHECK(backwards == 0);
}

TEST_CASE("who sees a new generation sees the records that made it") {
    SharedTable table;
    constexpr WorkerId kLast = 5000;
    const auto start = table->generation();
    std::atomic<int> stale{0};
    std::thread reader([&] {
        for (WorkerId seen = 0; seen < kLast;) {
            seen = table->generation() - start;
            if (table->read(0).id < seen)
                ++stale;
        }
    });
    for (WorkerId id = 1; id <= kLast; ++id)
        table->write(0, self_telling(id));
    reader.join();
    CHECK(stale == 0);
}

TEST_CASE("threads never reserve more than the capacity") {
    SharedTable table;
    std::atomic<std::uint32_t> held{0};
    std::atomic<int> exceeded{0};
    std::vector<std::thread> threads;
    for (std::uint32_t child = 0; child < 6; ++child)
        threads.emplace_back([&, child] {
            if (!contend(*table, held, 2, child, 20000))
                ++exceeded;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(exceeded == 0);
    CHECK(table->in_flight(0) == 0);
    for (std::uint32_t child = 0; child < 6; ++child)
        CHECK(table->leave(child) == 0);
}

TEST_CASE("processes never reserve more than the capacity") {
    SharedTable table;
    auto* const held =
        new (SharedTable::map(sizeof(std::atomic<std::uint32_t>))) std::atomic<std::uint32_t>{0};
    {
        std::vector<Process> children;
        for (int i = 0; i < 4; ++i)
            children.emplace_back([&] {
                const auto row = table->join(::getpid());
                return row && contend(*table, *held, 2, *row, 20000) && table->leave(*row) == 0 ? 0 : 1;
            });
        for (auto& child : children)
            CHECK(child.wait() == 0);
    }
    CHECK(table->in_flight(0) == 0);
    ::munmap(held, sizeof(*held));
}

TEST_CASE("what a killed child had in flight is given back") {
    SharedTable table;
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const FileDescriptor reading(ends[0]);
    const FileDescriptor writing(ends[1]);
    const auto ours = *table->join(::getpid());
    REQUIRE(table->try_reserve(1, 10, ours));
    Process child([&] {
        const auto row = table->join(::getpid());
        bool done = row.has_value();
        for (int i = 0; done && i < 5; ++i)
            done = table->try_reserve(static_cast<std::uint32_t>(i % 3), 10, *row);
        if (done)
            table->set_waiting(*row, true);
        const char ready = done ? 'y' : 'n';
        (void)!::write(writing.get(), &ready, 1);
        while (true)
            ::pause();
        return 0;
    });
    char ready = 0;
    REQUIRE(::read(reading.get(), &ready, 1) == 1);
    REQUIRE(ready == 'y');
    CHECK(table->in_flight(0) == 2);
    CHECK(table->in_flight(1) == 3);
    CHECK(table->in_flight(2) == 1);
    CHECK(table->anyone_waiting());

    const auto pid = child.pid();
    ::kill(pid, SIGKILL);
    const int status = child.wait();
    REQUIRE(WIFSIGNALED(status));
    const auto row = table->find_child(pid);
    REQUIRE(row);
    CHECK(table->leave(*row) == 5);
    CHECK(table->in_flight(0) == 0);
    CHECK(table->in_flight(1) == 1);
    CHECK(table->in_flight(2) == 0);
    CHECK_FALSE(table->anyone_waiting());
    CHECK_FALSE(table->find_child(pid));
    table->release(1, ours);
}

TEST_CASE("a writer that was killed over a record leaves nothing that looks like a worker") {
    SharedTable table;
    table->write(0, self_telling(1));
    // Killed anywhere in the middle of writing, again and again.
    for (int round = 0; round < 20; ++round) {
        const auto generation = table->generation();
        Process writer([&] {
            for (WorkerId id = 1;; ++id)
                table->write(0, self_telling(id));
            return 0;
        });
        REQUIRE(eventually([&] { return table->generation() > generation + 100; }));
        ::kill(writer.pid(), SIGKILL);
        (void)writer.wait();
        const auto record = table->read(0);
        CHECK((record.id == 0 || equal(record, self_telling(record.id))));
        // The next writer starts from whatever it finds.
        table->write(0, self_telling(7));
        CHECK(equal(table->read(0), self_telling(7)));
    }
}
