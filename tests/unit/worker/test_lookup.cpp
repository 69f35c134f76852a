// What a name stands for, by real queries to a name server that does as it is told.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "catch.hpp"
#include "name_server.hpp"
#include "scratch_folder.hpp"
#include "transport/poller.hpp"
#include "worker/lookup.hpp"

using namespace test;
using namespace std::chrono_literals;
using namespace zmqspdy::serving;

namespace {

/// As a worker's loop drives it: only when the Poller, or the deadline, says so.
LookupResult look_up(const std::string& name, const std::vector<Actor*>& servers) {
    Lookup lookup{name};
    zmqspdy::transport::Poller poller;
    poller.add(lookup.fd(), 1);
    std::optional<LookupResult> result = lookup.process();
    REQUIRE(until(servers, [&] {
        if (!poller.wait(1ms).empty() || Lookup::Clock::now() >= lookup.deadline())
            result = lookup.process();
        return result.has_value();
    }));
    poller.remove(lookup.fd());
    return *result;
}

std::vector<std::string> sorted(std::vector<std::string> list) {
    std::sort(list.begin(), list.end());
    return list;
}

}  // namespace

TEST_CASE(
    "a name stands for all of its addresses of both families, for as long as the first of its records "
    "lives") {
    NameServer server;
    AskedServers asked{{server.port()}};
    server.records["router.test"] = {.addresses = {"10.0.0.2", "2001:db8::1", "10.0.0.1", "10.0.0.2"},
                                     .ttl = 7};
    server.records["alias.test"] = {.addresses = {"10.0.0.3"}, .ttl = 4, .alias = "real.test"};
    const auto all = std::get<Addresses>(look_up("router.test", {&server}));
    CHECK(sorted(all.list) == std::vector<std::string>{"10.0.0.1", "10.0.0.2", "2001:db8::1"});
    CHECK(all.ttl == 7s);
    const auto alias = std::get<Addresses>(look_up("alias.test", {&server}));
    CHECK(alias.list == std::vector<std::string>{"10.0.0.3"});
    CHECK(alias.ttl == 4s);
}

TEST_CASE("an answer of one family is an answer") {
    NameServer server;
    AskedServers asked{{server.port()}};
    const std::string address = GENERATE("10.0.0.1", "2001:db8::1");
    server.records["router.test"] = {.addresses = {address}};
    CHECK(std::get<Addresses>(look_up("router.test", {&server})).list == std::vector<std::string>{address});
}

TEST_CASE("names of the hosts file are found there, and no name has more than 64 addresses") {
    NameServer server;
    AskedServers asked{{server.port()}};
    ScratchFolder folder;
    std::string hosts;
    for (int i = 1; i <= 100; ++i)
        hosts += "10.0.0." + std::to_string(i) + " many.test\n";
    folder.write("hosts", hosts);
    ::setenv("CARES_HOSTS", (folder.path() / "hosts").c_str(), 1);
    const auto found = std::get<Addresses>(look_up("many.test", {&server}));
    ::unsetenv("CARES_HOSTS");
    CHECK(found.list.size() == 64);
    CHECK(server.queries() == 0);
}

TEST_CASE("each way in which a look-up brings nothing has its own sentence") {
    NameServer server;
    AskedServers asked{{server.port()}};
    server.records["empty.test"] = {};
    server.records["failing.test"] = {.code = NameServer::server_failure};
    server.records["refused.test"] = {.code = NameServer::refused};
    const auto [name, says] =
        GENERATE(table<std::string, std::string>({{"nowhere.test", "does not exist"},
                                                  {"empty.test", "has no address"},
                                                  {"failing.test", "cannot be reached"},
                                                  {"refused.test", "cannot be reached"}}));
    const auto why = std::get<LookupFailure>(look_up(name, {&server})).why;
    CAPTURE(why);
    CHECK(why.find(says) != std::string::npos);
    CHECK(why.find(name) != std::string::npos);
}

TEST_CASE("a name server that is silent or away is passed over for the next") {
    NameServer first;
    NameServer second;
    second.records["router.test"] = {.addresses = {"10.0.0.1"}};
    SECTION("silent") {
        first.records["router.test"] = {.silent = true};
        AskedServers asked{{first.port(), second.port()}};
        CHECK(std::holds_alternative<Addresses>(look_up("router.test", {&first, &second})));
    }
    SECTION("away") {
        const auto port = [] { return NameServer{}.port(); }();
        AskedServers asked{{port, second.port()}};
        CHECK(std::holds_alternative<Addresses>(look_up("router.test", {&second})));
    }
}

TEST_CASE("a look-up that is given up leaves no descriptor behind") {
    NameServer server;
    AskedServers asked{{server.port()}};
    server.records["router.test"] = {.silent = true};
    const auto lowest_free = [] { return zmqspdy::transport::FileDescriptor{::dup(0)}.get(); };
    const int before = lowest_free();
    for (int i = 0; i < 3; ++i) {
        Lookup lookup{"router.test"};
        CHECK_FALSE(lookup.process().has_value());
    }
    CHECK(lowest_free() == before);
}
