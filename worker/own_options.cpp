#include "zmqspdy/own_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace zmqspdy {

namespace {

bool is_option_name(std::string_view name) {
    if (!name.starts_with("--") || name.size() < 3 || name[2] == '-')
        return false;
    return std::all_of(name.begin() + 2, name.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool truth_of(const std::string& word) {
    static constexpr std::array<std::string_view, 4> kTrue{"true", "1", "yes", "on"};
    static constexpr std::array<std::string_view, 4> kFalse{"false", "0", "no", "off"};
    if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end())
        return true;
    if (std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end())
        return false;
    throw std::invalid_argument("'" + word + "' is neither true, 1, yes or on, nor false, 0, no or off");
}

}  // namespace

OwnOptions& OwnOptions::declare(Declared declared) {
    if (!is_option_name(declared.name))
        throw std::invalid_argument(
            "'" + declared.name + "' is not an option's name: -- and then lower-case letters, digits or '-'");
    declared_.push_back(std::move(declared));
    return *this;
}

OwnOptions& OwnOptions::add(std::string name, std::string& value, std::string help, std::string placeholder) {
    const Set set = [&value](const std::string& text) { value = text; };
    return add(std::move(name), set, std::move(help), std::move(placeholder));
}

OwnOptions& OwnOptions::add(std::string name, std::vector<std::string>& values, std::string help,
                            std::string placeholder) {
    return declare({std::move(name), std::move(help), std::move(placeholder), Kind::many,
                    [&values](const std::vector<std::string>& texts) { values = texts; }});
}

OwnOptions& OwnOptions::add(std::string name, bool& value, std::string help) {
    return declare(
        {std::move(name), std::move(help), {}, Kind::flag, [&value](const std::vector<std::string>& texts) {
             value = truth_of(texts.back());
         }});
}

OwnOptions& OwnOptions::add(std::string name, Set set, std::string help, std::string placeholder) {
    return declare({std::move(name), std::move(help), std::move(placeholder), Kind::one,
                    [set = std::move(set)](const std::vector<std::string>& texts) { set(texts.back()); }});
}

}  // namespace zmqspdy
