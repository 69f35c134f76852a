#include "zmqspdy/http_date.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>

namespace zmqspdy {

namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t kShort = 3;  // letters of a short name

/// Cuts one thing after the other off a text; once one is not there, nothing else is either.
class Scanner {
  public:
    explicit Scanner(std::string_view text) noexcept : rest_{text} {}

    void skip(std::string_view literal) noexcept {
        is_good_ = is_good_ && rest_.starts_with(literal);
        if (is_good_)
            rest_.remove_prefix(literal.size());
    }
    void skip_day(bool is_long) noexcept {
        for (const auto day : kDays) {
            const auto name = is_long ? day : day.substr(0, kShort);
            if (rest_.starts_with(name))
                return skip(name);
        }
        is_good_ = false;
    }
    [[nodiscard]] unsigned month() noexcept {
        const auto found = std::find(kMonths.begin(), kMonths.end(), rest_.substr(0, kShort));
        is_good_ = is_good_ && found != kMonths.end();
        if (!is_good_)
            return 0;
        rest_.remove_prefix(kShort);
        return static_cast<unsigned>(std::distance(kMonths.begin(), found)) + 1;
    }
    [[nodiscard]] unsigned digits(std::size_t count) noexcept {
        const auto number = rest_.substr(0, count);
        is_good_ = is_good_ && number.size() == count &&
                   std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!is_good_)
            return 0;
        unsigned value = 0;
        for (const char c : number)
            value = value * 10 + static_cast<unsigned>(c - '0');
        rest_.remove_prefix(count);
        return value;
    }
    [[nodiscard]] bool next_is(char c) const noexcept { return rest_.starts_with(c); }
    [[nodiscard]] bool is_done() const noexcept { return is_good_ && rest_.empty(); }
    void fail() noexcept { is_good_ = false; }

  private:
    std::string_view rest_;
    bool is_good_ = true;
};

std::chrono::seconds scan_time(Scanner& scanner) noexcept {
    const unsigned hours = scanner.digits(2);
    scanner.skip(":");
    const unsigned minutes = scanner.digits(2);
    scanner.skip(":");
    const unsigned seconds = scanner.digits(2);
    if (hours > 23 || minutes > 59 || seconds > 60)  // 60: a leap second
        scanner.fail();
    return std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
}

std::optional<sys_seconds> finish(const Scanner& scanner, unsigned year, unsigned month, unsigned day,
                                  std::chrono::seconds time) noexcept {
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                           std::chrono::month{month}, std::chrono::day{day}};
    if (!scanner.is_done() || !date.ok())
        return std::nullopt;
    return std::chrono::sys_days{date} + time;
}

std::optional<sys_seconds> parse_imf_fixdate(std::string_view text) noexcept {
    Scanner scanner{text};
    scanner.skip_day(false);
    scanner.skip(", ");
    const unsigned day = scanner.digits(2);
    scanner.skip(" ");
    const unsigned month = scanner.month();
    scanner.skip(" ");
    const unsigned year = scanner.digits(4);
    scanner.skip(" ");
    const auto time = scan_time(scanner);
    scanner.skip(" GMT");
    return finish(scanner, year, month, day, time);
}

/// With two digits, years until `now` + 50 are of this century.
unsigned whole_year(unsigned two_digits, sys_seconds now) noexcept {
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    const int latest = static_cast<int>(today.year()) + 50;
    const int century = latest - latest % 100;
    const int year = century + static_cast<int>(two_digits);
    return static_cast<unsigned>(year > latest ? year - 100 : year);
}

std::optional<sys_seconds> parse_rfc850(std::string_view text, sys_seconds now) noexcept {
    Scanner scanner{text};
    scanner.skip_day(true);
    scanner.skip(", ");
    const unsigned day = scanner.digits(2);
    scanner.skip("-");
    const unsigned month = scanner.month();
    scanner.skip("-");
    const unsigned year = whole_year(scanner.digits(2), now);
    scanner.skip(" ");
    const auto time = scan_time(scanner);
    scanner.skip(" GMT");
    return finish(scanner, year, month, day, time);
}

std::optional<sys_seconds> parse_asctime(std::string_view text) noexcept {
    Scanner scanner{text};
    scanner.skip_day(false);
    scanner.skip(" ");
    const unsigned month = scanner.month();
    scanner.skip(" ");
    const bool is_padded = scanner.next_is(' ');
    if (is_padded)
        scanner.skip(" ");
    const unsigned day = scanner.digits(is_padded ? 1 : 2);
    scanner.skip(" ");
    const auto time = scan_time(scanner);
    scanner.skip(" ");
    const unsigned year = scanner.digits(4);
    return finish(scanner, year, month, day, time);
}

std::string two_digits(std::chrono::seconds::rep value) {
    const std::string digits = std::to_string(value);
    return digits.size() < 2 ? '0' + digits : digits;
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text, sys_seconds now) noexcept {
    if (const auto time = parse_imf_fixdate(text))
        return time;
    if (const auto time = parse_rfc850(text, now))
        return time;
    return parse_asctime(text);
}

std::string format_http_date(sys_seconds time) {
    // Checked in seconds: the calendar's years would wrap round for times far away.
    static constexpr sys_seconds kBegin = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    static constexpr sys_seconds kEnd = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};
    if (time < kBegin || time >= kEnd)
        throw std::invalid_argument("a date of HTTP has a year of four digits");
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss clock{time - days};
    const std::string year = std::to_string(static_cast<int>(date.year()));
    std::string text{kDays[std::chrono::weekday{days}.c_encoding()].substr(0, kShort)};
    text += ", " + two_digits(static_cast<unsigned>(date.day())) + ' ';
    text += kMonths[static_cast<unsigned>(date.month()) - 1];
    text += ' ' + std::string(4 - year.size(), '0') + year + ' ' + two_digits(clock.hours().count()) + ':' +
            two_digits(clock.minutes().count()) + ':' + two_digits(clock.seconds().count()) + " GMT";
    return text;
}

}  // namespace zmqspdy
