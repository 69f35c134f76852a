#include "helpers.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace harness {

std::map<std::string, int> who_answers(const Httpd& httpd, int requests, const std::string& path) {
    std::map<std::string, int> counts;
    for (int i = 0; i < requests; ++i) {
        ++counts[line_of(get_once(httpd.port(), path))];
    }
    return counts;
}

bool in_rotation(const Httpd& httpd, const std::vector<std::string>& names, milliseconds limit) {
    std::set<std::string> missing;
    std::transform(names.begin(), names.end(), std::inserter(missing, missing.end()), hello_from);
    return eventually(limit, [&] {
        missing.erase(line_of(get_once(httpd.port(), "/")));
        return missing.empty();
    });
}

bool joined(const Httpd& httpd, const std::vector<std::string>& names) {
    return eventually(seconds{10}, [&] {
        return std::all_of(names.begin(), names.end(),
                           [&](const std::string& name) { return log_lines_with(httpd, name) > 0; });
    });
}

std::size_t log_lines_with(const Httpd& httpd, const std::string& text) {
    const auto lines = httpd.module_log();
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    }));
}

bool logs(const Httpd& httpd, const std::string& text, std::size_t times) {
    return eventually(seconds{5}, [&] { return log_lines_with(httpd, text) >= times; }) &&
           log_lines_with(httpd, text) == times;
}

bool access_logged(const Httpd& httpd, const std::string& line) {
    return eventually(seconds{5}, [&] {
        const auto lines = split_lines(read_file(httpd.root().path() / "access_log"));
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    });
}

std::size_t number_from(const char* variable, std::size_t otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? std::strtoul(given, nullptr, 10) : otherwise;
}

std::string to_text(const std::map<std::string, int>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) {
        text += (text.empty() ? "" : ", ") + name + ": " + std::to_string(count);
    }
    return text;
}

}  // namespace harness
