// Files and content in memory, with preconditions and ranges.
#include "zmqspdy/file.hpp"

#include <sys/stat.h>

#include "catch.hpp"
#include "collecting_writer.hpp"
#include "scratch_folder.hpp"
#include "zmqspdy/conditional.hpp"
#include "zmqspdy/http_date.hpp"

using namespace std::chrono_literals;
using namespace test;
using zmqspdy::content_response;
using zmqspdy::file_response;
using zmqspdy::Request;
using zmqspdy::Response;

namespace {

constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

/// As if it had been there for a while, so that its entity tag is strong.
void age(const std::filesystem::path& file) {
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - 1h);
}

/// Of a file, or of the same bytes in memory.
using Respond = std::function<Response(const Request&)>;

void check_conditions_and_ranges(const Respond& respond, const std::string& etag, const std::string& date) {
    struct Case {
        Request::Fields fields;
        int status;
        std::string_view body;
    };
    const std::vector<Case> cases{
        {{}, 200, "0123456789"},
        {{{"Range", "bytes=2-4"}}, 206, "234"},
        {{{"Range", "bytes=-2"}}, 206, "89"},
        {{{"Range", "bytes=0-"}}, 206, "0123456789"},
        {{{"Range", "bytes=0-0,2-2"}}, 200, "0123456789"},
        {{{"Range", "bytes=10-"}}, 416, "Range Not Satisfiable\n"},
        {{{"Range", "bytes=2-4"}, {"If-Range", etag}}, 206, "234"},
        {{{"Range", "bytes=2-4"}, {"If-Range", date}}, 206, "234"},
        {{{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}, 200, "0123456789"},
        {{{"If-None-Match", etag}}, 304, ""},
        {{{"If-None-Match", etag}, {"Range", "bytes=10-"}}, 304, ""},
        {{{"If-Modified-Since", date}}, 304, ""},
        {{{"If-Modified-Since", kDate}}, date == kDate ? 304 : 200, date == kDate ? "" : "0123456789"},
        {{{"If-Match", "\"other\""}}, 412, "Precondition Failed\n"},
        {{{"If-Match", etag}}, 200, "0123456789"},
    };
    for (const auto& item : cases) {
        CAPTURE(item.fields);
        const auto response = respond(Request{"GET", "/", item.fields});
        CHECK(response.status() == item.status);
        CHECK(body_of(response) == item.body);
        const bool has_validators = item.status < 400;
        CHECK(header_of(response, "etag") == (has_validators ? std::optional{etag} : std::nullopt));
        CHECK(header_of(response, "last-modified") == (has_validators ? std::optional{date} : std::nullopt));
        if (item.status == 200 || item.status == 206) {
            CHECK(header_of(response, "content-length") == std::to_string(item.body.size()));
            CHECK(header_of(response, "accept-ranges") == "bytes");
            CHECK(header_of(response, "content-type") == "text/plain; charset=utf-8");
        }
    }
    CHECK(header_of(respond(Request{"GET", "/", {{"Range", "bytes=2-4"}}}), "content-range") ==
          "bytes 2-4/10");
    CHECK(header_of(respond(Request{"GET", "/", {{"Range", "bytes=10-"}}}), "content-range") == "bytes */10");
    const auto head = respond(Request{"HEAD", "/", {{"Range", "bytes=2-4"}}});
    CHECK(head.status() == 200);
    CHECK(header_of(head, "content-length") == "10");
    const auto post = respond(Request{"POST", "/"});
    CHECK(post.status() == 405);
    CHECK(header_of(post, "allow") == "GET, HEAD");
}

}  // namespace

TEST_CASE("content types by extension", "[http]") {
    using zmqspdy::content_type_of;
    CHECK(content_type_of("a.html") == "text/html; charset=utf-8");
    CHECK(content_type_of("/x.png/a.JS") == "text/javascript; charset=utf-8");
    CHECK(content_type_of("a.tar.gz") == "application/gzip");
    for (const auto* name : {"", ".", "a", "a.", "a.unknown", "x.png/a", "html", "a.html/"})
        CHECK(content_type_of(name) == "application/octet-stream");
}

