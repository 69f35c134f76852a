// A line for each request.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "matchers.hpp"
#include "scratch_folder.hpp"
#include "setting.hpp"
#include "worker/access_log.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;
using zmqspdy::Writer;
using zmqspdy::serving::AccessEntry;
using zmqspdy::serving::AccessLog;
using zmqspdy::serving::Log;
using zmqspdy::test::contains_text;

namespace {

std::string content(const std::filesystem::path& file) {
    std::ostringstream all;
    all << std::ifstream{file}.rdbuf();
    return all.str();
}

/// The lines, with time and duration as "T" and "D".
std::vector<std::string> lines(const std::filesystem::path& file) {
    static const std::regex kTime{R"(\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\])"};
    static const std::regex kTook{R"(" \d+ (\S+ (whole|cut))$)"};
    std::istringstream all{content(file)};
    std::vector<std::string> result;
    for (std::string line; std::getline(all, line);)
        result.push_back(std::regex_replace(std::regex_replace(line, kTime, "[T]"), kTook, "\" D $1"));
    return result;
}

spdy::HeaderBlock request_block(const std::string& path, const std::string& agent = {}) {
    spdy::HeaderBlock block;
    block.add(":method", "GET");
    block.add(":path", path);
    block.add(":version", "HTTP/1.1");
    if (!agent.empty())
        block.add("user-agent", agent);
    return block;
}

}  // namespace

TEST_CASE("each request gets a line in the access log when it has ended") {
    const ScratchFolder folder;
    const auto file = folder.path() / "access.log";
    Setting setting{[](Worker& w) {
                        w.get("/hello", [](Request&) { return Response::text("hello"); });
                        w.get("/large", [](Request&) { return Response::text(std::string(1'000'000, 'x')); });
                        w.get("/stream", [](Request&) {
                            return Response::stream("text/plain", [](Writer& out) {
                                (void)out.write("one");
                                (void)out.write("two");
                            });
                        });
                        w.get("/breaks", [](Request&) {
                            return Response::stream("text/plain", [](Writer& out) {
                                (void)out.write("one");
                                throw std::runtime_error("on purpose");
                            });
                        });
                        w.get("/slow", [](Request& request) {
                            (void)request.sleep_for(10s);
                            return Response::text("too late");
                        });
                    },
                    {},
                    false,
                    0,
                    8,
                    file.string()};
    (void)setting.ask({.path = "/hello?x=1",
                       .headers = {{"x-forwarded-for", "10.0.0.1, 192.0.2.7"},
                                   {"referer", "http://a/b"},
                                   {"user-agent", "curl \"8\"\n"},
                                   {"x-request-id", "id-7"}}});
    (void)setting.ask({.path = "/large"});
    (void)setting.ask({.path = "/stream"});
    (void)setting.ask({.path = "/breaks"});
    (void)setting.ask({.method = "HEAD", .path = "/hello"});
    (void)setting.ask({.path = "/nowhere"});
    (void)setting.child().ask({.path = "/slow"});
    REQUIRE(setting.until([&] { return setting.child().session().output_size() == 0; }));
    (void)setting.ask({.path = "/hello"});  // the slow one has begun
    setting.drop_child();
    REQUIRE(setting.until([&] { return lines(file).size() == 8; }));
    CHECK(
        lines(file) ==
        std::vector<std::string>{
            R"(192.0.2.7 - - [T] "GET /hello?x=1 HTTP/1.1" 200 5 "http://a/b" "curl \"8\"\x0a" D id-7 whole)",
            R"(- - - [T] "GET /large HTTP/1.1" 200 1000000 "-" "-" D - whole)",
            R"(- - - [T] "GET /stream HTTP/1.1" 200 6 "-" "-" D - whole)",
            R"(- - - [T] "GET /breaks HTTP/1.1" 200 3 "-" "-" D - cut)",
            R"(- - - [T] "HEAD /hello HTTP/1.1" 200 0 "-" "-" D - whole)",
            R"(- - - [T] "GET /nowhere HTTP/1.1" 404 10 "-" "-" D - whole)",
            R"(- - - [T] "GET /hello HTTP/1.1" 200 5 "-" "-" D - whole)",
            R"(- - - [T] "GET /slow HTTP/1.1" 499 0 "-" "-" D - cut)"});
}

TEST_CASE("a line of the access log is one line, and no longer than a pipe takes at once") {
    const ScratchFolder folder;
    const auto file = folder.write("access.log", "before\n");
    const Log log{"test"};
    {
        AccessLog access{file.string(), log};
        AccessEntry{access, request_block("/" + std::string(10'000, '"'), std::string(10'000, '\x01'))};
    }
    const std::string all = content(file);
    CHECK(all.starts_with("before\n"));
    CHECK(all.size() - 7 <= AccessLog::kMostLine);
    CHECK(std::count(all.begin(), all.end(), '\n') == 2);
    CHECK_THAT(all, contains_text("... HTTP/1.1\" 499 0 \"-\" \"\\x01\\x01"));
}

TEST_CASE("an access log that nobody reads loses lines, and holds up nothing") {
    std::array<int, 2> notes{};
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(notes.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);  // as a shell makes it: a write would wait
    const zmqspdy::transport::FileDescriptor notes_read{notes[0]};
    const zmqspdy::transport::FileDescriptor notes_write{notes[1]};
    zmqspdy::transport::FileDescriptor read{ends[0]};
    zmqspdy::transport::FileDescriptor write{ends[1]};
    const Log log{"test", notes_write.get()};
    const bool reader_leaves = GENERATE(false, true);
    {
        AccessLog access{"/proc/self/fd/" + std::to_string(write.get()), log};
        if (reader_leaves)
            read = {};
        for (int i = 0; i < 2000; ++i)
            access.write(std::string(100, 'x') + "\n");
    }
    std::array<char, 1000> text{};
    const auto size = ::read(notes_read.get(), text.data(), text.size());
    REQUIRE(size > 0);
    CHECK_THAT((std::string{text.data(), static_cast<std::size_t>(size)}),
               contains_text(" lines of the access log could not be written"));
}

TEST_CASE("an access log that cannot be opened is told in a sentence") {
    const Log log{"test"};
    CHECK_THROWS_WITH(AccessLog("/nonexistent/access.log", log),
                      "cannot open the access log '/nonexistent/access.log': No such file or directory");
}
