// Temporary folders, whole files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace harness {

/// A folder of its own under the system's temporary one, readable for every user, removed at the end.
class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Every file, folder and socket below, relative, sorted.
    [[nodiscard]] std::vector<std::string> listing() const;

  private:
    std::filesystem::path path_;
};

/// The whole file; empty when there is none.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);
[[nodiscard]] std::vector<std::string> split_lines(const std::string& text);

}  // namespace harness
