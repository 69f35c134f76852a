#include "worker/access_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <system_error>

#include "worker/request_builder.hpp"

namespace zmqspdy::serving {

namespace {

/// What the texts of a line may have, escaped, so that it is never longer than AccessLog::kMostLine.
constexpr std::size_t kMostTarget = 2048;
constexpr std::size_t kMostField = 512;
constexpr std::size_t kMostWord = 64;
constexpr std::size_t kMostElse = 256;  // time, numbers, and what stands between
static_assert(kMostTarget + 2 * kMostField + 4 * kMostWord + kMostElse <= AccessLog::kMostLine);

/// As httpd writes it: what would end a quoted text, a backslash, and all that is not visible ASCII is escaped. `least` is the
/// first character that stands for itself: a space only where the text is quoted.
std::string escaped(std::string_view text, std::size_t most, char least = ' ') {
    constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr std::string_view kCut = "...";
    std::string safe;
    for (const char c : text) {
        std::string piece{c};
        if (c == '"' || c == '\\') {
            piece.insert(0, 1, '\\');
        } else if (c < least || c >= 0x7f) {
            const auto byte = static_cast<unsigned char>(c);
            piece = {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
        }
        if (safe.size() + piece.size() + kCut.size() > most)
            return safe.append(kCut);
        safe += piece;
    }
    return safe.empty() ? "-" : safe;
}

std::string field(const spdy::HeaderBlock& block, std::string_view name, std::size_t most, char least = ' ') {
    const std::string_view joined = block.find(name).value_or("");
    return escaped(joined.substr(0, joined.find('\0')), most, least);
}

std::string common_log_time(std::chrono::system_clock::time_point time) {
    static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%02d/%s/%04d:%02d:%02d:%02d +0000", utc.tm_mday,
                  kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                  utc.tm_min, utc.tm_sec);
    return text.data();
}

/// A descriptor of its own, so that nothing else that is opened later gets the lines.
transport::FileDescriptor open_destination(const std::string& destination) {
    transport::FileDescriptor file{
        destination == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                           : ::open(destination.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)};
    if (!file)
        throw std::runtime_error("cannot open the access log " +
                                 (destination == "-" ? "on stdout" : "'" + destination + "'") + ": " +
                                 std::generic_category().message(errno));
    return file;
}

}  // namespace

AccessLog::AccessLog(const std::string& destination, const Log& log)
    : log_{log}, file_{open_destination(destination)}, output_{file_.get()} {}

AccessLog::~AccessLog() {
    tell_lost();
}

void AccessLog::write(std::string_view line) noexcept {
    if (output_.write(line))
        tell_lost();
    else
        output_.lose(1);
}

void AccessLog::tell_lost() noexcept {
    const std::uint64_t lost = output_.take_lost();
    if (lost == 0)
        return;
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%llu lines of the access log could not be written",
                  static_cast<unsigned long long>(lost));
    log_.line(LogLevel::warning, text.data());
}

struct AccessEntry::Record {
    Record(AccessLog& destination, const spdy::HeaderBlock& block)
        : log{destination},
          client{escaped(RequestBuilder::client_address(block), kMostWord, '!')},
          request{field(block, ":method", kMostWord) + ' ' + field(block, ":path", kMostTarget) + ' ' +
                  field(block, ":version", kMostWord)},
          referer{field(block, "referer", kMostField)},
          agent{field(block, "user-agent", kMostField)},
          id{field(block, "x-request-id", kMostWord, '!')} {}
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;
    ~Record() {
        try {
            log.write(line());
        } catch (const std::exception&) {
            return;  // out of memory: no line
        }
    }

    [[nodiscard]] std::string line() const {
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
        return client + " - - [" + common_log_time(time) + "] \"" + request + "\" " + status + ' ' +
               std::to_string(bytes) + " \"" + referer + "\" \"" + agent + "\" " +
               std::to_string(took.count()) + ' ' + id + (is_whole ? " whole\n" : " cut\n");
    }

    AccessLog& log;
    const std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
    const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    const std::string client;
    const std::string request;  // method, target and version
    const std::string referer;
    const std::string agent;
    const std::string id;
    std::string status = "499";
    std::uint64_t bytes = 0;  // of the body
    bool is_whole = false;
};

AccessEntry::AccessEntry() noexcept = default;
AccessEntry::AccessEntry(AccessEntry&&) noexcept = default;
AccessEntry& AccessEntry::operator=(AccessEntry&&) noexcept = default;
AccessEntry::~AccessEntry() = default;

AccessEntry::AccessEntry(AccessLog& log, const spdy::HeaderBlock& request)
    : record_{std::make_unique<Record>(log, request)} {}

void AccessEntry::replied(const spdy::HeaderBlock& response) {
    if (record_)
        record_->status = response.find(":status").value_or("-").substr(0, 3);
}

void AccessEntry::sent(std::size_t bytes) noexcept {
    if (record_)
        record_->bytes += bytes;
}

void AccessEntry::complete() noexcept {
    if (record_)
        record_->is_whole = true;
    record_.reset();
}

}  // namespace zmqspdy::serving
