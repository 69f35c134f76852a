// What several themes ask of an httpd and its workers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/client.hpp"
#include "harness/eventually.hpp"
#include "harness/httpd.hpp"
#include "harness/load.hpp"
#include "harness/worker.hpp"

namespace harness {

/// Who answered how often, over a new connection each time; a request that fails counts under its problem.
[[nodiscard]] std::map<std::string, int> who_answers(const Httpd& httpd, int requests,
                                                     const std::string& path = "/");

/// True as soon as each of the hello workers `names` has answered a request.
[[nodiscard]] bool in_rotation(const Httpd& httpd, const std::vector<std::string>& names,
                               milliseconds limit = seconds{10});

/// True as soon as httpd has logged that each of `names` joined; for workers whose answers are no use as a sign.
[[nodiscard]] bool joined(const Httpd& httpd, const std::vector<std::string>& names);

/// Lines of the module in httpd's log that hold `text`.
[[nodiscard]] std::size_t log_lines_with(const Httpd& httpd, const std::string& text);
/// Whether exactly `times` of them hold it, once the last is written: who sees what a line tells of may be earlier.
[[nodiscard]] bool logs(const Httpd& httpd, const std::string& text, std::size_t times = 1);
/// Whether ServerRoot's access_log has, or gets within seconds, this whole line.
[[nodiscard]] bool access_logged(const Httpd& httpd, const std::string& line);

/// "Hello from NAME".
[[nodiscard]] inline std::string hello_from(const std::string& name) {
    return "Hello from " + name;
}

/// The number in an environment variable.
[[nodiscard]] std::size_t number_from(const char* variable, std::size_t otherwise);

/// For messages: "a: 3, b: 4".
[[nodiscard]] std::string to_text(const std::map<std::string, int>& counts);

}  // namespace harness
