// Opening files by names that clients have chosen.
#pragma once

#include <string>
#include <string_view>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::serving {

/// Whether `path` is made of plain names with one '/' between each: none is empty or begins with a dot, and
/// there is no NUL.
[[nodiscard]] bool is_plain_path(std::string_view path) noexcept;

/// Opens for reading, without blocking on what is no regular file. Empty when there is nothing of that name
/// that may be read; throws std::system_error when the system fails otherwise.
[[nodiscard]] transport::FileDescriptor open_file(const std::string& path);
/// The same for a plain path below the folder `root`, which it does not leave: symbolic links may lead
/// anywhere within it.
[[nodiscard]] transport::FileDescriptor open_beneath(const transport::FileDescriptor& root,
                                                     const std::string& path);
/// What open_beneath() does on systems without openat2(): symbolic links are not followed.
[[nodiscard]] transport::FileDescriptor open_beneath_by_steps(const transport::FileDescriptor& root,
                                                              const std::string& path);

}  // namespace zmqspdy::serving
