// What GET and HEAD answer for content with validators, wherever its bytes are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "transport/file_descriptor.hpp"
#include "zmqspdy/conditional.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy::serving {

struct Content {
    std::string content_type;
    Validators validators;
    std::uint64_t size;
};

/// Makes a 200 with `length` bytes from `offset` on, and Content-Type and Content-Length.
using MakeBody = std::function<Response(std::uint64_t offset, std::uint64_t length)>;

/// Throws std::invalid_argument for validators that cannot be sent, and what `make_body` throws.
[[nodiscard]] Response respond(const Request& request, const Content& content, const MakeBody& make_body);

/// `status` with its phrase as plain text.
[[nodiscard]] Response refusal(int status, std::string_view phrase);

/// For an open file that is called `name`; 404 when it is not open or no regular file.
[[nodiscard]] Response respond_file(const Request& request, transport::FileDescriptor file,
                                    std::string_view name);

}  // namespace zmqspdy::serving
