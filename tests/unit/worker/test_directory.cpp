// A folder of files: what is in it, and nothing else.
#include <sys/stat.h>

#include "catch.hpp"
#include "collecting_writer.hpp"
#include "scratch_folder.hpp"
#include "worker/open_beneath.hpp"
#include "zmqspdy/file.hpp"
#include "zmqspdy/worker.hpp"

using namespace test;
using zmqspdy::Directory;
using zmqspdy::DirectoryOptions;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Worker;

namespace {

/// A site in a folder, with a secret next to it.
class Site {
  public:
    Site() {
        folder_.write("site/index.html", "home");
        folder_.write("site/a.txt", "a");
        folder_.write("site/a b.txt", "space");
        folder_.write("site/sub/index.html", "sub");
        folder_.write("site/sub/b.txt", "b");
        folder_.write("site/bare/c.txt", "c");
        folder_.write("site/.hidden", "hidden");
        folder_.write("site/.git/config", "hidden");
        folder_.write("secret", "secret");
        using std::filesystem::create_symlink;
        create_symlink("sub/b.txt", root() / "inside");
        create_symlink("../secret", root() / "outside");
        create_symlink(folder_.path() / "secret", root() / "absolute");
        create_symlink("..", root() / "up");
        create_symlink("/proc/self/root", root() / "magic");
        if (::mkfifo((root() / "fifo").c_str(), 0600) != 0)
            throw std::runtime_error("cannot make a FIFO");
    }
    [[nodiscard]] std::filesystem::path root() const { return folder_.path() / "site"; }

  private:
    ScratchFolder folder_;
};

Response get(const std::string& target, const Directory& directory) {
    Worker worker{{}};
    worker.get("/s/*rest", directory);
    Request request{"GET", target};
    return worker.handle(request);
}

}  // namespace

TEST_CASE("plain paths", "[http]") {
    using zmqspdy::serving::is_plain_path;
    for (const auto* path : {"a", "a/b", "a b/c..", "a\\..\\b", "\xff"})
        CHECK(is_plain_path(path));
    for (const auto* path : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", ".a", "a/.b", "..."})
        CHECK(!is_plain_path(path));
    CHECK(!is_plain_path(std::string_view("a\0b", 3)));
}

TEST_CASE("files of a folder are found", "[http]") {
    const Site site;
    const Directory directory{site.root()};
    struct Case {
        const char* target;
        std::string_view body;
    };
    for (const auto& item : std::vector<Case>{
             {"/s/a.txt", "a"},
             {"/s/a%20b.txt", "space"},
             {"/s/%61.txt?x=../secret", "a"},
             {"/s/sub/b.txt", "b"},
             {"/s/sub%2fb.txt", "b"},
             {"/s/inside", "b"},
             {"/s/", "home"},
             {"/s/sub/", "sub"},
         }) {
        CAPTURE(item.target);
        const auto response = get(item.target, directory);
        CHECK(response.status() == 200);
        CHECK(body_of(response) == item.body);
    }
    CHECK(header_of(get("/s/sub/", directory), "content-type") == "text/html; charset=utf-8");
    std::filesystem::rename(site.root(), site.root().string() + "-moved");
    CHECK(get("/s/a.txt", directory).status() == 200);
}

TEST_CASE("nothing but the files of a folder is found", "[http]") {
    const Site site;
    const Directory directory{site.root()};
    for (const auto* target : {"/s/none",
                               "/s/a.txt/",
                               "/s/a.txt/x",
                               "/s/sub/none",
                               "/s/bare",
                               "/s/bare/",
                               "/s//",
                               "/s//a.txt",
                               "/s/sub//b.txt",
                               "/s/.",
                               "/s/..",
                               "/s/../secret",
                               "/s/%2e%2e/secret",
                               "/s/..%2fsecret",
                               "/s/%2e%2e%2fsecret",
                               "/s/sub/../../secret",
                               "/s/sub/../a.txt",
                               "/s/./a.txt",
                               "/s/.hidden",
                               "/s/%2ehidden",
                               "/s/.git/config",
                               "/s/outside",
                               "/s/absolute",
                               "/s/up/secret",
                               "/s/up/site/a.txt",
                               "/s/magic/etc/passwd",
                               "/s/fifo",
                               "/s/%2fetc/passwd",
                               "/s//etc/passwd",
                               "/s/a.txt%00",
                               "/s/a.txt%00.html",
                               "/s/%00",
                               "/s/..\\secret",
                               "/s/%ff%fe"}) {
        CAPTURE(target);
        CHECK(get(target, directory).status() == 404);
    }
    CHECK(get("/s/" + std::string(100'000, 'x'), directory).status() == 404);
    std::string deep;
    for (int i = 0; i < 10'000; ++i)
        deep += "/x";
    CHECK(get("/s" + deep, directory).status() == 404);
}

TEST_CASE("folders lead to their index, if they shall have one", "[http]") {
    const Site site;
    const auto moved = get("/s/sub?x=1", Directory{site.root()});
    CHECK(moved.status() == 301);
    CHECK(header_of(moved, "location") == "./sub/?x=1");
    CHECK(header_of(get("/s/%73ub", Directory{site.root()}), "location") == "./%73ub/");
    CHECK(get("/s/sub?a\r\nb", Directory{site.root()}).status() == 404);
    const Directory none{site.root(), DirectoryOptions{.index = ""}};
    for (const auto* target : {"/s/", "/s/sub", "/s/sub/"})
        CHECK(get(target, none).status() == 404);
    CHECK(get("/s/a.txt", none).status() == 200);
    CHECK(body_of(get("/s/sub/", Directory{site.root(), DirectoryOptions{.index = "b.txt"}})) == "b");
    CHECK_THROWS_AS((Directory{site.root(), DirectoryOptions{.index = "../secret"}}), std::invalid_argument);
    CHECK_THROWS_AS(Directory{site.root() / "none"}, std::system_error);
    CHECK_THROWS_AS(Directory{site.root() / "a.txt"}, std::system_error);
}

TEST_CASE("without openat2() no symbolic link is followed", "[http]") {
    using namespace zmqspdy::serving;
    const Site site;
    const auto root = open_file(site.root().string());
    REQUIRE(root);
    for (const auto* path : {"a.txt", "sub/b.txt"}) {
        CHECK(open_beneath(root, path));
        CHECK(open_beneath_by_steps(root, path));
    }
    CHECK(open_beneath(root, "inside"));
    for (const auto* path : {"inside", "outside", "absolute", "up/secret", "magic/etc/passwd", "../secret",
                             "a.txt/b", "none/b", ".hidden", ""})
        CHECK(!open_beneath_by_steps(root, path));
}
