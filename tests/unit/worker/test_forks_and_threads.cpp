// Worker and fork(), threads that end or cannot be had.
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <vector>

#include "catch.hpp"
#include "child_process.hpp"
#include "setting.hpp"

using namespace test;
using namespace std::chrono_literals;
using zmqspdy::Request;
using zmqspdy::Response;
using zmqspdy::Run;
using zmqspdy::Worker;
using zmqspdy::Writer;

namespace {

Worker* own_worker = nullptr;

/// SIGTERM does what it does in programs without a test framework.
struct UsualAction {
    UsualAction() : before{std::signal(SIGTERM, SIG_DFL)} {}
    UsualAction(const UsualAction&) = delete;
    UsualAction& operator=(const UsualAction&) = delete;
    ~UsualAction() { (void)std::signal(SIGTERM, before); }
    void (*before)(int);
};

}  // namespace

TEST_CASE("a worker made before fork() is one of its own in each process", "[process]") {
    const std::string endpoint = unique_endpoint();
    auto options = options_for({endpoint});
    options.name.clear();
    Worker worker{options};
    // They have no threads of this process yet, and no sockets.
    const auto serve = [&worker] {
        own_worker = &worker;
        (void)std::signal(SIGUSR1, [](int) { own_worker->stop(); });
        return worker.run() == 0 ? kGood : 1;
    };
    const pid_t one = start(serve);
    const pid_t two = start(serve);
    zmq::context_t context;
    Registry registry{context, endpoint};
    REQUIRE(until({&registry}, [&] { return registry.announced().size() == 2; }));
    std::vector<std::string> names;
    for (const auto& id : registry.announced())
        names.push_back(registry.link(id).announcement->name);
    for (const pid_t process : {one, two}) {
        const auto pid = "-" + std::to_string(process);
        CHECK(std::count_if(names.begin(), names.end(),
                            [&](const std::string& name) { return name.ends_with(pid); }) == 1);
    }

    worker.stop();  // this process runs none
    ::kill(one, SIGUSR1);
    int status = 0;
    REQUIRE(until({&registry}, [&] { return ::waitpid(one, &status, WNOHANG) == one; }));
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == kGood));
    CHECK(registry.announced().size() == 1);
    CHECK(::waitpid(two, &status, WNOHANG) == 0);
    ::kill(two, SIGTERM);
    REQUIRE(until({&registry}, [&] { return ::waitpid(two, &status, WNOHANG) == two; }));
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == kGood));
}

TEST_CASE("what a handler forks stops itself only", "[process]") {
    const UsualAction usual;
    Worker* running = nullptr;
    Setting setting{[&](Worker& worker) {
        running = &worker;
        worker.get("/fork", [&](Request&) {
            const pid_t child = ::fork();
            if (child == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                running->stop();
                std::raise(SIGTERM);
                ::_exit(1);
            }
            return Response::text(std::to_string(end_of(child)));
        });
        worker.get("/", [](Request&) { return Response::text("here"); });
    }};
    CHECK(setting.ask({.path = "/fork"}).body == std::to_string(-SIGTERM));
    CHECK(setting.ask({.path = "/"}).body == "here");
    CHECK(!setting.child().told_to_go());
}

TEST_CASE("a handler that ends its thread is answered for, and the thread is replaced", "[process]") {
    std::atomic<int> destructed{0};
    struct Guard {
        std::atomic<int>& count;
        ~Guard() { ++count; }
    };
    Setting setting{[&](Worker& worker) {
                        worker.get("/exit", [&](Request&) -> Response {
                            const Guard guard{destructed};
                            ::pthread_exit(nullptr);
                        });
                        worker.get("/stream", [&](Request&) {
                            return Response::stream("a/b", [&](Writer& out) {
                                const Guard guard{destructed};
                                (void)out.write("begun");
                                ::pthread_exit(nullptr);
                            });
                        });
                        worker.get("/later", [&](Request&) {
                            return Response::later([&](const zmqspdy::Responder&) {
                                const Guard guard{destructed};
                                ::pthread_exit(nullptr);
                            });
                        });
                        worker.get("/", [](Request&) { return Response::text("here"); });
                    },
                    {},
                    false,
                    1};
    CHECK(setting.ask({.path = "/exit"}).status() == "500");
    CHECK(setting.ask({.path = "/"}).body == "here");
    CHECK(setting.ask({.path = "/stream"}).reset == spdy::ResetCode::internal_error);
    CHECK(setting.ask({.path = "/later"}).status() == "500");
    // Those that wait for the only thread get the next one.
    std::array<spdy::StreamId, 6> streams{};
    for (std::size_t i = 0; i < streams.size(); ++i)
        streams.at(i) = setting.child().ask({.path = i % 2 == 0 ? "/exit" : "/"});
    for (std::size_t i = 0; i < streams.size(); ++i) {
        REQUIRE(setting.until([&] { return setting.child().reply(streams.at(i)).ended(); }));
        CHECK(setting.child().reply(streams.at(i)).status() == (i % 2 == 0 ? "500" : "200"));
    }
    CHECK(destructed == 6);
}

TEST_CASE("a request waits while there are no threads to be had", "[process]") {
    Setting setting{[](Worker& worker) {
        worker.get("/", [](Request&) { return Response::text("here"); });
        worker.get(
            "/io", [](Request&) { return Response::text("io"); }, Run::on_io_thread);
    }};
    pthread_attr_t usual;
    pthread_attr_t impossible;
    REQUIRE(::pthread_getattr_default_np(&usual) == 0);
    ::pthread_attr_init(&impossible);
    ::pthread_attr_setstacksize(&impossible, std::size_t{1} << 46U);
    REQUIRE(::pthread_setattr_default_np(&impossible) == 0);
    const auto waiting = setting.child().ask({.path = "/"});
    // The I/O thread has tried, and goes on.
    CHECK(setting.ask({.path = "/io"}).body == "io");
    CHECK(setting.ask({.path = "/io"}).body == "io");
    CHECK(!setting.child().reply(waiting).ended());
    REQUIRE(::pthread_setattr_default_np(&usual) == 0);
    ::pthread_attr_destroy(&usual);
    ::pthread_attr_destroy(&impossible);
    REQUIRE(setting.until([&] { return setting.child().reply(waiting).ended(); }));
    CHECK(setting.child().reply(waiting).body == "here");
}
