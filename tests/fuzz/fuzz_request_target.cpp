// Fuzzes router::origin_form() beside a model of httpd's own reading.
//
//   cmake -S . -B build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DZMQSPDY_FUZZ=ON
//   cmake --build build-fuzz --target fuzz_request_target
//   mkdir -p found && build-fuzz/fuzz_request_target -max_total_time=60 found tests/fuzz/corpus/request_target
//
// An input is: a byte with the path rules, and whether a module has changed path and query. Then the target, and behind a
// line end what the module has made: the path, a line end, the query.
#include <optional>
#include <string>
#include <string_view>

#include "input.hpp"
#include "mod_zmqspdy/core/request_target.hpp"
#include "tests/unit/core/httpd_path.hpp"

namespace {

using namespace zmqspdy;

std::string_view line(std::string_view& rest) {
    const auto end = rest.find('\n');
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return taken;
}

void check(std::string_view sent, const test::HttpdTarget& httpd, router::PathRules rules, bool always) {
    router::Target target{sent, httpd.path, std::nullopt};
    if (httpd.query)
        target.query = *httpd.query;
    const auto result = router::origin_form(target, rules);
    require(result || !always);
    require(!result || !test::broken_rule(*result, httpd, rules));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input in{data, size};
    const unsigned choice = in.u8();
    const auto bytes = in.bytes(size);
    std::string_view rest{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    // httpd's strings end at a NUL.
    rest = rest.substr(0, rest.find('\0'));
    const router::PathRules rules{static_cast<router::EncodedSlash>(choice % 3), choice / 3 % 2 == 0};
    const auto sent = line(rest);
    if (const auto httpd = test::read_as_httpd(sent, rules))
        check(sent, *httpd, rules, true);
    test::HttpdTarget made{std::string(line(rest)), std::nullopt};
    if (choice / 6 % 2 == 0)
        made.query = std::string(line(rest));
    check(sent, made, rules, false);
    return 0;
}
