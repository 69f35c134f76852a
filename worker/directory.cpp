#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "worker/content.hpp"
#include "worker/http.hpp"
#include "worker/open_beneath.hpp"
#include "zmqspdy/file.hpp"

namespace zmqspdy {

namespace {

using transport::FileDescriptor;

bool is_folder(const FileDescriptor& file) {
    struct ::stat status {};
    return file && ::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

FileDescriptor open_root(const std::filesystem::path& root) {
    if (root.native().find('\0') != std::string::npos)
        throw std::system_error(EINVAL, std::generic_category(), "a folder's name has no NUL");
    FileDescriptor folder{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!folder)
        throw std::system_error(errno, std::generic_category(), "cannot open the folder " + root.native());
    return folder;
}

/// To the same path with a '/' behind it. Relative, so that it holds whatever the path is called further out,
/// and can lead to no other host; "./" keeps a name with a ':' from being a scheme.
Response with_slash(const Request& request) {
    const auto path = request.path();
    std::string location = "./" + std::string(path.substr(path.rfind('/') + 1)) + '/';
    if (!request.query().empty())
        location += '?' + std::string(request.query());
    if (!serving::is_field_value(location))
        return serving::refusal(404, "Not Found");
    return serving::refusal(301, "Moved Permanently").header("location", location);
}

}  // namespace

class Directory::Root {
  public:
    Root(const std::filesystem::path& root, DirectoryOptions options)
        : folder_{open_root(root)}, options_{std::move(options)} {
        if (!options_.index.empty() && !serving::is_plain_path(options_.index))
            throw std::invalid_argument("the index of a folder is a file in it, and no hidden one");
    }

    [[nodiscard]] Response respond(const Request& request) const {
        const std::string rest = request.param(options_.param);
        if (rest.empty() || rest.ends_with('/'))
            return respond_index(request, rest);
        auto file = serving::open_beneath(folder_, rest);
        if (is_folder(file) && has_index(rest))
            return with_slash(request);
        return serving::respond_file(request, std::move(file), rest);
    }

  private:
    [[nodiscard]] bool has_index(const std::string& rest) const {
        return !options_.index.empty() && serving::open_beneath(folder_, rest + '/' + options_.index);
    }
    [[nodiscard]] Response respond_index(const Request& request, const std::string& rest) const {
        if (options_.index.empty())
            return serving::refusal(404, "Not Found");
        return serving::respond_file(request, serving::open_beneath(folder_, rest + options_.index),
                                     options_.index);
    }

    FileDescriptor folder_;
    DirectoryOptions options_;
};

Directory::Directory(const std::filesystem::path& root, DirectoryOptions options)
    : root_{std::make_shared<const Root>(root, std::move(options))} {}

Response Directory::operator()(const Request& request) const {
    return root_->respond(request);
}

}  // namespace zmqspdy
