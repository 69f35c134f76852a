// Bodies of a GiB pass whole, through little memory.
#include <algorithm>

#include "catch.hpp"
#include "harness/digest.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr long kAllowedKiB = 64L * 1024;

/// Resident memory of the processes between httpd and the handler, idle and at most.
class MemoryWatch {
  public:
    MemoryWatch(const Httpd& httpd, const Worker& worker) {
        for (const pid_t child : httpd.serving_children()) {
            add("child", child);
        }
        add("registry", httpd.registry().value());
        add("worker", worker.pid());
    }

    void check() const {
        for (const Watched& watched : watched_) {
            const long growth = peak_memory(watched.process) - watched.idle;
            CAPTURE(watched.role, watched.idle, growth);
            CHECK(growth < kAllowedKiB);
        }
    }

  private:
    struct Watched {
        std::string role;
        pid_t process;
        long idle;
    };
    void add(const std::string& role, pid_t process) {
        reset_peak_memory(process);
        watched_.push_back({role, process, resident_memory(process)});
    }
    std::vector<Watched> watched_;
};

/// Of what echo's /bytes/N answers: the byte at offset i is i modulo 251.
std::string digest_of_bytes(std::uint64_t size) {
    constexpr std::size_t period = 251;
    std::string block(period * 4096, '\0');
    for (std::size_t i = 0; i < block.size(); ++i) {
        block[i] = static_cast<char>(i % period);
    }
    Sha256 digest;
    for (std::uint64_t done = 0; done < size; done += block.size()) {
        digest.update(std::string_view{block}.substr(0, std::min<std::uint64_t>(block.size(), size - done)));
    }
    return digest.hex();
}

}  // namespace

TEST_CASE("A response of 1 GiB arrives whole, through little memory", "[big][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    Client client{httpd->port()};
    REQUIRE(client.get("/whoami").ok());
    const MemoryWatch memory{*httpd, worker};

    Sha256 received;
    std::uint64_t size = 0;
    Call call;
    call.path = "/bytes/" + std::to_string(kGiB);
    call.limit = seconds{120};
    call.sink = [&](std::string_view chunk) {
        received.update(chunk);
        size += chunk.size();
    };
    const Reply reply = client.send(call);
    CAPTURE(reply.summary());
    CHECK(reply.ok());
    CHECK(size == kGiB);
    CHECK(received.hex() == digest_of_bytes(kGiB));
    memory.check();
}

TEST_CASE("An upload of 1 GiB arrives whole, through little memory", "[big][core]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    Client client{httpd->port()};
    REQUIRE(client.get("/whoami").ok());
    const MemoryWatch memory{*httpd, worker};

    Sha256 sent;
    PatternSource bytes{31};
    Call call;
    call.method = "POST";
    call.path = "/sha256";
    call.limit = seconds{120};
    call.source_size = kGiB;
    call.source = [&](char* out, std::size_t count) {
        bytes.fill(out, count);
        sent.update({out, count});
    };
    const Reply reply = client.send(call);
    CAPTURE(reply.summary());
    CHECK(reply.ok());
    CHECK(reply.body.find(sent.hex()) != std::string::npos);
    memory.check();
}

TEST_CASE("A client that reads a GiB slowly costs no memory", "[big]") {
    // The worker produces as fast as it can; what holds it back must be the windows.
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const auto httpd = Httpd::started();
    Worker worker{"echo", "worker-1", router_options(httpd->router(), relayed)};
    REQUIRE(joined(*httpd, {"worker-1"}));
    Client client{httpd->port()};
    REQUIRE(client.get("/whoami").ok());
    const MemoryWatch memory{*httpd, worker};
    std::uint64_t size = 0;
    std::uint64_t pauses = 0;
    Call call;
    call.path = "/bytes/" + std::to_string(kGiB);
    call.limit = seconds{120};
    call.sink = [&](std::string_view chunk) {
        size += chunk.size();
        if (size / (64U << 20U) > pauses) {  // every 64 MiB
            ++pauses;
            static_cast<void>(within(milliseconds{100}, [] { return false; }));
        }
    };
    const Reply reply = client.send(call);
    CAPTURE(reply.summary());
    CHECK(reply.ok());
    CHECK(size == kGiB);
    memory.check();
}
