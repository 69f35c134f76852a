// A dealer pool, its worker table and its log.
#pragma once

#include <sys/eventfd.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "call.hpp"
#include "catch.hpp"
#include "eventually.hpp"
#include "fake_worker.hpp"
#include "log_book.hpp"
#include "mod_zmqspdy/core/dealer_pool.hpp"
#include "shared_table.hpp"
#include "transport/file_descriptor.hpp"

template <typename Value>
[[nodiscard]] zmqspdy::router::PoolOptions with(Value zmqspdy::router::PoolOptions::*option,
                                                std::type_identity_t<Value> value) {
    zmqspdy::router::PoolOptions options;
    options.*option = std::move(value);
    return options;
}

/// Starts one pool; tests end with rest().
class PoolBench {
  public:
    explicit PoolBench(zmqspdy::router::PoolOptions options = {})
        : wakeup_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)}, pool{make_pool(std::move(options))} {}

    /// Another pool over the same table, as another child has it.
    [[nodiscard]] std::unique_ptr<zmqspdy::router::DealerPool> make_pool(
        zmqspdy::router::PoolOptions options) {
        options.wakeup_fd = wakeup_.get();
        return std::make_unique<zmqspdy::router::DealerPool>(
            *table, std::move(options),
            [this](zmqspdy::router::LogLevel, const std::string& line) { log.write(line); });
    }

    std::uint32_t add(const FakeWorker& worker, WorkerSpec spec = {}) {
        spec.endpoint = worker.endpoint();
        const auto slot = add_worker(*table, spec);
        table_changed();
        return slot;
    }
    void remove(std::uint32_t slot) {
        table->clear(slot);
        table_changed();
    }
    /// Wakes the pools, as the registry does.
    void table_changed() const { (void)eventfd_write(wakeup_.get(), 1); }

    [[nodiscard]] Call get(std::string_view path, unsigned retries = 2) {
        return {*pool, get_request(path, retries)};
    }
    /// With its whole body; returns when a worker has it all, or the response has ended.
    [[nodiscard]] Call post(std::string_view path, std::string_view body, unsigned retries = 2) {
        Call call(*pool, post_request(path, retries));
        call.send(body, true);
        return call;
    }
    [[nodiscard]] Call put(std::string_view path, std::string_view body, unsigned retries = 2) {
        Call call(*pool, put_request(path, retries));
        call.send(body, true);
        return call;
    }

    [[nodiscard]] std::uint32_t in_flight() {
        std::uint32_t all = 0;
        for (std::uint32_t slot = 0; slot < table->size().workers; ++slot)
            all += table->in_flight(slot);
        return all;
    }
    /// After each scenario no slot may be left reserved, and nobody may count as waiting.
    void rest() {
        INFO(log.text());
        CHECK(eventually([this] { return in_flight() == 0 && !table->anyone_waiting(); }));
    }

    SharedTable table;
    LogBook log;

  private:
    zmqspdy::transport::FileDescriptor wakeup_;

  public:
    std::unique_ptr<zmqspdy::router::DealerPool> pool;
};
