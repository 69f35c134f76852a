// Each limit of time ends what it limits: never before it is over, and not long after.
#include <future>
#include <map>
#include <mutex>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

// A clock that begins late, or anew, would do so for some of them.
constexpr int kRequests = 12;

/// One of the limits in seconds, which httpd's own Timeout is in.
seconds limit() {
    return std::chrono::ceil<seconds>(patience(seconds{1}));
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

/// The same request many times at once, over a connection each.
class Crowd {
  public:
    Crowd(const Httpd& httpd, std::string request, std::string status)
        : start_{Clock::now()}, request_{std::move(request)}, status_{std::move(status)} {
        for (int i = 0; i < kRequests; ++i) {
            ends_.push_back(std::async(std::launch::async, [port = httpd.port(), this] {
                const std::string response = raw_exchange(port, request_);
                return std::pair{Clock::now(), response};
            }));
        }
    }

    /// All of them end as they should, `limit` after some moment between `from`, or their start, and `to`.
    void check(Clock::time_point from = {}, Clock::time_point to = {}) {
        for (auto& end : ends_) {
            const auto [when, response] = end.get();
            CAPTURE(request_, response);
            CHECK(response.starts_with("HTTP/1.1 " + status_ + " "));
            CHECK(when - std::max(from, start_) >= limit());
            CHECK(when - std::max(to, start_) < milliseconds{limit()} * 8 / 5);
        }
    }

  private:
    Clock::time_point start_;
    std::string request_;
    std::string status_;
    std::vector<std::future<std::pair<Clock::time_point, std::string>>> ends_;
};

std::string section(const std::string& path, const std::string& service, const std::string& directive) {
    return "<Location \"" + path + "\">\nZmqSpdyService " + service + "\nZmqSpdyTimeout 60s\n" + directive +
           " " + std::to_string(limit().count()) + "s\n</Location>\n";
}

}  // namespace

TEST_CASE("Every limit holds for as long as it says, whichever thread is late", "[timeouts]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd =
        Httpd::started({.global = "Timeout " + std::to_string(limit().count()),
                        .location = "ZmqSpdyQueueTimeout 60s",
                        .sections = section("/first", "silent", "ZmqSpdyFirstByteTimeout") +
                                    section("/between", "silent", "ZmqSpdyTimeout") +
                                    section("/all", "silent", "ZmqSpdyRequestTimeout") +
                                    section("/upload", "silent", "ZmqSpdyQueueTimeout") +
                                    section("/queue", "nobody", "ZmqSpdyQueueTimeout") +
                                    section("/after-the-queue", "late", "ZmqSpdyFirstByteTimeout") +
                                    section("/back-in-the-queue", "leaves", "ZmqSpdyQueueTimeout")});
    PuppetWorker silent{*httpd,
                        relayed,
                        {.opened =
                             [](PuppetWorker::Stream stream) {
                                 if (stream.seen().path() == "/between") {
                                     stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}});
                                     stream.data("part");
                                 }
                             }},
                        "silent"};
    auto leaves = std::make_unique<PuppetWorker>(*httpd, relayed, PuppetWorker::Script{}, "leaves");

    Crowd late{*httpd, get("/after-the-queue"), "504"};
    Crowd back{*httpd, get("/back-in-the-queue"), "503"};
    Crowd first{*httpd, get("/first"), "504"};
    Crowd between{*httpd, get("/between"), "200"};
    Crowd all{*httpd, get("/all"), "504"};
    Crowd queue{*httpd, get("/queue"), "503"};
    Crowd upload{*httpd,
                 "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nConnection: "
                 "close\r\n\r\nabc",
                 "408"};
    first.check();
    between.check();
    all.check();
    queue.check();
    upload.check();

    // These have waited in the queue, or at a worker, for that long already.
    REQUIRE(leaves->requests().size() == kRequests);
    const auto from = Clock::now();
    leaves.reset();
    PuppetWorker comes{*httpd, relayed, {}, "late"};
    REQUIRE(eventually(seconds{10}, [&] { return comes.requests().size() == kRequests; }));
    const auto to = Clock::now();
    late.check(from, to);
    back.check(from, to);
}
