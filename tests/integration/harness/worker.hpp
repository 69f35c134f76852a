// One of the example workers as a process of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/files.hpp"
#include "harness/process.hpp"

namespace harness {

/// Killed in the destructor; what it wrote is printed when the test fails.
class Worker {
  public:
    /// `program` is hello or echo; `options` come behind NAME, e.g. {"--router", httpd.router(), "--relay"}.
    Worker(const std::string& program, const std::string& name, const std::vector<std::string>& options);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    [[nodiscard]] Process& process() noexcept { return process_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] pid_t pid() const noexcept { return process_.pid(); }
    /// SIGTERM, and what it ended with; nothing when it does not within patience(`limit`).
    [[nodiscard]] std::optional<ExitCode> drain(milliseconds limit = seconds{20});

  private:
    std::string name_;
    TempDir folder_;
    Process process_;
};

/// The options that choose one of the two ways from httpd to a worker: over its own endpoint, or through the registry.
[[nodiscard]] std::vector<std::string> router_options(const std::string& router, bool relayed = false);

}  // namespace harness
