// What the documentation and the sample configuration say of directives, beside the directives' declarations.
//   check_directives DOCS CONF     fails when DOCS has another table, or CONF another default or not every directive
//   check_directives --write DOCS  puts the table into DOCS
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "mod_zmqspdy/glue/description.hpp"

namespace {

using zmqspdy::glue::describe;

constexpr std::string_view kHead = "| directive | default | where | meaning |\n|---|---|---|---|\n";

template <typename Visit>
void for_each(Visit visit) {
    zmqspdy::glue::ServerSettings::for_each(visit);
    zmqspdy::glue::DirectorySettings::for_each(visit);
}

std::string table() {
    std::ostringstream rows;
    for_each([&rows]<typename Of>() {
        const auto directive = describe<Of>();
        rows << "| `" << directive.name << ' ' << directive.argument << "` | "
             << (directive.standard.empty() ? "-" : directive.standard) << " | " << directive.context << " | "
             << directive.meaning << " |\n";
    });
    return std::string(kHead) + rows.str();
}

/// `page` with the right table instead of the one that it has; empty when it has none.
std::string with_table(const std::string& page) {
    const auto begin = page.find(kHead);
    if (begin == std::string::npos)
        return {};
    const auto end = page.find("\n\n", begin);
    return page.substr(0, begin) + table() + (end == std::string::npos ? "" : page.substr(end + 1));
}

std::string read(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

bool check_docs(const std::string& file) {
    const auto page = read(file);
    if (page == with_table(page))
        return true;
    std::cerr << "The table of directives in " << file
              << " is not what their declarations say. It should be\n\n"
              << table() << "\nRun: check_directives --write " << file << '\n';
    return false;
}

/// Of the lines that show a directive, such as `#ZmqSpdyTimeout 60s` and `ZmqSpdyServe on`.
bool check_sample(const std::string& file) {
    std::map<std::string, std::string> shown;
    std::istringstream lines(read(file));
    for (std::string line; std::getline(lines, line);) {
        std::string name;
        std::string value;
        std::istringstream words(line);
        words >> name >> value;
        const bool commented = name.starts_with('#');
        if (name = name.substr(commented ? 1 : 0); name.starts_with("ZmqSpdy"))
            shown.try_emplace(name, commented ? value : "");
    }
    bool right = true;
    const auto complain = [&](const std::string& what) {
        std::cerr << file << ": " << what << '\n';
        right = false;
    };
    for_each([&]<typename Of>() {
        const auto found = shown.extract(Of::name);
        if (found.empty())
            return complain(std::string(Of::name) + " is missing");
        if constexpr (!requires { Of::unset; }) {
            auto standard = describe<Of>().standard;
            std::erase(standard, '`');
            if (!found.mapped().empty() && found.mapped() != standard)
                complain(std::string(Of::name) + " is shown with " + found.mapped() + " for its default, " +
                         standard);
        }
    });
    for (const auto& [name, value] : shown)
        complain(name + " is no directive");
    return right;
}

}  // namespace

int main(int count, char* arguments[]) {
    if (count != 3) {
        std::cerr << "usage: check_directives DOCS CONF, or check_directives --write DOCS\n";
        return 2;
    }
    if (std::string_view(arguments[1]) != "--write") {
        const bool docs = check_docs(arguments[1]);
        const bool sample = check_sample(arguments[2]);
        return docs && sample ? 0 : 1;
    }
    const auto right = with_table(read(arguments[2]));
    if (right.empty()) {
        std::cerr << arguments[2] << " has no table of directives, which begins with\n" << kHead;
        return 1;
    }
    std::ofstream(arguments[2], std::ios::binary) << right;
    return 0;
}
