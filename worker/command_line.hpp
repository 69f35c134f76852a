// Options of several groups, from the command line and from the environment.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "worker/options.hpp"
#include "zmqspdy/own_options.hpp"

namespace zmqspdy::serving {

/// Every option is also an environment variable if its group has a prefix; the command line goes before it, and a variable that is
/// empty counts as not set.
class CommandLine {
  public:
    CommandLine(const std::string& description, const std::string& program);

    /// `heading`: of the group in --help. `positional`: the option that may be given without its name. Must outlive this. Throws
    /// std::invalid_argument when an option is there already.
    void add(const OwnOptions& options, const std::string& heading, std::string_view positional = {});

    /// `--version` says `text`, unless a group has an option of that name.
    void add_version(const std::string& text);

    /// Sets all that is given. What the process should do instead, if anything.
    [[nodiscard]] std::optional<Exit> parse(int argc, const char* const* argv);
    /// The variables that something was taken from.
    [[nodiscard]] const std::vector<std::string>& used_variables() const noexcept { return used_; }

  private:
    struct Entry {
        const OwnOptions::Declared* declared;
        std::string variable;  // empty: none
        CLI::Option* option;
    };
    CLI::Option* declare(const std::string& names, const OwnOptions::Declared& declared,
                         const std::string& help);
    [[nodiscard]] std::optional<std::string> set(const Entry& entry);

    CLI::App app_;
    std::vector<Entry> entries_;
    std::deque<std::string> one_;  // what CLI11 writes to
    std::deque<std::vector<std::string>> many_;
    std::vector<std::string> used_;
};

}  // namespace zmqspdy::serving
