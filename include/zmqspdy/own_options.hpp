// Options of a program's own, beside the worker's.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "zmqspdy/number.hpp"

namespace zmqspdy {

namespace serving {
class CommandLine;
}

/// Given to Options::from_args(), which sets the variables named here to what the command line or the environment says, leaves the
/// others as they are, and lists all in --help:
///
///     std::string database = "shop.db";
///     OwnOptions own{"SHOP_"};
///     own.add("--database", database, "Where the orders are (default: shop.db)");
///     Worker worker{Options::from_args(argc, argv, own)};
///
/// Names are "--" with lower-case letters, digits and '-' behind it; add() throws std::invalid_argument for others. The variables must live
/// until from_args() has returned.
class OwnOptions {
  public:
    using Set = std::function<void(const std::string& text)>;

    /// `prefix`: of the environment variables; with "SHOP_" the option --data-base is also SHOP_DATA_BASE. Empty: these
    /// options are taken from the command line alone.
    explicit OwnOptions(std::string prefix = {}) : prefix_{std::move(prefix)} {}

    OwnOptions& add(std::string name, std::string& value, std::string help, std::string placeholder = "TEXT");
    /// Repeatable on the command line; in the environment commas or white space separate. What is given replaces what was there.
    OwnOptions& add(std::string name, std::vector<std::string>& values, std::string help,
                    std::string placeholder = "TEXT");
    /// `--name` is true, `--name=false` is not. In the environment: 1, true, yes, on, or 0, false, no, off.
    OwnOptions& add(std::string name, bool& value, std::string help);
    /// See parse_number().
    template <Number T>
    OwnOptions& add(std::string name, T& value, std::string help, std::string placeholder = "NUMBER") {
        const Set set = [&value](const std::string& text) {
            const auto number = parse_number<T>(text);
            if (!number)
                throw std::invalid_argument("'" + text + "' is not a number that fits");
            value = *number;
        };
        return add(std::move(name), set, std::move(help), std::move(placeholder));
    }
    /// `set` throws std::invalid_argument with a sentence for what it does not take.
    OwnOptions& add(std::string name, Set set, std::string help, std::string placeholder = "TEXT");

  private:
    friend class serving::CommandLine;
    enum class Kind { one, many, flag };
    struct Declared {
        std::string name;
        std::string help;
        std::string placeholder;
        Kind kind;
        std::function<void(const std::vector<std::string>&)> set;
    };
    OwnOptions& declare(Declared declared);

    std::string prefix_;
    std::vector<Declared> declared_;
};

}  // namespace zmqspdy
