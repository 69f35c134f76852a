// The command line, and options that cannot be.
#include <unistd.h>

#include <array>

#include "catch.hpp"
#include "matchers.hpp"
#include "worker/options.hpp"
#include "zmqspdy/worker.hpp"

using zmqspdy::Options;
using zmqspdy::Worker;
using zmqspdy::serving::Exit;
using zmqspdy::serving::parse_options;
using zmqspdy::test::contains_text;

namespace {

std::variant<Options, Exit> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "worker");
    return parse_options(static_cast<int>(words.size()), words.data(), zmqspdy::OwnOptions{});
}

Options accepted(const std::vector<const char*>& words) {
    auto parsed = parse(words);
    REQUIRE(std::holds_alternative<Options>(parsed));
    return std::get<Options>(parsed);
}

std::string refused(const std::vector<const char*>& words) {
    auto parsed = parse(words);
    if (std::holds_alternative<Options>(parsed))
        return "accepted";
    CHECK(std::get<Exit>(parsed).code == 2);
    return std::get<Exit>(parsed).text;
}

}  // namespace

TEST_CASE("the command line") {
    const auto none = accepted({});
    CHECK(none.routers == std::vector<std::string>{"tcp://127.0.0.1:8000"});
    CHECK(none.capacity == 64);
    CHECK(none.name.starts_with("test_worker-"));
    CHECK(!none.relay);
    CHECK(none.drain_timeout == std::chrono::seconds{30});
    CHECK(accepted({"--drain-timeout", "0"}).drain_timeout.count() == 0);
    CHECK(accepted({"--drain-timeout", "86400"}).drain_timeout.count() == 86400);

    CHECK(accepted({"fred"}).name == "fred");
    CHECK(accepted({"--name", "fred"}).name == "fred");
    const auto all =
        accepted({"--router", "tcp://127.0.0.1:1", "fred", "--router", "tcp://10.0.0.1:2", "--capacity", "7",
                  "--weight", "3", "--service", "blue", "--listen", "tcp://*:0", "--insecure"});
    CHECK(all.name == "fred");
    CHECK(all.routers == std::vector<std::string>{"tcp://127.0.0.1:1", "tcp://10.0.0.1:2"});
    CHECK(all.capacity == 7);
    CHECK(all.weight == 3);
    CHECK(all.service == "blue");
    CHECK(all.listen == "tcp://*:0");
    CHECK(all.insecure);
    CHECK(accepted({"--relay"}).relay);
    CHECK(none.log_level == zmqspdy::LogLevel::info);
    CHECK(accepted({"--log-level", "warning"}).log_level == zmqspdy::LogLevel::warning);

    const auto help = parse({"--help"});
    CHECK(std::get<Exit>(help).code == 0);
    CHECK(std::get<Exit>(help).text.find("--router") != std::string::npos);
}

