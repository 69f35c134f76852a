#include "harness/proc_info.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>

#include "harness/files.hpp"

namespace harness {

namespace fs = std::filesystem;

namespace {

struct Stat {
    char state = '?';
    pid_t parent = -1;
};

fs::path proc(pid_t process) {
    return fs::path{"/proc"} / std::to_string(process);
}

Stat stat_of(pid_t process) {
    const std::string text = read_file(proc(process) / "stat");
    const auto name_end = text.rfind(')');  // the name in front may hold anything, spaces and parentheses too
    Stat stat;
    if (name_end != std::string::npos) {
        std::istringstream{text.substr(name_end + 1)} >> stat.state >> stat.parent;
    }
    return stat;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> all;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename().string();
        if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
            all.push_back(std::stoi(name));
        }
    }
    return all;
}

long status_field(pid_t process, const std::string& field) {
    for (const std::string& line : split_lines(read_file(proc(process) / "status"))) {
        if (line.starts_with(field + ":")) {
            return std::stol(line.substr(field.size() + 1));
        }
    }
    throw std::runtime_error{"process " + std::to_string(process) + " has no " + field};
}

std::map<std::string, std::string> named_unix_sockets() {  // inode -> name
    std::map<std::string, std::string> sockets;
    for (const std::string& line : split_lines(read_file("/proc/net/unix"))) {
        std::istringstream words{line};
        std::string ignored, inode, name;
        words >> ignored >> ignored >> ignored >> ignored >> ignored >> ignored >> inode;
        if (words >> name) {
            sockets[inode] = name;
        }
    }
    return sockets;
}

std::vector<std::vector<std::string>> sysv_segments() {  // the columns: key, shmid, perms, size, cpid, ...
    std::vector<std::vector<std::string>> segments;
    for (const std::string& line : split_lines(read_file("/proc/sysvipc/shm"))) {
        std::istringstream words{line};
        std::vector<std::string> columns;
        for (std::string word; words >> word;) {
            columns.push_back(word);
        }
        if (columns.size() > 4 && columns[0] != "key") {
            segments.push_back(std::move(columns));
        }
    }
    return segments;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const pid_t process : all_processes()) {
        if (const Stat stat = stat_of(process); stat.parent == parent && stat.state != 'Z') {
            found.push_back(process);
        }
    }
    return found;
}

std::vector<pid_t> tree_of(pid_t root) {
    std::vector<pid_t> tree{root};
    for (std::size_t next = 0; next < tree.size(); ++next) {
        const auto children = children_of(tree[next]);
        tree.insert(tree.end(), children.begin(), children.end());
    }
    return tree;
}

bool alive(pid_t process) {
    const char state = stat_of(process).state;
    return state != '?' && state != 'Z' && state != 'X';
}

std::string title_of(pid_t process) {
    std::string title = read_file(proc(process) / "cmdline");
    std::replace(title.begin(), title.end(), '\0', ' ');
    return title;
}

long resident_memory(pid_t process) {
    return status_field(process, "VmRSS");
}
long peak_memory(pid_t process) {
    return status_field(process, "VmHWM");
}
void reset_peak_memory(pid_t process) {
    write_file(proc(process) / "clear_refs", "5");
}

void adopt_orphans() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::set<pid_t>& expected_children() {
    static std::set<pid_t> children;
    return children;
}

std::vector<pid_t> orphans() {
    std::vector<pid_t> found;
    for (const pid_t process : all_processes()) {
        if (stat_of(process).parent != ::getpid() || expected_children().contains(process)) {
            continue;
        }
        if (::waitpid(process, nullptr, WNOHANG) == 0) {
            found.push_back(process);
        }
    }
    return found;
}

void Footprint::add(const std::vector<pid_t>& processes) {
    const auto sockets = named_unix_sockets();
    const auto segments = sysv_segments();
    for (const pid_t process : processes) {
        std::error_code gone;
        for (const auto& entry : fs::directory_iterator{proc(process) / "fd", gone}) {
            const std::string target = fs::read_symlink(entry.path(), gone).string();
            if (target.starts_with("socket:[")) {
                const auto found = sockets.find(target.substr(8, target.size() - 9));
                if (found != sockets.end()) {
                    sockets_.insert(found->second);
                }
            }
        }
        for (const std::string& line : split_lines(read_file(proc(process) / "maps"))) {
            const auto path = line.find("/dev/shm/");
            if (path != std::string::npos && !line.ends_with("(deleted)")) {
                files_.insert(line.substr(path));
            }
        }
        for (const auto& columns : segments) {
            if (columns[4] == std::to_string(process)) {
                segments_.insert(columns[1]);
            }
        }
    }
}

std::vector<std::string> Footprint::remaining() const {
    std::vector<std::string> left;
    for (const auto& [inode, name] : named_unix_sockets()) {
        if (sockets_.contains(name)) {
            left.push_back("unix socket " + name);
        }
    }
    for (const std::string& file : files_) {
        if (fs::exists(file)) {
            left.push_back("shared memory " + file);
        }
    }
    for (const auto& columns : sysv_segments()) {
        if (segments_.contains(columns[1])) {
            left.push_back("System V segment " + columns[1]);
        }
    }
    return left;
}

}  // namespace harness
