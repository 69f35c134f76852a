// Options of a program's own, and all options from the environment.
#include <cstdlib>

#include "catch.hpp"
#include "matchers.hpp"
#include "worker/options.hpp"
#include "zmqspdy/version.hpp"

using zmqspdy::LogLevel;
using zmqspdy::Options;
using zmqspdy::OwnOptions;
using zmqspdy::serving::Exit;
using zmqspdy::serving::parse_options;
using zmqspdy::test::contains_text;

namespace {

/// Set as long as this lives.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_{name} { ::setenv(name, value, 1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_); }

  private:
    const char* name_;
};

std::variant<Options, Exit> parse(std::vector<const char*> words, const OwnOptions& own = OwnOptions{}) {
    words.insert(words.begin(), "worker");
    return parse_options(static_cast<int>(words.size()), words.data(), own);
}

Options accepted(const std::vector<const char*>& words, const OwnOptions& own = OwnOptions{}) {
    auto parsed = parse(words, own);
    if (const auto* exit = std::get_if<Exit>(&parsed))
        FAIL(exit->text);
    return std::get<Options>(parsed);
}

std::string refused(const std::vector<const char*>& words, const OwnOptions& own = OwnOptions{}) {
    auto parsed = parse(words, own);
    if (std::holds_alternative<Options>(parsed))
        return "accepted";
    CHECK(std::get<Exit>(parsed).code == 2);
    return std::get<Exit>(parsed).text;
}

/// A program with one option of each kind.
struct Shop {
    Shop() {
        options.add("--database", database, "Where the orders are")
            .add("--max-orders", max_orders, "How many")
            .add("--rate", rate, "How fast")
            .add("--tag", tags, "Repeatable")
            .add("--dry-run", dry_run, "Sell nothing")
            .add(
                "--colour",
                [this](const std::string& text) {
                    if (text != "red")
                        throw std::invalid_argument("only red");
                    colour = text;
                },
                "Red");
    }
    std::string database = "shop.db";
    unsigned max_orders = 10;
    double rate = 0.5;
    std::vector<std::string> tags{"none"};
    bool dry_run = false;
    std::string colour;
    OwnOptions options{"SHOP_"};
};

}  // namespace

TEST_CASE("a program has options of its own beside the worker's") {
    Shop shop;
    CHECK(accepted({"--capacity", "3"}, shop.options).capacity == 3);
    CHECK(shop.database == "shop.db");
    CHECK(shop.tags == std::vector<std::string>{"none"});
    CHECK(!shop.dry_run);

    const auto options = accepted({"--database", "/x", "--max-orders=7", "--rate", "1.5", "--tag", "a,b",
                                   "fred", "--tag", "c", "--dry-run", "--colour", "red", "--weight", "2"},
                                  shop.options);
    CHECK(options.name == "fred");
    CHECK(options.weight == 2);
    CHECK(shop.database == "/x");
    CHECK(shop.max_orders == 7);
    CHECK(shop.rate == 1.5);
    CHECK(shop.tags == std::vector<std::string>{"a,b", "c"});
    CHECK(shop.dry_run);
    CHECK(shop.colour == "red");

    CHECK_THAT(refused({"--max-orders", "x"}, shop.options),
               contains_text("--max-orders: 'x' is not a number that fits"));
    CHECK_THAT(refused({"--max-orders", "4294967296"}, shop.options), contains_text("fits"));
    CHECK_THAT(refused({"--colour", "blue"}, shop.options), contains_text("--colour: only red"));
    CHECK_THAT(refused({"--dry-run=maybe"}, shop.options), contains_text("--dry-run: 'maybe' is neither"));
}

TEST_CASE("--help names all options and their variables") {
    Shop shop;
    auto parsed = parse({"--help"}, shop.options);
    const auto& exit = std::get<Exit>(parsed);
    CHECK(exit.code == 0);
    for (const char* text :
         {"--router", "ZMQSPDY_ROUTER", "ZMQSPDY_LOG_LEVEL", "ZMQSPDY_ACCESS_LOG", "--database",
          "SHOP_DATABASE", "SHOP_DRY_RUN", "Where the orders are", "commas or spaces"})
        CHECK_THAT(exit.text, contains_text(text));
    OwnOptions silent;
    bool flag = false;
    silent.add("--flag", flag, "A flag");
    parsed = parse({"--help"}, silent);
    CHECK_THAT(std::get<Exit>(parsed).text, contains_text("A flag\n"));  // no variable behind it
}

