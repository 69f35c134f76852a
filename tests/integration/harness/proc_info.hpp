// What /proc knows about processes, and what they leave behind on the machine.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace harness {

[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);
/// `root` itself, its children, their children, ...
[[nodiscard]] std::vector<pid_t> tree_of(pid_t root);
/// Neither gone nor a zombie.
[[nodiscard]] bool alive(pid_t process);
/// The command line with spaces between the words, as `ps` shows it.
[[nodiscard]] std::string title_of(pid_t process);

/// Resident memory in KiB: now, and the most since reset_peak_memory().
[[nodiscard]] long resident_memory(pid_t process);
[[nodiscard]] long peak_memory(pid_t process);
void reset_peak_memory(pid_t process);

/// From here on orphans of processes under test become children of the test, where they can be seen.
void adopt_orphans();
/// The children that the test started and looks after itself.
[[nodiscard]] std::set<pid_t>& expected_children();
/// Children of the test that are alive and not expected: left behind. Reaps those that have ended.
[[nodiscard]] std::vector<pid_t> orphans();

/// The traces of processes on the machine: names of unix sockets, System V and POSIX shared memory. Looked up by
/// process, so that other tests on the same machine do not disturb.
class Footprint {
  public:
    /// Adds what `processes` hold now.
    void add(const std::vector<pid_t>& processes);
    /// Of what was added, all that still exists.
    [[nodiscard]] std::vector<std::string> remaining() const;
    [[nodiscard]] bool empty() const noexcept {
        return sockets_.empty() && files_.empty() && segments_.empty();
    }

  private:
    std::set<std::string> sockets_;
    std::set<std::string> files_;
    std::set<std::string> segments_;
};

}  // namespace harness
