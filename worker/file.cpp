#include "zmqspdy/file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "worker/content.hpp"
#include "worker/open_beneath.hpp"

namespace zmqspdy {

namespace serving {

using transport::FileDescriptor;

namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;
/// The coarsest clock of a file system that is in use counts in twos.
constexpr std::chrono::seconds kCoarsestTick{2};

std::string hex(std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return {digits.data(), written.ptr};
}

Validators validators_of(const struct ::stat& status) {
    using namespace std::chrono;
    const auto now = system_clock::now();
    const sys_seconds modified{seconds{status.st_mtim.tv_sec}};
    const bool may_change_unseen = modified + kCoarsestTick >= floor<seconds>(now);
    Validators validators;
    validators.etag = (may_change_unseen ? "W/\"" : "\"") + hex(static_cast<std::uint64_t>(status.st_size)) +
                      '-' + hex(static_cast<std::uint64_t>(status.st_mtim.tv_sec)) + '-' +
                      hex(static_cast<std::uint64_t>(status.st_mtim.tv_nsec)) + '"';
    // Not later than the response itself (RFC 9110, 8.8.2.1), nor from before there were computers.
    if (modified >= sys_seconds{})
        validators.last_modified = std::min(modified, floor<seconds>(now));
    return validators;
}

void send_piecewise(const FileDescriptor& file, std::uint64_t offset, std::uint64_t length, Writer& out) {
    std::string piece(std::min<std::uint64_t>(kPiece, length), '\0');
    while (length > 0) {
        const auto wanted = std::min<std::uint64_t>(piece.size(), length);
        const auto got = ::pread(file.get(), piece.data(), wanted, static_cast<::off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw std::system_error(errno, std::generic_category(), "cannot read the file");
        if (got == 0)
            throw std::runtime_error("the file has become shorter while it was sent");
        const auto count = static_cast<std::uint64_t>(got);
        if (!out.write(std::string_view{piece}.substr(0, count)))
            return;
        offset += count;
        length -= count;
    }
}

}  // namespace

Response respond_file(const Request& request, FileDescriptor file, std::string_view name) {
    struct ::stat status {};
    if (file && ::fstat(file.get(), &status) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot examine a file");
    if (!file || !S_ISREG(status.st_mode))
        return refusal(404, "Not Found");
    const Content content{std::string(content_type_of(name)), validators_of(status),
                          static_cast<std::uint64_t>(status.st_size)};
    const auto shared = std::make_shared<const FileDescriptor>(std::move(file));
    return respond(request, content, [&](std::uint64_t offset, std::uint64_t length) {
        const auto produce = [shared, offset, length](Writer& out) {
            send_piecewise(*shared, offset, length, out);
        };
        return Response::stream(content.content_type, produce)
            .header("content-length", std::to_string(length));
    });
}

}  // namespace serving

Response file_response(const Request& request, const std::filesystem::path& path) {
    return serving::respond_file(request, serving::open_file(path.native()), path.native());
}

}  // namespace zmqspdy