TEST_CASE("--version names the release of the framework, unless the program has an option of that name") {
    Shop shop;
    auto parsed = parse({"--version"}, shop.options);
    const auto& exit = std::get<Exit>(parsed);
    CHECK(exit.code == 0);
    CHECK_THAT(exit.text, contains_text("(zmqspdy " + std::string(zmqspdy::kVersion) + ")\n"));
    OwnOptions own;
    std::string version;
    own.add("--version", version, "Of the shop");
    parsed = parse({"--version", "7"}, own);
    CHECK(std::holds_alternative<zmqspdy::Options>(parsed));
    CHECK(version == "7");
}

TEST_CASE("names of options that cannot be are refused") {
    OwnOptions own;
    std::string text;
    for (const char* name : {"", "x", "-x", "--", "---x", "--X", "--a b", "--a=b", "NAME,--x"})
        CHECK_THROWS_AS(own.add(name, text, "help"), std::invalid_argument);
    own.add("--router", text, "help");
    CHECK_THROWS_WITH(parse({}, own), "the option --router is there already");
}

TEST_CASE("every option is taken from the environment too, the command line goes before it") {
    const Variable routers{"ZMQSPDY_ROUTER", "tcp://127.0.0.1:1, tcp://127.0.0.1:2 tcp://127.0.0.1:3,"};
    const Variable name{"ZMQSPDY_NAME", "fred"};
    const Variable capacity{"ZMQSPDY_CAPACITY", "7"};
    const Variable threads{"ZMQSPDY_THREADS", "2"};
    const Variable weight{"ZMQSPDY_WEIGHT", ""};  // as if it were not there
    const Variable service{"ZMQSPDY_SERVICE", "blue"};
    const Variable relay{"ZMQSPDY_RELAY", "yes"};
    const Variable insecure{"ZMQSPDY_INSECURE", "0"};
    const Variable level{"ZMQSPDY_LOG_LEVEL", "error"};
    const Variable access{"ZMQSPDY_ACCESS_LOG", "-"};
    auto options = accepted({});
    CHECK(options.routers ==
          std::vector<std::string>{"tcp://127.0.0.1:1", "tcp://127.0.0.1:2", "tcp://127.0.0.1:3"});
    CHECK(options.name == "fred");
    CHECK(options.capacity == 7);
    CHECK(options.threads == 2);
    CHECK(options.weight == 1);
    CHECK(options.service == "blue");
    CHECK(options.relay);
    CHECK(!options.insecure);
    CHECK(options.log_level == LogLevel::error);
    CHECK(options.access_log == "-");

    options = accepted({"--router", "tcp://127.0.0.1:4", "jack", "--capacity", "8", "--relay=false"});
    CHECK(options.routers == std::vector<std::string>{"tcp://127.0.0.1:4"});
    CHECK(options.name == "jack");
    CHECK(options.capacity == 8);
    CHECK(!options.relay);

    const Variable listen{"ZMQSPDY_LISTEN", "tcp://127.0.0.1:0"};
    CHECK(accepted({"--relay=false"}).listen == "tcp://127.0.0.1:0");

    const Variable database{"SHOP_DATABASE", "a, b"};
    const Variable orders{"SHOP_MAX_ORDERS", "3"};
    const Variable tags{"SHOP_TAG", "a,b\tc"};
    Shop shop;
    (void)accepted({"--max-orders", "4", "--relay=off"}, shop.options);
    CHECK(shop.database == "a, b");
    CHECK(shop.max_orders == 4);
    CHECK(shop.tags == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a mistake in the environment is told with its variable") {
    {
        const Variable capacity{"ZMQSPDY_CAPACITY", "many"};
        CHECK_THAT(refused({}), contains_text("ZMQSPDY_CAPACITY: 'many' is not a number that fits"));
        CHECK(refused({"--capacity", "2"}) == "accepted");
    }
    {
        const Variable capacity{"ZMQSPDY_CAPACITY", "0"};
        CHECK_THAT(refused({}), contains_text("capacity must be 1 to 65535, not 0") &&
                                    contains_text("from the environment: ZMQSPDY_CAPACITY"));
    }
    {
        const Variable router{"ZMQSPDY_ROUTER", "http://x"};
        CHECK_THAT(refused({}), contains_text("must begin with tcp://") &&
                                    contains_text("from the environment: ZMQSPDY_ROUTER"));
    }
    {
        const Variable relay{"ZMQSPDY_RELAY", "perhaps"};
        CHECK_THAT(refused({}), contains_text("ZMQSPDY_RELAY: 'perhaps' is neither"));
    }
    {
        const Variable level{"ZMQSPDY_LOG_LEVEL", "loud"};
        CHECK_THAT(refused({}), contains_text("ZMQSPDY_LOG_LEVEL: 'loud' is not a level"));
    }
    const Variable orders{"SHOP_MAX_ORDERS", "-1"};
    Shop shop;
    CHECK_THAT(refused({}, shop.options), contains_text("SHOP_MAX_ORDERS: '-1' is not a number that fits"));
}
