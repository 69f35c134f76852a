#include "worker/open_beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace zmqspdy::serving {

using transport::FileDescriptor;

namespace {

/// O_NONBLOCK: opening a FIFO would wait for a writer. O_NOCTTY: a terminal would become ours.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// What `error` says of a file: it is not there, as far as a client may know.
bool is_absence(int error) {
    static constexpr std::array kAbsences{ENOENT, ENOTDIR, ELOOP,  ENAMETOOLONG, EACCES, EPERM,
                                          EXDEV,  ENXIO,   ENODEV, EINVAL,       EISDIR};
    return std::find(kAbsences.begin(), kAbsences.end(), error) != kAbsences.end();
}

/// `fd` as system calls return it, errno being set.
FileDescriptor taken(int fd) {
    if (fd < 0 && !is_absence(errno))
        throw std::system_error(errno, std::generic_category(), "cannot open a file");
    return FileDescriptor{fd};
}

template <typename Call>
int retried(Call call) {
    int fd = call();
    while (fd < 0 && errno == EINTR)
        fd = call();
    return fd;
}

int open_at(int folder, const std::string& name, int flags) {
    return retried([&] { return ::openat(folder, name.c_str(), flags); });
}

int call_openat2(int folder, const std::string& path) {
    ::open_how how{};
    how.flags = kFlags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

}  // namespace

bool is_plain_path(std::string_view path) noexcept {
    if (path.empty() || path.back() == '/' || path.find('\0') != std::string_view::npos)
        return false;
    while (!path.empty()) {
        const auto name = path.substr(0, path.find('/'));
        if (name.empty() || name.front() == '.')
            return false;
        path.remove_prefix(std::min(name.size() + 1, path.size()));
    }
    return true;
}

FileDescriptor open_file(const std::string& path) {
    if (path.find('\0') != std::string::npos)
        return {};
    return taken(open_at(AT_FDCWD, path, kFlags));
}

FileDescriptor open_beneath(const FileDescriptor& root, const std::string& path) {
    if (!is_plain_path(path))
        return {};
    // EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether the path has left the root.
    static constexpr int kMostTries = 16;
    int fd = -1;
    for (int i = 0; i < kMostTries && fd < 0; ++i) {
        fd = retried([&] { return call_openat2(root.get(), path); });
        if (fd < 0 && errno != EAGAIN)
            break;
    }
    // EPERM: what some sandboxes say of system calls that they do not know.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_beneath_by_steps(root, path);
    return taken(fd);
}

FileDescriptor open_beneath_by_steps(const FileDescriptor& root, const std::string& path) {
    if (!is_plain_path(path))
        return {};
    FileDescriptor folder;
    std::size_t start = 0;
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', start)) {
        const int at = folder ? folder.get() : root.get();
        folder = taken(
            open_at(at, path.substr(start, slash - start), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        if (!folder)
            return {};
        start = slash + 1;
    }
    return taken(open_at(folder ? folder.get() : root.get(), path.substr(start), kFlags | O_NOFOLLOW));
}

}  // namespace zmqspdy::serving
