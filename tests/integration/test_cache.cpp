// mod_cache in front: what workers allow is kept, and nothing else.
#include <filesystem>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

struct CachingServer {
    explicit CachingServer(const std::string& quick)
        : httpd{{.modules = {"cache", "cache_disk"},
                 .global = "CacheQuickHandler " + quick + "\nCacheRoot " + folder.path().string() +
                           "\nCacheEnable disk /\nCacheIgnoreNoLastMod on"}} {
        fs::permissions(folder.path(), fs::perms{0777});  // httpd's children run as another user
        httpd.start();
    }

    [[nodiscard]] std::string get(const std::string& path, const std::string& fields = "") const {
        return raw_exchange(
            httpd.port(),
            "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + "\r\n");
    }

    TempDir folder;
    Httpd httpd;
};

}  // namespace

TEST_CASE("A response that may be cached is served from the cache, with Age, and the worker works once",
          "[cache]") {
    const std::string quick = GENERATE("on", "off");
    CAPTURE(quick);
    CachingServer server{quick};
    PuppetWorker worker{
        server.httpd, false,
        answers({{"cache-control", "max-age=600"}, {"content-type", "text/plain"}}, "kept\n")};
    const std::string first = server.get("/page");
    CHECK_FALSE(has(first, "\r\nAge: "));
    const std::string second = server.get("/page");
    CAPTURE(first, second);
    CHECK(second.starts_with("HTTP/1.1 200 "));
    CHECK(has(second, "\r\nAge: "));
    CHECK(second.ends_with("kept\n"));
    CHECK(worker.requests().size() == 1);
}

TEST_CASE("The cache honours Vary and no-store", "[cache]") {
    CachingServer server{"on"};
    PuppetWorker worker{
        server.httpd, false, {.completed = [](PuppetWorker::Stream stream) {
            PuppetWorker::Fields fields{{":status", "200"}, {":version", "HTTP/1.1"}};
            if (stream.seen().path() == "/vary") {
                fields.emplace_back("cache-control", "max-age=600");
                fields.emplace_back("vary", "accept-language");
            } else {
                fields.emplace_back("cache-control", "no-store");
            }
            stream.reply(fields);
            stream.data("in " + stream.seen().header("accept-language").value_or("none") + "\n", true);
        }}};
    const std::string german = "Accept-Language: de\r\n";
    const std::string french = "Accept-Language: fr\r\n";
    CHECK(has(server.get("/vary", german), "in de\n"));
    CHECK(has(server.get("/vary", french), "in fr\n"));
    CHECK(has(server.get("/vary", german), "in de\n"));
    CHECK(has(server.get("/vary", french), "in fr\n"));
    CHECK(worker.requests().size() == 2);
    for (std::size_t times = 3; times < 5; ++times) {
        CHECK_FALSE(has(server.get("/no-store"), "\r\nAge: "));
        CHECK(worker.requests().size() == times);
    }
}

TEST_CASE("A stale response is revalidated with the worker, and a 304 makes it fresh", "[cache]") {
    CachingServer server{"on"};
    PuppetWorker worker{server.httpd, false, {.completed = [](PuppetWorker::Stream stream) {
                            if (stream.seen().header("if-none-match") == "\"v1\"") {
                                return stream.reply({{":status", "304"},
                                                     {":version", "HTTP/1.1"},
                                                     {"etag", "\"v1\""},
                                                     {"cache-control", "max-age=0"}},
                                                    true);
                            }
                            stream.reply({{":status", "200"},
                                          {":version", "HTTP/1.1"},
                                          {"etag", "\"v1\""},
                                          {"cache-control", "max-age=0"}});
                            stream.data("the first version\n", true);
                        }}};
    CHECK(has(server.get("/page"), "the first version\n"));
    const std::string again = server.get("/page");
    CAPTURE(again);
    CHECK(again.starts_with("HTTP/1.1 200 "));
    CHECK(has(again, "the first version\n"));
    const auto seen = worker.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen.at(1).header("if-none-match") == "\"v1\"");
}

TEST_CASE("A response that breaks off, or is cut, is not kept", "[cache]") {
    CachingServer server{"on"};
    PuppetWorker worker{server.httpd, false, {.completed = [](PuppetWorker::Stream stream) {
                            PuppetWorker::Fields fields{{":status", "200"},
                                                        {":version", "HTTP/1.1"},
                                                        {"cache-control", "max-age=600"}};
                            if (stream.seen().path() == "/long") {
                                fields.emplace_back("content-length", "4");
                                stream.reply(fields);
                                return stream.data("part of it\n", true);
                            }
                            stream.reply(fields);
                            stream.data("part");
                        }}};
    for (std::size_t times = 1; times < 3; ++times) {
        RawClient client{server.httpd.port()};
        client.send("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
        (void)client.read_until("part");
        CHECK(worker.requests().size() == times);
        worker.act("/broken", [](PuppetWorker::Stream stream) { stream.reset(); });
        CHECK_FALSE(has(client.read_all(), "0\r\n\r\n"));
    }
    for (std::size_t times = 3; times < 5; ++times) {
        CHECK(server.get("/long").ends_with("\r\n\r\npart"));
        CHECK(worker.requests().size() == times);
    }
}
