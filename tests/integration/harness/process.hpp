// A process that a test starts, and that never outlives the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/eventually.hpp"

namespace harness {

/// What a process ended with: its code, or minus the number of the signal that killed it.
using ExitCode = int;

/// Starts in the constructor, is killed in the destructor if it still runs. Start it on the main thread: the kernel
/// kills it when the thread that started it ends, so that a crashed test leaves nothing behind.
class Process {
  public:
    using Environment = std::vector<std::pair<std::string, std::string>>;

    /// Standard output and standard error both go to `output`; `extra` is added to the environment. `death_signal`
    /// is what the kernel sends it when the test dies.
    Process(std::vector<std::string> command, std::filesystem::path output, const Environment& extra = {},
            int death_signal = 9);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] bool running();
    void signal(int number);
    /// Waits until it ends; nothing when it does not within patience(`limit`).
    [[nodiscard]] std::optional<ExitCode> wait(milliseconds limit = seconds{20});
    /// SIGKILL, and waits.
    void kill();
    /// The same for all that it has started and that has not left its process group.
    void kill_group();
    [[nodiscard]] std::string output() const;

  private:
    pid_t pid_ = -1;
    std::optional<ExitCode> ended_;
    std::filesystem::path output_;
};

struct CommandResult {
    ExitCode code = -1;
    std::string output;
};

/// Runs a command to its end, 60 seconds at most.
[[nodiscard]] CommandResult run(std::vector<std::string> command, const Process::Environment& extra = {});

}  // namespace harness
