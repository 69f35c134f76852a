#include "harness/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "harness/files.hpp"
#include "harness/proc_info.hpp"

extern char** environ;

namespace harness {

namespace {

std::vector<std::string> environment_with(const Process::Environment& extra) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        all.emplace_back(*entry);
    }
    for (const auto& [name, value] : extra) {
        const std::string assignment = name + "=";
        std::erase_if(all, [&](const std::string& have) { return have.starts_with(assignment); });
        all.push_back(assignment + value);
    }
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) {
        all.push_back(word.data());
    }
    all.push_back(nullptr);
    return all;
}

}  // namespace

Process::Process(std::vector<std::string> command, std::filesystem::path output, const Environment& extra,
                 int death_signal)
    : output_{std::move(output)} {
    // Everything that allocates happens before the fork: other threads of the test may hold malloc's locks.
    auto environment = environment_with(extra);
    const auto arguments = pointers(command);
    const auto variables = pointers(environment);
    const int out = ::open(output_.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0 || null < 0) {
        throw std::system_error{errno, std::generic_category(), output_.string()};
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, death_signal);
        ::setsid();  // httpd under prefork ends its whole process group, which must not be the test's
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        if (::getppid() == parent) {
            ::dup2(null, STDIN_FILENO);
            ::dup2(out, STDOUT_FILENO);
            ::dup2(out, STDERR_FILENO);
            ::execvpe(arguments[0], arguments.data(), variables.data());
        }
        ::_exit(127);
    }
    const int failure = errno;
    ::close(out);
    ::close(null);
    if (pid_ < 0) {
        throw std::system_error{failure, std::generic_category(), "fork"};
    }
    expected_children().insert(pid_);
}

Process::~Process() {
    try {
        kill();
    } catch (...) {
        // A destructor has nobody to tell; the check for processes left behind will.
    }
}

bool Process::running() {
    if (!ended_) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            expected_children().erase(pid_);
            ended_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
    return !ended_;
}

void Process::signal(int number) {
    if (running()) {
        ::kill(pid_, number);
    }
}

std::optional<ExitCode> Process::wait(milliseconds limit) {
    if (!eventually(limit, [this] { return !running(); })) {
        return std::nullopt;
    }
    return ended_;
}

void Process::kill_group() {
    ::kill(-pid_, SIGKILL);
    kill();
}

void Process::kill() {
    signal(SIGKILL);
    if (!wait()) {
        throw std::runtime_error{"process " + std::to_string(pid_) + " survived SIGKILL"};
    }
}

std::string Process::output() const {
    return read_file(output_);
}

CommandResult run(std::vector<std::string> command, const Process::Environment& extra) {
    const TempDir folder;
    Process process{std::move(command), folder.path() / "output", extra};
    const auto code = process.wait(seconds{60});
    if (!code) {
        throw std::runtime_error{"a command did not end: " + process.output()};
    }
    return {*code, process.output()};
}

}  // namespace harness
