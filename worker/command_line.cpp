#include "worker/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace zmqspdy::serving {

namespace {

/// "--log-level" with the prefix "ZMQSPDY_": ZMQSPDY_LOG_LEVEL.
std::string variable_of(const std::string& prefix, const std::string& name) {
    if (prefix.empty())
        return {};
    std::string variable = prefix + name.substr(2);
    std::transform(variable.begin(), variable.end(), variable.begin(), [](char c) {
        if (c == '-')
            return '_';
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return variable;
}

/// At commas and white space.
std::vector<std::string> split(const std::string& text) {
    constexpr const char* kSeparators = ", \t\r\n";
    std::vector<std::string> words;
    for (auto begin = text.find_first_not_of(kSeparators); begin != std::string::npos;) {
        const auto end = text.find_first_of(kSeparators, begin);
        words.push_back(text.substr(begin, end - begin));
        begin = text.find_first_not_of(kSeparators, end);
    }
    return words;
}

}  // namespace

CommandLine::CommandLine(const std::string& description, const std::string& program)
    : app_{description, program} {
    app_.footer(
        "Options can also be given in the environment variable that stands behind them, repeated ones with "
        "commas or "
        "spaces\nbetween. The command line goes before the environment.");
}

CLI::Option* CommandLine::declare(const std::string& names, const OwnOptions::Declared& declared,
                                  const std::string& help) {
    switch (declared.kind) {
        case OwnOptions::Kind::flag:
            return app_.add_flag(names, one_.emplace_back(), help);
        case OwnOptions::Kind::many:
            return app_.add_option(names, many_.emplace_back(), help)
                ->type_name(declared.placeholder)
                ->take_all()
                ->allow_extra_args(false);
        case OwnOptions::Kind::one:
            break;
    }
    return app_.add_option(names, one_.emplace_back(), help)->type_name(declared.placeholder);
}

void CommandLine::add(const OwnOptions& options, const std::string& heading, std::string_view positional) {
    for (const auto& declared : options.declared_) {
        Entry entry{&declared, variable_of(options.prefix_, declared.name), nullptr};
        const std::string names = declared.name == positional ? "NAME," + declared.name : declared.name;
        const std::string help =
            entry.variable.empty() ? declared.help : declared.help + " [" + entry.variable + "]";
        try {
            entry.option = declare(names, declared, help)->group(heading);
        } catch (const CLI::OptionAlreadyAdded&) {
            throw std::invalid_argument("the option " + declared.name + " is there already");
        }
        entries_.push_back(std::move(entry));
    }
}

void CommandLine::add_version(const std::string& text) {
    try {
        app_.set_version_flag("--version", text, "Print the version of the worker framework and exit");
    } catch (const CLI::OptionAlreadyAdded&) {
        return;  // the program's own
    }
}

std::optional<std::string> CommandLine::set(const Entry& entry) {
    std::vector<std::string> values = entry.option->results();
    std::string source = entry.declared->name;
    if (values.empty()) {
        const char* const text = entry.variable.empty() ? nullptr : std::getenv(entry.variable.c_str());
        if (text == nullptr || *text == '\0')
            return std::nullopt;
        source = entry.variable;
        used_.push_back(source);
        values =
            entry.declared->kind == OwnOptions::Kind::many ? split(text) : std::vector<std::string>{text};
    }
    try {
        entry.declared->set(values);
    } catch (const std::invalid_argument& error) {
        return source + ": " + error.what();
    }
    return std::nullopt;
}

std::optional<Exit> CommandLine::parse(int argc, const char* const* argv) {
    try {
        app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app_.exit(error, out, err) == 0 ? 0 : 2;
        return Exit{code, out.str() + err.str()};
    }
    for (const Entry& entry : entries_) {
        if (const auto why = set(entry))
            return Exit{2, app_.get_name() + ": " + *why + "\n"};
    }
    return std::nullopt;
}

}  // namespace zmqspdy::serving
