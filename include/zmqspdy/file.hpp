// Files, folders of files, and content in memory, with all that HTTP has for caches and downloads.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

/// By the extension of `name`, without regard to case: "text/html; charset=utf-8" for "a.HTML";
/// "application/octet-stream" for what is not known.
[[nodiscard]] std::string_view content_type_of(std::string_view name) noexcept;

/// The regular file at `path`, symbolic links followed: only for paths that no client has a say in, Directory
/// is for others. 200 with ETag, Last-Modified, Content-Type by extension and Accept-Ranges; 206 and 416 for
/// Range, 304 and 412 for preconditions (RFC 9110, 13 and 14); 404 when there is no such file or it may not
/// be read; 405 for methods other than GET and HEAD. The ETag is made of size and time of modification, and
/// weak while the file is so new that it might change again within the same tick.
///
/// Streamed in pieces of 64 KiB from a descriptor that stays open until then; a file that becomes shorter
/// meanwhile breaks the response off. Throws std::system_error when the system fails, as for want of
/// descriptors.
[[nodiscard]] Response file_response(const Request& request, const std::filesystem::path& path);

/// The same for content in memory. `etag` as in the field, with its quotes, or empty for none. Throws
/// std::invalid_argument when it is no entity tag, `content_type` no field value, or `last_modified` has a
/// year of more than four digits.
[[nodiscard]] Response content_response(
    const Request& request, std::string body, std::string_view content_type, std::string_view etag = {},
    const std::optional<std::chrono::sys_seconds>& last_modified = std::nullopt);

/// How a Directory answers.
struct DirectoryOptions {
    std::string param = "rest";        ///< the route's parameter that says which file
    std::string index = "index.html";  ///< the file for a folder; empty: folders answer 404
};

/// A handler for the regular files below a folder: worker.get("/static/*rest", Directory{"/srv/www"}).
/// Answers like file_response(), and 404 for everything that is not plainly below the folder: "..", names
/// that begin with a dot, empty segments, NUL, symbolic links that lead out of it, and what is no regular
/// file. A folder with an index whose path lacks the '/' at its end answers 301 to the path with it. Copied
/// freely; any thread.
class Directory {
  public:
    /// Opens `root`, which may be renamed from then on. Throws std::system_error when it is no folder that
    /// can be opened, and std::invalid_argument when the index is no plain path.
    explicit Directory(const std::filesystem::path& root, DirectoryOptions options = {});

    /// Throws as file_response() does.
    [[nodiscard]] Response operator()(const Request& request) const;

  private:
    class Root;
    std::shared_ptr<const Root> root_;
};

}  // namespace zmqspdy
