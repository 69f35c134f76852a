// A line for each request that the worker has answered, or that ended otherwise: Apache's combined format, and behind it
// the time in microseconds, the X-Request-Id, and whether the response is whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "transport/file_descriptor.hpp"
#include "worker/log.hpp"
#include "worker/log_output.hpp"
#include "zmqspdy/spdy/header_block.hpp"

namespace zmqspdy::serving {

/// Where the lines go. One thread.
class AccessLog {
  public:
    /// `destination`: a file to append to, or "-" for stdout. Throws std::runtime_error with a sentence when it cannot be
    /// opened. `log` must outlive it.
    AccessLog(const std::string& destination, const Log& log);
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    /// `line` with its end, at most kMostLine bytes. Does not wait: a line that a full pipe has no room for is lost, and
    /// the log says how many were once there is room again.
    void write(std::string_view line) noexcept;

    /// What a pipe takes whole or not at all (PIPE_BUF).
    static constexpr std::size_t kMostLine = 4096;

  private:
    void tell_lost() noexcept;

    const Log& log_;
    const transport::FileDescriptor file_;
    LogOutput output_;
};

/// One request, from its arrival to the end of its response, when the line is written. I/O thread only.
class AccessEntry {
  public:
    AccessEntry() noexcept;  ///< of a request that gets no line
    AccessEntry(AccessLog& log, const spdy::HeaderBlock& request);
    AccessEntry(AccessEntry&&) noexcept;
    AccessEntry& operator=(AccessEntry&&) noexcept;
    ~AccessEntry();

    void replied(const spdy::HeaderBlock& response);
    void sent(std::size_t bytes) noexcept;
    /// All of the response has been handed over. What ends without this is logged as cut, and as 499 if there was no
    /// response at all, as httpd has it.
    void complete() noexcept;

  private:
    struct Record;
    std::unique_ptr<Record> record_;
};

}  // namespace zmqspdy::serving
