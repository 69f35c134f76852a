// httpd with the module, four workers that write down what they run, and a client that records.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/httpd.hpp"
#include "harness/worker.hpp"
#include "recorder.hpp"
#include "table.hpp"

namespace chaos {

using Json = nlohmann::json;

/// How requests come to the workers.
enum class Way : std::uint8_t { direct, relayed, both };
[[nodiscard]] std::string name_of(Way way);

class Scene {
  public:
    static constexpr std::size_t kWorkers = 4;

    /// Starts everything and waits for the workers. `global` goes into httpd's configuration, `location` into that of all
    /// requests.
    Scene(const std::string& event, Way way, const std::string& global = "",
          const std::string& location = "");

    [[nodiscard]] harness::Httpd& httpd() noexcept { return *httpd_; }
    [[nodiscard]] Row& row() noexcept { return row_; }

    [[nodiscard]] harness::Worker& worker(std::size_t index) { return *workers_.at(index); }
    /// Puts another process, of the same name, in its place.
    void start_worker(std::size_t index);
    void remove_worker(std::size_t index) { workers_.at(index).reset(); }
    [[nodiscard]] static std::string worker_name(std::size_t index);

    /// Four fifths of what this machine does with these processes, found out once.
    [[nodiscard]] double four_fifths();
    /// Starts the load; `shape.per_second` 0 means four_fifths().
    void begin_load(Shape shape = {});
    [[nodiscard]] Recorder& load() { return *load_; }
    /// Ends it, puts it into the row, and says that everything went back to zero and nothing ran more often
    /// than it may: no POST twice, nothing twice in one process, nothing more often than ZmqSpdyRetries allows.
    [[nodiscard]] Recording end_load();
    /// What end_load() does with another recorder.
    void check_rest();

    /// The status handler's.
    [[nodiscard]] Json status() const;
    /// The names of the workers that serve according to it.
    [[nodiscard]] std::size_t serving_workers() const;
    [[nodiscard]] bool serves(const std::string& name) const;

    /// Of each request the processes that wrote `what` ("run", "post" or "cancelled"), once for each time.
    [[nodiscard]] std::map<std::uint64_t, std::vector<pid_t>> journal(std::string_view what) const;
    [[nodiscard]] std::size_t runs_of(std::size_t worker) const;

    /// Of the failures those that `explained` has no reason for must be none.
    void must_be_explained(const Recording& recording, const std::function<bool(const Outcome&)>& explained);

  private:
    Row row_;
    Way way_;
    harness::TempDir journal_;
    std::unique_ptr<harness::Httpd> httpd_;
    std::vector<std::unique_ptr<harness::Worker>> workers_;
    std::unique_ptr<Recorder> load_;
};

}  // namespace chaos
