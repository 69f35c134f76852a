#include "zmqspdy/form.hpp"

#include <algorithm>
#include <limits>

#include "worker/http.hpp"
#include "worker/multipart.hpp"
#include "worker/parameters.hpp"

namespace zmqspdy {

namespace {

std::string decode(std::string_view text) {
    return serving::percent_decode(text, serving::Plus::is_space);
}

/// Nothing when there are more than `most` pairs.
std::optional<FormFields> parse_pairs(std::string_view rest, std::size_t most) {
    FormFields fields;
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (pair.empty())
            continue;
        if (fields.size() == most)
            return std::nullopt;
        const auto equals = pair.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        fields.emplace_back(decode(pair.substr(0, equals)), decode(value));
    }
    return fields;
}

}  // namespace

FormFields parse_form(std::string_view text) {
    return parse_pairs(text, std::numeric_limits<std::size_t>::max()).value_or(FormFields{});
}

std::optional<std::string_view> Form::field(std::string_view name) const noexcept {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [name](const auto& field) { return field.first == name; });
    if (found == fields.end())
        return std::nullopt;
    return found->second;
}

const FormFile* Form::file(std::string_view name) const noexcept {
    const auto found =
        std::find_if(files.begin(), files.end(), [name](const auto& file) { return file.name == name; });
    return found == files.end() ? nullptr : &*found;
}

Form read_form(Request& request, const FormLimits& limits) {
    const std::string_view field = request.header("content-type").value_or("");
    const std::string type = serving::to_lower(serving::trim(field.substr(0, field.find(';'))));
    if (type == "application/x-www-form-urlencoded") {
        auto fields = parse_pairs(request.text(limits.total), limits.parts);
        if (!fields)
            throw HttpError{413, "the form has more than " + std::to_string(limits.parts) + " fields"};
        return Form{std::move(*fields), {}};
    }
    if (type == "multipart/form-data") {
        const auto parsed = serving::parse_parameterized(field);
        if (!parsed)
            throw HttpError{
                400,
                "multipart/form-data: the parameters of Content-Type are malformed; a boundary with other "
                "characters than a token has is put in quotes"};
        return serving::parse_multipart(request.text(limits.total),
                                        parsed->parameter("boundary").value_or(""), limits);
    }
    throw HttpError{415, "a form is application/x-www-form-urlencoded or multipart/form-data"};
}

}  // namespace zmqspdy
