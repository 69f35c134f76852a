// HTTP clients over libcurl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/eventually.hpp"

namespace harness {

struct Call {
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::string> headers;  ///< "Name: value"
    std::optional<std::string> body;
    /// Instead of `body`: `source_size` bytes, asked for as they are needed. Announced as a length, or with the header
    /// "Transfer-Encoding: chunked" not at all.
    std::function<void(char* out, std::size_t size)> source;
    std::uint64_t source_size = 0;
    /// Takes the response's body instead of Reply::body.
    std::function<void(std::string_view bytes)> sink;
    milliseconds limit = seconds{60};
};

struct Reply {
    std::string problem;  ///< libcurl's; empty when a whole response arrived
    long status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;

    [[nodiscard]] bool ok() const { return problem.empty() && status == 200; }
    [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
    /// For messages of failed tests.
    [[nodiscard]] std::string summary() const;
};

/// One connection, kept alive between calls; one thread at a time.
class Client {
  public:
    explicit Client(std::uint16_t port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] Reply send(const Call& call);
    [[nodiscard]] Reply get(const std::string& path);
    [[nodiscard]] Reply post(const std::string& path, std::string body);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// A request over a connection of its own, as the curl command does it.
[[nodiscard]] Reply get_once(std::uint16_t port, const std::string& path);

/// The body's only line; for workers that answer with their name.
[[nodiscard]] std::string line_of(const Reply& reply);

}  // namespace harness
