// A DNS server on loopback that answers what a test has told it, or nothing; and who is asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fake_router.hpp"
#include "transport/file_descriptor.hpp"

namespace test {

/// Over UDP, in the thread that calls step().
class NameServer final : public Actor {
  public:
    enum Code : std::uint8_t { no_error = 0, server_failure = 2, no_such_name = 3, refused = 5 };
    struct Record {
        std::vector<std::string> addresses = {};
        std::uint32_t ttl = 3600;
        Code code = no_error;
        bool silent = false;     ///< no answer at all
        std::string alias = {};  ///< a CNAME before the addresses
    };

    NameServer();

    void step() override;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Queries for A and AAAA so far.
    [[nodiscard]] int queries() const noexcept { return queries_; }

    /// By name; one without a record does not exist.
    std::map<std::string, Record> records;

  private:
    [[nodiscard]] std::string answer(std::string_view query);

    transport::FileDescriptor socket_;
    std::uint16_t port_ = 0;
    int queries_ = 0;
};

/// While one lives, Lookup asks these ports of 127.0.0.1, in their order, instead of the host's name servers.
class AskedServers {
  public:
    explicit AskedServers(const std::vector<std::uint16_t>& ports);
    ~AskedServers();
    AskedServers(const AskedServers&) = delete;
    AskedServers& operator=(const AskedServers&) = delete;
};

}  // namespace test