TEST_CASE("a wrong command line is answered with a sentence") {
    CHECK_THAT(refused({"--capacity", "0"}), contains_text("capacity must be 1 to 65535"));
    CHECK_THAT(refused({"--capacity", "65536"}), contains_text("capacity must be 1 to 65535"));
    CHECK_THAT(refused({"--threads", "65536"}), contains_text("threads must be 0 to 65535"));
    CHECK_THAT(refused({"--capacity", "x"}), contains_text("capacity"));
    CHECK_THAT(refused({"--capacity", "-1"}), contains_text("capacity"));
    CHECK_THAT(refused({"--weight", "101"}), contains_text("weight must be 1 to 100"));
    CHECK_THAT(refused({"--log-level", "loud"}), contains_text("debug, info, warning and error are"));
    CHECK_THAT(refused({"--drain-timeout", "86401"}),
               contains_text("drain timeout must be 0 to 86400 seconds"));
    CHECK_THAT(refused({"--drain-timeout", "-1"}), contains_text("drain timeout must be 0 to 86400 seconds"));
    CHECK_THAT(refused({"--drain-timeout", "x"}), contains_text("--drain-timeout"));
    CHECK_THAT(refused({"two", "names"}), contains_text("names"));
    CHECK_THAT(refused({"a b"}), contains_text("not a name"));
    CHECK_THAT(refused({"--service", "\n"}), contains_text("not a service"));
    CHECK_THAT(refused({"--unknown"}), contains_text("--unknown"));
    CHECK_THAT(refused({"--router", "http://x"}), contains_text("must begin with tcp://"));
    CHECK_THAT(refused({"--router", "tcp://*:8000"}), contains_text("needs a host"));
    CHECK_THAT(refused({"--router", "tcp://127.0.0.1:0"}), contains_text("port other than 0"));
    CHECK_THAT(refused({"--router", "tcp://10.0.0.1:8000"}), contains_text("--insecure"));
    CHECK_THAT(refused({"--router", "tcp://127.0.0.1:1", "--router", "tcp://127.0.0.1:1"}),
               contains_text("twice"));
    CHECK_THAT(refused({"--listen", "tcp://*:0"}), contains_text("--insecure"));
    CHECK_THAT(refused({"--listen", "tcp://0.0.0.0:0"}), contains_text("--insecure"));
    CHECK_THAT(refused({"--listen", "ipc:///tmp/x"}), contains_text("abstract"));
    CHECK_THAT(refused({"--listen", "tcp://127.0.0.1:0", "--relay"}), contains_text("not both"));
    CHECK(refused({"--listen", "tcp://127.0.0.1:0"}) == "accepted");
    CHECK(refused({"--listen", "tcp://*:0", "--insecure"}) == "accepted");
}

TEST_CASE("the default name tells programs, hosts and processes apart") {
    using zmqspdy::serving::default_name;
    CHECK(default_name("hello", "web1", 7) == "hello-web1-7");
    CHECK(default_name("hello", "", 7) == "hello-7");
    CHECK(default_name("my program", "h\xc3\xb6st", 1) == "my_program-h__st-1");
    // The end of a pod's name is its own.
    const std::string pod = std::string(50, 'd') + "-5d9c7b6f8d-x2x9k";
    const auto longest = default_name(std::string(80, 'p'), pod, 4194304);
    CHECK(longest.size() == 63);
    CHECK(longest.starts_with("pppppppppppppp-d"));
    CHECK(longest.ends_with("-5d9c7b6f8d-x2x9k-4194304"));
    std::array<char, 256> host{};
    REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
    const std::string first_label = std::string(host.data()).substr(0, std::string(host.data()).find('.'));
    CHECK_THAT(accepted({}).name, contains_text(first_label.substr(0, 20)));
}

TEST_CASE("a Worker checks its options") {
    Options options;
    options.capacity = 0;
    CHECK_THROWS_WITH(Worker{options}, "the capacity must be 1 to 65535, not 0");
    options = {};
    options.routers = {};
    CHECK_THROWS_AS(Worker{options}, std::invalid_argument);
    options = {};
    CHECK_NOTHROW(Worker{options});
}

TEST_CASE("a worker announces the name of its program, unless it is told another") {
    const auto complete = [](Options options) {
        CHECK(zmqspdy::serving::complete(options) == std::nullopt);
        return options;
    };
    CHECK(complete({}).program == "test_worker");
    CHECK(complete({}).version.empty());
    Options options;
    options.program = "shop";
    options.version = "1.2";
    CHECK(complete(options).program == "shop");
    CHECK(complete(options).version == "1.2");
    options.version = "1 2";
    CHECK(zmqspdy::serving::complete(options).value_or("").find("'1 2' is not a version") !=
          std::string::npos);
    options.version = "";
    options.program = std::string(64, 'p');
    CHECK(zmqspdy::serving::complete(options).value_or("").find("is not the name of a program") !=
          std::string::npos);
}