TEST_CASE("a file is answered with all that caches and downloads need", "[http]") {
    const ScratchFolder folder;
    const auto file = folder.write("a.txt", "0123456789");
    age(file);
    const auto plain = file_response(Request{"GET", "/"}, file);
    const auto etag = header_of(plain, "etag").value_or("");
    CHECK(etag.starts_with('"'));
    check_conditions_and_ranges([&](const Request& request) { return file_response(request, file); }, etag,
                                header_of(plain, "last-modified").value_or(""));
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + 1ms);
    CHECK(header_of(file_response(Request{"GET", "/"}, file), "etag") != etag);
    folder.write("empty", "");
    const auto empty = file_response(Request{"GET", "/"}, folder.path() / "empty");
    CHECK(empty.status() == 200);
    CHECK(body_of(empty).empty());
    CHECK(header_of(empty, "content-length") == "0");
}

TEST_CASE("content in memory is answered as a file is", "[http]") {
    const auto modified = zmqspdy::parse_http_date(kDate);
    const auto respond = [&](const Request& request) {
        return content_response(request, "0123456789", "text/plain; charset=utf-8", "\"x\"", modified);
    };
    check_conditions_and_ranges(respond, "\"x\"", kDate);
    const auto bare = content_response(Request{"GET", "/"}, "abc", "a/b");
    CHECK(bare.body() == "abc");
    CHECK(!header_of(bare, "etag"));
    CHECK(!header_of(bare, "last-modified"));
    const auto any = [&](std::string_view type, std::string_view etag) {
        return content_response(Request{"GET", "/"}, "", type, etag);
    };
    CHECK_NOTHROW(any("a/b", "W/\"\""));
    CHECK_THROWS_AS(any("a/b", "x"), std::invalid_argument);
    CHECK_THROWS_AS(any("a/b", "\"a\r\nb\""), std::invalid_argument);
    CHECK_THROWS_AS(any("a\nb", ""), std::invalid_argument);
    CHECK_THROWS_AS(content_response(Request{"GET", "/"}, "", "a/b", "", std::chrono::sys_seconds::max()),
                    std::invalid_argument);
}

TEST_CASE("a file that is new, or from the future, is not trusted to stay", "[http]") {
    const ScratchFolder folder;
    const auto file = folder.write("a", "x");
    CHECK(header_of(file_response(Request{"GET", "/"}, file), "etag").value_or("").starts_with("W/\""));
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + 1h);
    const auto response = file_response(Request{"GET", "/"}, file);
    CHECK(header_of(response, "etag").value_or("").starts_with("W/\""));
    const auto modified = zmqspdy::parse_http_date(header_of(response, "last-modified").value_or(""));
    REQUIRE(modified);
    CHECK(*modified <= std::chrono::system_clock::now());
}

TEST_CASE("what is no regular file is not found", "[http]") {
    const ScratchFolder folder;
    folder.write("a", "x");
    REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
    std::filesystem::create_symlink("loop", folder.path() / "loop");
    const auto status = [](const std::filesystem::path& path) {
        return file_response(Request{"GET", "/"}, path).status();
    };
    CHECK(status(folder.path() / "a") == 200);
    for (const std::string name : {"", "none", "a/b", "fifo", "loop"})
        CHECK(status(folder.path() / name) == 404);
    CHECK(status(folder.path() / std::string(1000, 'x')) == 404);
    CHECK(status((folder.path() / "a").string() + std::string("\0b", 2)) == 404);
    CHECK(status("") == 404);
    CHECK(status("/dev/null") == 404);
}

TEST_CASE("a file is sent in pieces, while anybody listens and it is whole", "[http]") {
    const ScratchFolder folder;
    std::string content(150'000, 'x');
    content[70'000] = 'y';
    const auto file = folder.write("large", content);
    const auto response = file_response(Request{"GET", "/"}, file);
    REQUIRE(response.as_stream() != nullptr);
    CollectingWriter all;
    (*response.as_stream())(all);
    REQUIRE(all.pieces.size() == 3);
    CHECK(all.pieces[0].size() == 65'536);
    CHECK(body_of(response) == content);
    CollectingWriter one{1};
    (*response.as_stream())(one);
    CHECK(one.pieces.size() == 1);
    std::filesystem::resize_file(file, 100'000);
    CHECK_THROWS_AS(body_of(response), std::runtime_error);
    std::filesystem::remove(file);
    CHECK(body_of(file_response(Request{"GET", "/"}, folder.write("large", "new"))) == "new");
}
