#include "harness/files.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace harness {

namespace fs = std::filesystem;

TempDir::TempDir() {
    std::string pattern = (fs::temp_directory_path() / "httpd-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    path_ = pattern;
    // httpd's children run as another user when the tests run as root.
    fs::permissions(path_, fs::perms{0755});
}

TempDir::~TempDir() {
    std::error_code ignored;
    if (std::getenv("ZMQSPDY_TEST_KEEP") == nullptr) {
        fs::remove_all(path_, ignored);
    }
}

std::vector<std::string> TempDir::listing() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator{path_}) {
        found.push_back(fs::relative(entry.path(), path_).string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::string read_file(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const fs::path& file, const std::string& text) {
    std::ofstream out{file, std::ios::binary};
    out << text;
    if (!out.flush()) {
        throw std::runtime_error{"cannot write " + file.string()};
    }
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace harness
