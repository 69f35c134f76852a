// What a test does in processes of their own: signals, and what ends them.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <stdexcept>

#include "catch.hpp"

namespace test {

/// What children return that found all as it should be.
constexpr int kGood = 7;

/// What a process ended with: its code, or minus the number of the signal that killed it. Any thread.
inline int end_of(pid_t process) {
    int status = 0;
    if (::waitpid(process, &status, 0) != process)
        throw std::runtime_error("no such child");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// In a child: does not outlive the test, and does not have its handlers.
[[noreturn]] inline void become(const std::function<int()>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(20);
    (void)std::signal(SIGTERM, SIG_DFL);
    (void)std::signal(SIGINT, SIG_DFL);
    ::_exit(body());
}

inline pid_t start(const std::function<int()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
        become(body);
    return child;
}

inline int in_child(const std::function<int()>& body) {
    return end_of(start(body));
}

}  // namespace test
