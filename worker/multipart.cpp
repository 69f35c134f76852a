#include "worker/multipart.hpp"

#include <algorithm>

#include "worker/http.hpp"
#include "worker/parameters.hpp"

namespace zmqspdy::serving {

namespace {

[[noreturn]] void refuse(const std::string& why) {
    throw HttpError{400, "multipart/form-data: " + why};
}

struct PartHeaders {
    std::optional<Parameterized> disposition;
    std::optional<std::string> content_type;
};

PartHeaders parse_headers(std::string_view lines) {
    PartHeaders headers;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 2);
        const auto colon = line.find(':');
        const auto value = colon == std::string_view::npos ? line : trim(line.substr(colon + 1));
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_field_value(value))
            refuse("a header of a part is malformed");
        const std::string name = to_lower(line.substr(0, colon));
        if (name == "content-disposition") {
            if (headers.disposition)
                refuse("a part has two of Content-Disposition");
            headers.disposition = parse_parameterized(value, Escapes::quotes_only);
            if (!headers.disposition)
                refuse("the Content-Disposition of a part is malformed");
        } else if (name == "content-type") {
            if (headers.content_type)
                refuse("a part has two of Content-Type");
            headers.content_type = value;
        }
    }
    return headers;
}

/// Some clients send whole paths.
std::string last_component(std::string_view filename) {
    const auto separator = filename.find_last_of("/\\");
    return std::string(separator == std::string_view::npos ? filename : filename.substr(separator + 1));
}

/// RFC 8187: UTF-8'LANGUAGE'PERCENT-ENCODED. Nothing when it is not that.
std::optional<std::string> decode_extended(std::string_view value) {
    const auto first = value.find('\'');
    const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
    if (second == std::string_view::npos || !equal_ignoring_case(value.substr(0, first), "utf-8"))
        return std::nullopt;
    return percent_decode(value.substr(second + 1));
}

/// RFC 7578 gives forms no `filename*`, yet some clients send it, even alone, for names that are not ASCII.
std::optional<std::string> filename_of(const Parameterized& disposition) {
    if (const auto extended = disposition.parameter("filename*"))
        if (auto decoded = decode_extended(*extended))
            return decoded;
    const auto filename = disposition.parameter("filename");
    return filename ? std::optional<std::string>{*filename} : std::nullopt;
}

class MultipartReader {
  public:
    MultipartReader(std::string_view body, std::string_view boundary, const FormLimits& limits)
        : rest_{body}, delimiter_{"\r\n--" + std::string(boundary)}, limits_{limits} {}

    Form read() && {
        // The first delimiter needs no CRLF when there is no preamble.
        if (rest_.starts_with(std::string_view{delimiter_}.substr(2)))
            rest_.remove_prefix(delimiter_.size() - 2);
        else
            (void)cut_until_delimiter();
        while (begins_part())
            read_part();
        return std::move(form_);
    }

  private:
    std::string_view cut_until_delimiter() {
        const auto found = rest_.find(delimiter_);
        if (found == std::string_view::npos)
            refuse("a boundary is missing");
        const auto before = rest_.substr(0, found);
        rest_.remove_prefix(found + delimiter_.size());
        return before;
    }

    /// Behind a delimiter: another part, or the end?
    bool begins_part() {
        if (rest_.starts_with("--"))
            return false;
        const auto padding = rest_.find_first_not_of(" \t");
        rest_.remove_prefix(padding == std::string_view::npos ? rest_.size() : padding);
        if (!rest_.starts_with("\r\n"))
            refuse("something stands behind a boundary");
        return true;
    }

    std::string_view cut_headers() {
        // The CRLF of the boundary's line is still there, so that a part without headers needs no rule.
        const auto most =
            std::min(limits_.part_headers, rest_.size()) + std::string_view{"\r\n\r\n\r\n"}.size();
        const auto end = rest_.substr(0, most).find("\r\n\r\n");
        if (end == std::string_view::npos) {
            if (rest_.size() >= most)
                throw HttpError{413, "multipart/form-data: the headers of a part are too long"};
            refuse("a part ends within its headers");
        }
        const auto lines = end == 0 ? std::string_view{} : rest_.substr(2, end - 2);
        rest_.remove_prefix(end + 2);  // the empty line's CRLF may belong to the next delimiter
        return lines;
    }

    void read_part() {
        if (form_.fields.size() + form_.files.size() >= limits_.parts)
            throw HttpError{413, "multipart/form-data: too many parts"};
        auto headers = parse_headers(cut_headers());
        std::string_view content = cut_until_delimiter();
        content.remove_prefix(std::min<std::size_t>(2, content.size()));
        if (!headers.disposition || headers.disposition->value != "form-data")
            refuse("a part lacks Content-Disposition: form-data");
        const auto name = headers.disposition->parameter("name");
        if (!name)
            refuse("a part lacks a name");
        if (const auto filename = filename_of(*headers.disposition))
            form_.files.push_back({std::string(*name), last_component(*filename),
                                   std::move(headers.content_type).value_or("text/plain"),
                                   std::string(content)});
        else
            form_.fields.emplace_back(*name, content);
    }

    std::string_view rest_;
    std::string delimiter_;
    const FormLimits& limits_;
    Form form_;
};

}  // namespace

Form parse_multipart(std::string_view body, std::string_view boundary, const FormLimits& limits) {
    static constexpr std::size_t kMostBoundary = 70;  // RFC 2046, 5.1.1
    if (boundary.empty() || boundary.size() > kMostBoundary || !is_field_value(boundary))
        refuse("the boundary must have 1 to 70 characters");
    return MultipartReader{body, boundary, limits}.read();
}

}  // namespace zmqspdy::serving
