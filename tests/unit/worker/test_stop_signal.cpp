// SIGTERM and SIGINT, in processes of their own.
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

#include "catch.hpp"
#include "child_process.hpp"
#include "worker/stop_signal.hpp"

using namespace std::chrono_literals;
using test::become;
using test::end_of;
using test::in_child;
using test::kGood;
using test::start;
using zmqspdy::serving::StopSignal;

namespace {

bool has_come(const StopSignal& signal) {
    pollfd wanted{signal.fd(), POLLIN, 0};
    return ::poll(&wanted, 1, 0) == 1;
}

}  // namespace

TEST_CASE("two signals at once are one stop, also when the worker has ended before the second", "[process]") {
    const int first = GENERATE(SIGTERM, SIGINT);
    const int second = GENERATE(SIGTERM, SIGINT);
    CHECK(in_child([&] {
              {
                  const StopSignal signal;
                  if (has_come(signal))
                      return 1;
                  std::raise(first);
                  if (!has_come(signal))
                      return 2;
                  std::raise(second);
              }
              std::raise(second);
              return kGood;
          }) == kGood);
}

TEST_CASE("a second signal ends the process when the first was a second ago, also PID 1", "[process]") {
    const auto twice = [] {
        const StopSignal signal;
        std::raise(SIGTERM);
        std::this_thread::sleep_for(1050ms);
        std::raise(SIGTERM);
        return kGood;
    };
    const pid_t usual = start(twice);
    const pid_t after_its_end = start([] {
        {
            const StopSignal signal;
            std::raise(SIGINT);
        }
        std::this_thread::sleep_for(1050ms);
        std::raise(SIGINT);
        return kGood;
    });
    const pid_t with_handler = start([] {
        static volatile std::sig_atomic_t caught;
        caught = 0;
        (void)std::signal(SIGTERM, [](int) { caught = 1; });
        const StopSignal signal;
        std::raise(SIGTERM);
        std::this_thread::sleep_for(1050ms);
        if (caught != 0)
            return 1;
        std::raise(SIGTERM);
        return caught != 0 ? kGood : 2;
    });
    constexpr int kNoNamespace = 99;
    const pid_t parent_of_first = start([&] {
        if (::unshare(CLONE_NEWPID) != 0)
            return kNoNamespace;
        const pid_t child = ::fork();
        if (child == 0)
            become([&] { return ::getpid() == 1 ? twice() : 3; });
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
    });
    CHECK(end_of(usual) == -SIGTERM);
    CHECK(end_of(after_its_end) == -SIGINT);
    CHECK(end_of(with_handler) == kGood);
    const int of_first = end_of(parent_of_first);
    if (of_first == kNoNamespace)
        WARN("not tried as PID 1: this user may not make a namespace of processes");
    else
        CHECK(of_first == 128 + SIGTERM);
}

TEST_CASE("a SIGINT that was ignored stays ignored", "[process]") {
    CHECK(in_child([] {
              (void)std::signal(SIGINT, SIG_IGN);
              {
                  const StopSignal signal;
                  std::raise(SIGINT);
                  if (has_come(signal))
                      return 1;
                  std::raise(SIGTERM);
                  if (!has_come(signal))
                      return 2;
              }
              return std::signal(SIGINT, SIG_DFL) == SIG_IGN ? kGood : 3;  // NOLINT
          }) == kGood);
}

TEST_CASE("a signal to a forked child is the child's alone", "[process][beyond-tsan]") {
    // As fork() does it, and as those do who call the kernel themselves.
    const bool raw = GENERATE(false, true);
    CHECK(in_child([&] {
              const StopSignal signal;
              const pid_t child =
                  raw ? static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) : ::fork();
              if (child == 0) {
                  std::raise(SIGTERM);
                  ::_exit(1);
              }
              int status = 0;
              ::waitpid(child, &status, 0);
              if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
                  return 2;
              if (has_come(signal))
                  return 3;
              std::raise(SIGTERM);
              return has_come(signal) ? kGood : 4;
          }) == kGood);
}

TEST_CASE("a forked child has signals of its own", "[process][beyond-tsan]") {
    CHECK(in_child([] {
              const StopSignal signal;
              const pid_t child = ::fork();
              if (child == 0) {
                  const StopSignal own;
                  std::raise(SIGTERM);
                  ::_exit(has_come(own) ? 0 : 1);
              }
              int status = 0;
              ::waitpid(child, &status, 0);
              if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                  return 2;
              return has_come(signal) ? 3 : kGood;
          }) == kGood);
}
