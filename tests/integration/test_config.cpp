// What configtest refuses, what it lets pass, and what stops a start.
#include <algorithm>

#include "catch.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

struct Refused {
    std::string line;
    bool in_location;
    std::string sentence;  // what the message must hold
};

HttpdSetup setup_with(const std::string& line, bool in_location) {
    HttpdSetup setup;
    (in_location ? setup.location : setup.global) = line;
    setup.listen_directive = line.find("ZmqSpdyListen") == std::string::npos;
    return setup;
}

/// A message of ours begins with the directive's name and goes on to say what is wrong.
bool says(const std::string& output, const std::string& sentence) {
    const auto lines = split_lines(output);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        const auto at = line.find(sentence);
        return at != std::string::npos && line.size() > at + sentence.size() + 10;
    });
}

}  // namespace

TEST_CASE("configtest refuses a wrong value with a sentence that names the directive", "[config][core]") {
    const auto& [line, in_location, sentence] = GENERATE(values<Refused>({
        {"ZmqSpdyListen nonsense", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://127.0.0.1", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://127.0.0.1:0", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://127.0.0.1:65536", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://127.0.0.1:80x", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen http://127.0.0.1:8000", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://0.0.0.0:8000", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://*:8000", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://192.0.2.1:8000", false, "ZmqSpdyListen: "},
        {"ZmqSpdyListen tcp://[::]:8000", false, "ZmqSpdyListen: "},
        {"ZmqSpdyMaxWorkers 0", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyMaxWorkers 4097", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyMaxWorkers -1", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyMaxWorkers many", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyMaxWorkers 12x", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyMaxWorkers 99999999999999999999", false, "ZmqSpdyMaxWorkers: "},
        {"ZmqSpdyQueueLength -1", false, "ZmqSpdyQueueLength: "},
        {"ZmqSpdyQueueLength long", false, "ZmqSpdyQueueLength: "},
        {"ZmqSpdyServiceQueueLength 0", false, "ZmqSpdyServiceQueueLength: "},
        {"ZmqSpdyServiceQueueLength long", false, "ZmqSpdyServiceQueueLength: "},
        {"ZmqSpdyWindow 16383", false, "ZmqSpdyWindow: "},
        {"ZmqSpdyWindow 0", false, "ZmqSpdyWindow: "},
        {"ZmqSpdyWindow -262144", false, "ZmqSpdyWindow: "},
        {"ZmqSpdyWindow 4294967296", false, "ZmqSpdyWindow: "},
        {"ZmqSpdyWindow wide", false, "ZmqSpdyWindow: "},
        {"ZmqSpdyHeartbeat 0", false, "ZmqSpdyHeartbeat: "},
        {"ZmqSpdyHeartbeat -1s", false, "ZmqSpdyHeartbeat: "},
        {"ZmqSpdyHeartbeat often", false, "ZmqSpdyHeartbeat: "},
        {"ZmqSpdyHeartbeat 9ms", false, "ZmqSpdyHeartbeat: '9ms' must be a time from 10ms to 1h"},
        {"ZmqSpdyHeartbeat 2h", false, "ZmqSpdyHeartbeat: '2h' must be a time from 10ms to 1h"},
        {"ZmqSpdySlowStart slowly", false, "ZmqSpdySlowStart: "},
        {"ZmqSpdyGracefulTimeout never", false, "ZmqSpdyGracefulTimeout: "},
        {"ZmqSpdyGracefulTimeout 0", false, "ZmqSpdyGracefulTimeout: "},
        {"ZmqSpdyResponseMemory -1", false, "ZmqSpdyResponseMemory: "},
        {"ZmqSpdyResponseMemory 1M", false, "ZmqSpdyResponseMemory: "},
        {"ZmqSpdyCompression 10", false, "ZmqSpdyCompression: "},
        {"ZmqSpdyCompression -1", false, "ZmqSpdyCompression: "},
        {"ZmqSpdyCompression best", false, "ZmqSpdyCompression: "},
        {"ZmqSpdyInsecure maybe", false, "ZmqSpdyInsecure"},
        {"ZmqSpdyAbortOnClose later", true, "ZmqSpdyAbortOnClose"},
        {"ZmqSpdyTimeout 0", true, "ZmqSpdyTimeout: "},
        {"ZmqSpdyTimeout -5", true, "ZmqSpdyTimeout: "},
        {"ZmqSpdyTimeout long", true, "ZmqSpdyTimeout: "},
        {"ZmqSpdyTimeout 5parsecs", true, "ZmqSpdyTimeout: "},
        {"ZmqSpdyQueueTimeout -1", true, "ZmqSpdyQueueTimeout: "},
        {"ZmqSpdyQueueTimeout soon", true, "ZmqSpdyQueueTimeout: "},
        {"ZmqSpdyRetries 11", true, "ZmqSpdyRetries: "},
        {"ZmqSpdyRetries -1", true, "ZmqSpdyRetries: "},
        {"ZmqSpdyRetries twice", true, "ZmqSpdyRetries: "},
        {"ZmqSpdyFirstByteTimeout 0", true, "ZmqSpdyFirstByteTimeout: "},
        {"ZmqSpdyRequestTimeout never", true, "ZmqSpdyRequestTimeout: "},
        {"ZmqSpdyRequestBuffer -1", true, "ZmqSpdyRequestBuffer: "},
        {"ZmqSpdyRequestBuffer 16777217", true, "ZmqSpdyRequestBuffer: "},
        {"ZmqSpdyResponseBuffer 16777217", true, "ZmqSpdyResponseBuffer: "},
        {"ZmqSpdyResponseBuffer large", true, "ZmqSpdyResponseBuffer: "},
        {"ZmqSpdyPriority 8", true, "ZmqSpdyPriority: "},
        {"ZmqSpdyPriority high", true, "ZmqSpdyPriority: "},
        {"ZmqSpdyPass", true, "ZmqSpdyPass: "},
        {"ZmqSpdyPass REMOTE-USER", true, "ZmqSpdyPass: "},
        {"ZmqSpdyPass REMOTE_USER None", true, "ZmqSpdyPass: "},
        {"ZmqSpdyServe maybe", true, "ZmqSpdyServe"},
        {"<Directory \"/\">\nZmqSpdyServe on\n</Directory>", false, "ZmqSpdyServe cannot occur"},
        // httpd's own words, as for every directive of every module.
        {"ZmqSpdyService", true, "ZmqSpdyService takes one argument"},
        {"ZmqSpdyWindow 65536", true, "ZmqSpdyWindow not allowed"},
        {"ZmqSpdyListen tcp://127.0.0.1:8000", true, "ZmqSpdyListen not allowed"},
        {"ZmqSpdyNonsense 1", false, "Invalid command 'ZmqSpdyNonsense'"},
    }));
    CAPTURE(line);
    const Httpd httpd{setup_with(line, in_location)};
    const CommandResult result = httpd.configtest();
    CAPTURE(result.output);
    CHECK(result.code > 0);
    CHECK(says(result.output, sentence));
}

TEST_CASE("configtest lets every directive pass with a right value", "[config][core]") {
    const std::string global = GENERATE(
        "", "ZmqSpdyListen tcp://127.0.0.1:8000", "ZmqSpdyListen tcp://localhost:8000",
        "ZmqSpdyInsecure on\nZmqSpdyListen tcp://0.0.0.0:8000",
        "ZmqSpdyListen tcp://*:8000\nZmqSpdyInsecure on", "ZmqSpdyInsecure off", "ZmqSpdyMaxWorkers 1",
        "ZmqSpdyMaxWorkers 4096", "ZmqSpdyQueueLength 0", "ZmqSpdyQueueLength 100000", "ZmqSpdyWindow 16384",
        "ZmqSpdyResponseMemory 0", "ZmqSpdyServiceQueueLength 1", "ZmqSpdyWindow 1048576",
        "ZmqSpdyHeartbeat 500ms", "ZmqSpdySlowStart 30s", "ZmqSpdyHeartbeat 1", "ZmqSpdyGracefulTimeout none",
        "ZmqSpdyGracefulTimeout 30s", "ZmqSpdyHeartbeat 2s", "ZmqSpdyCompression 0", "ZmqSpdyCompression 9",
        "ZmqSpdyServe off");
    CAPTURE(global);
    HttpdSetup setup = setup_with(global, false);
    setup.location =
        "ZmqSpdyTimeout 30s\nZmqSpdyQueueTimeout 500ms\nZmqSpdyRetries 0\n"
        "ZmqSpdyService blue\nZmqSpdyServe on\nZmqSpdyFirstByteTimeout 1min\nZmqSpdyRequestTimeout "
        "1h\nZmqSpdyPriority 0\nZmqSpdyRequestBuffer 0\nZmqSpdyResponseBuffer 0\n"
        "ZmqSpdyPass REMOTE_USER SSL_PROTOCOL COLOUR\nZmqSpdyPass None\n";
    const CommandResult result = Httpd{setup}.configtest();
    CAPTURE(result.output);
    CHECK(result.code == 0);
    CHECK(result.output.find("Syntax OK") != std::string::npos);
}

TEST_CASE("A busy worker port stops the start with a sentence that names the port", "[config][core]") {
    HttpdSetup setup;
    setup.worker_port.emplace();
    const auto first = Httpd::started(setup);
    Httpd second{setup};
    const auto code = second.start_and_end();
    const std::string said = read_file(second.root().path() / "stderr") + second.error_log();
    CAPTURE(said);
    REQUIRE(code.has_value());
    CHECK(*code != 0);
    const auto lines = split_lines(said);
    const std::string port = std::to_string(first->worker_port());
    CHECK(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(port) != std::string::npos && line.find("zmqspdy") != std::string::npos;
    }));

    // The one that was there first does not suffer.
    Worker worker{"hello", "worker-1", router_options(first->router())};
    CHECK(in_rotation(*first, {"worker-1"}));
}

