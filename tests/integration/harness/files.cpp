#include "harness/files.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
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

std::uint16_t free_port() {
    static std::mt19937 random{std::random_device{}()};
    static std::set<std::uint16_t> given;
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port = std::uniform_int_distribution<std::uint16_t>{12000, 31999}(random);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool ok = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (ok && given.insert(port).second) {
            return port;
        }
    }
    throw std::runtime_error{"no free port on 127.0.0.1"};
}

}  // namespace harness
