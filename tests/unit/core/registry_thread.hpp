// A registry with all that httpd's parent gives it: a listening port, a worker table, a log.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "log_book.hpp"
#include "mod_zmqspdy/core/registry.hpp"
#include "shared_table.hpp"
#include "transport/file_descriptor.hpp"

class RegistryThread {
  public:
    explicit RegistryThread(std::chrono::milliseconds heartbeat = std::chrono::seconds(2),
                            SharedTable::Size size = {.workers = 8, .children = 8});
    ~RegistryThread();
    RegistryThread(const RegistryThread&) = delete;
    RegistryThread& operator=(const RegistryThread&) = delete;

    /// One registry ends, another begins: over the same table, at the same port.
    void stop();
    void start();

    [[nodiscard]] const std::string& endpoint() const noexcept { return options_.listen; }
    [[nodiscard]] const std::string& relay_endpoint() const noexcept { return options_.relay_endpoint; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] int wakeup_fd() const noexcept { return wakeup_.get(); }

    /// The first worker of that name; id 0 when there is none.
    [[nodiscard]] zmqspdy::router::WorkerRecord find(std::string_view name);
    [[nodiscard]] bool has(std::string_view name) { return find(name).id != 0; }
    [[nodiscard]] std::size_t workers();

    SharedTable table;
    LogBook log;

  private:
    zmqspdy::transport::FileDescriptor listening_;
    zmqspdy::transport::FileDescriptor wakeup_;
    zmqspdy::transport::FileDescriptor stop_;
    std::uint16_t port_ = 0;
    zmqspdy::router::RegistryOptions options_;
    std::thread thread_;
};