TEST_CASE(
    "A worker refuses to listen where others can reach it, unless it is told that the network is trusted",
    "[config]") {
    const auto httpd = Httpd::started();
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--listen", "tcp://0.0.0.0:0"});
    Worker refused{"hello", "open", options};
    const auto code = refused.process().wait();
    CAPTURE(refused.process().output());
    REQUIRE(code.has_value());
    CHECK(*code > 0);
    CHECK(refused.process().output().find("insecure") != std::string::npos);

    options.emplace_back("--insecure");
    Worker trusted{"hello", "trusted", options};
    CHECK(in_rotation(*httpd, {"trusted"}));
}

TEST_CASE("A worker that listens on a loopback port needs no permission", "[config]") {
    const auto httpd = Httpd::started();
    auto options = router_options(httpd->router());
    options.insert(options.end(), {"--listen", "tcp://127.0.0.1:0"});
    Worker worker{"hello", "tcp", options};
    CHECK(in_rotation(*httpd, {"tcp"}));
}

TEST_CASE("The sample configuration passes configtest and serves", "[config]") {
    // As on Debian: the .load names the module, the .conf does the rest; only the paths and ports are the test's.
    HttpdSetup setup;
    setup.all_to_workers = false;
    setup.global = read_file(std::string{SAMPLE_CONF} + "/zmqspdy.conf");
    REQUIRE_FALSE(setup.global.empty());
    const auto httpd = Httpd::started(setup);
    Worker worker{"hello", "worker-1", router_options(httpd->router())};
    CHECK(in_rotation(*httpd, {"worker-1"}));
}
