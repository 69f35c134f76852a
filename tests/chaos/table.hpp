// One row of the table for each event: what was counted, and whether it is as it must be.
#pragma once

#include <string>
#include <vector>

#include "recorder.hpp"

namespace chaos {

/// True for scripts/chaos --long: the counts of the promise instead of those that fit into CI.
[[nodiscard]] bool long_form();
template <class T>
[[nodiscard]] T rounds(T in_short, T in_long) {
    return long_form() ? in_long : in_short;
}

/// Goes into the table when it ends. The table is printed at the end of the run.
class Row {
  public:
    Row(std::string event, std::string way);
    ~Row();
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    /// Fails the test case, and the row, when not.
    void must(bool holds, const std::string& what);
    void add(const Recording& recording);
    /// Further figures, at the end of the row.
    void note(const std::string& text);

  private:
    std::string event_;
    std::string way_;
    Recording all_;
    std::string notes_;
    bool holds_ = true;
};

[[nodiscard]] std::string to_text(const std::vector<Outcome>& outcomes);

}  // namespace chaos
