// Server-Sent Events in a real browser, with no configuration. The browser is Chromium without a screen.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "helpers.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

std::optional<std::string> find_browser() {
    for (const char* name : {"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}) {
        const CommandResult found = run({"sh", "-c", "command -v " + std::string{name}});
        if (found.code == 0) {
            return split_lines(found.output).at(0);
        }
    }
    return std::nullopt;
}

bool browser_required() {
    const char* const wanted = std::getenv("ZMQSPDY_TEST_BROWSER");
    return wanted != nullptr && std::string{wanted} == "required";
}

/// Chromium, told what to do over its DevTools' HTTP port.
class Browser {
  public:
    explicit Browser(const std::string& program)
        : process_{{program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--disable-background-networking", "--disable-breakpad", "--no-first-run",
                    "--remote-debugging-port=0", "--user-data-dir=" + folder_.path().string(), "about:blank"},
                   folder_.path() / "output",
                   {{"HOME", folder_.path().string()}}} {
        const fs::path port_file = folder_.path() / "DevToolsActivePort";
        const bool up =
            eventually(seconds{60}, [&] { return read_file(port_file).find('\n') != std::string::npos; });
        INFO(process_.output());
        REQUIRE(up);
        tools_.emplace(static_cast<std::uint16_t>(std::stoi(read_file(port_file))));
    }

    ~Browser() {
        process_.kill_group();
        CHECK(eventually(seconds{10}, [] { return orphans().empty(); }));
    }
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    /// Opens a page and returns its id.
    [[nodiscard]] std::string open(const std::string& url) {
        Call call;
        call.method = "PUT";
        call.path = "/json/new?" + url;
        const Reply reply = tools_->send(call);
        CAPTURE(reply.summary(), reply.body);
        REQUIRE(reply.ok());
        const std::string key = "\"id\": \"";
        const auto at = reply.body.find(key);
        REQUIRE(at != std::string::npos);
        const auto begin = at + key.size();
        return reply.body.substr(begin, reply.body.find('"', begin) - begin);
    }
    void close(const std::string& page) { REQUIRE(tools_->get("/json/close/" + page).ok()); }

  private:
    TempDir folder_;
    Process process_;
    std::optional<Client> tools_;
};

// Tells of every event that it gets, and from which stream.
const std::string kPage = R"(<!doctype html><title>events</title><script>
for (const [name, url] of [["puppet", "/page/events"], ["echo", "/events?ms=100"]])
    new EventSource(url).onmessage = event => fetch(`/page/seen/${name}/${event.lastEventId}`);
</script>)";

}  // namespace

TEST_CASE("Server-Sent Events arrive one by one in a browser, and closing the page cancels the handler",
          "[browser]") {
    const auto program = find_browser();
    if (!program) {
        if (browser_required()) {
            FAIL("there is no Chromium: install chromium-headless-shell");
        }
        WARN("skipped: there is no Chromium (Debian: chromium-headless-shell)");
        return;
    }
    const auto httpd = Httpd::started({.sections = "<Location \"/page\">\nZmqSpdyService page\n</Location>"});
    Worker echo{"echo", "worker-1", router_options(httpd->router())};
    const PuppetWorker::Fields ok{{":status", "200"}, {":version", "HTTP/1.1"}};
    PuppetWorker puppet{
        *httpd,
        false,
        {.completed =
             [&](PuppetWorker::Stream stream) {
                 auto head = ok;
                 const std::string path = stream.seen().path();
                 const bool events = path == "/page/events";
                 head.emplace_back("content-type", events ? "text/event-stream" : "text/html");
                 stream.reply(head);
                 stream.data(events ? "id: 1\ndata: one\n\n" : path == "/page" ? kPage : "", !events);
             }},
        "page"};
    REQUIRE(joined(*httpd, {"worker-1"}));
    Browser browser{*program};
    const std::string page = browser.open("http://127.0.0.1:" + std::to_string(httpd->port()) + "/page");

    // The next event is sent only once the browser has told of the one before.
    for (const std::string id : {"1", "2", "3"}) {
        CAPTURE(id);
        REQUIRE(puppet.await("/page/seen/puppet/" + id));
        const std::string next = std::to_string(std::stoi(id) + 1);
        puppet.act("/page/events",
                   [&](PuppetWorker::Stream stream) { stream.data("id: " + next + "\ndata: next\n\n"); });
    }
    // The same from a handler of the framework, whose stream has no end.
    REQUIRE(puppet.await("/page/seen/echo/1"));
    REQUIRE(puppet.await("/page/seen/echo/2"));
    CHECK(get_once(httpd->port(), "/cancelled").body == "{\"cancelled\":0}\n");

    browser.close(page);
    CHECK(puppet.await("/page/events", [](const auto& seen) { return seen.end == "CANCEL"; }));
    CHECK(eventually(seconds{20},
                     [&] { return get_once(httpd->port(), "/cancelled").body == "{\"cancelled\":1}\n"; }));
}
