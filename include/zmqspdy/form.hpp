// What HTML forms send: application/x-www-form-urlencoded and multipart/form-data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/http_error.hpp"
#include "zmqspdy/request.hpp"

namespace zmqspdy {

/// Names and values in the order they came; a name may come more than once.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Reads application/x-www-form-urlencoded (WHATWG URL, 5.1): a body, or Request::query(). '+' is a space; an
/// escape that is none stays as it is; a pair without '=' has an empty value; empty pairs are left out. What
/// comes out need not be UTF-8.
[[nodiscard]] FormFields parse_form(std::string_view text);

/// What read_form() takes before it refuses with 413.
struct FormLimits {
    std::size_t total = std::size_t{16} * 1024 * 1024;  ///< bytes of the whole body, which is held in memory
    std::size_t parts = 1000;                           ///< fields and files together
    std::size_t part_headers = std::size_t{8} * 1024;   ///< bytes of the headers of one part
};

/// A part of multipart/form-data that came with a filename. A file input that was left empty comes as one
/// too, with an empty filename and body.
struct FormFile {
    std::string name;  ///< of the input
    /// The last component of what the client said, in `filename*` (RFC 8187, UTF-8) where it has that, '/' and '\' both being separators. May still be ".." or
    /// have any other byte: nothing to open a file by.
    std::string filename;
    std::string content_type;  ///< what the client says; "text/plain" when it does not (RFC 7578, 4.4)
    std::string body;
};

struct Form {
    FormFields fields;
    std::vector<FormFile> files;

    /// The first value of `name`; nothing when absent. A view into this form.
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const noexcept;
    /// The first file of `name`; null when absent.
    [[nodiscard]] const FormFile* file(std::string_view name) const noexcept;
};

/// Reads the body by its Content-Type: application/x-www-form-urlencoded or multipart/form-data (RFC 7578).
/// Names of multipart are taken as they are, %22 included. Throws HttpError: 415 for another Content-Type or
/// none, 413 past a limit, 400 for a malformed body; and BodyAborted.
[[nodiscard]] Form read_form(Request& request, const FormLimits& limits = {});

}  // namespace zmqspdy
