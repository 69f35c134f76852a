#include "harness/httpd.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "harness/httpd_conf.hpp"
#include "harness/paths.hpp"
#include "harness/raw_client.hpp"
#include "harness/report.hpp"

namespace harness {

namespace fs = std::filesystem;

std::string mpm() {
    const char* given = std::getenv("ZMQSPDY_TEST_MPM");
    return given != nullptr && *given != '\0' ? given : "event";
}

std::string built(const std::string& name) {
    const char* other = std::getenv("ZMQSPDY_TEST_BINDIR");
    const fs::path folder = other != nullptr ? other : BUILD_FOLDER;
    return fs::absolute(folder / name).string();
}

/// Stops a daemon when the test dies: the kernel tells only the test's own children, and a daemon is none.
class Httpd::Guardian {
  public:
    explicit Guardian(pid_t daemon) : pid_{::fork()} {
        if (pid_ == 0) {
            sigset_t term;
            sigemptyset(&term);
            sigaddset(&term, SIGTERM);
            ::sigprocmask(SIG_BLOCK, &term, nullptr);
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            int ignored = 0;
            ::sigwait(&term, &ignored);
            ::kill(daemon, SIGTERM);
            ::_exit(0);
        }
        expected_children().insert(pid_);
    }
    ~Guardian() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        expected_children().erase(pid_);
    }
    Guardian(const Guardian&) = delete;
    Guardian& operator=(const Guardian&) = delete;

  private:
    pid_t pid_;
};

namespace {

/// server.key and server.pem, for localhost.
void make_certificate(const fs::path& folder) {
    const CommandResult made =
        run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-keyout", (folder / "server.key").string(), "-out",
             (folder / "server.pem").string()});
    if (made.code != 0) {
        throw std::runtime_error{"openssl made no certificate: " + made.output};
    }
}

}  // namespace

Httpd::Httpd(HttpdSetup setup) : worker_port_{setup.worker_port ? *setup.worker_port : HeldPort{}} {
    adopt_orphans();
    fs::create_directory(root_.path() / "run");
    fs::create_directory(root_.path() / "htdocs");
    fs::create_directory(root_.path() / "htdocs/static");
    fs::permissions(root_.path(), fs::perms{0755});
    write_file(root_.path() / "htdocs/static/index.txt", "a static file\n");
    if (setup.tls) {
        tls_port_.emplace();
        make_certificate(root_.path());
    }
    write_file(
        root_.path() / "httpd.conf",
        httpd_conf(setup, root_.path(), {.http = port(), .tls = tls_port(), .workers = worker_port()}));
    // A module with a sanitizer inside needs that sanitizer's library to come first in httpd.
    if (const char* preload = std::getenv("ZMQSPDY_TEST_PRELOAD"); preload != nullptr && *preload != '\0') {
        environment_.emplace_back("LD_PRELOAD", preload);
        environment_.emplace_back("ASAN_OPTIONS",
                                  "detect_leaks=1:log_path=" + (root_.path() / "asan").string());
        // Where httpd's children may read it, whoever may read the sources.
        const fs::path suppressions = root_.path() / "lsan.supp";
        fs::copy_file(LSAN_SUPPRESSIONS, suppressions);
        environment_.emplace_back("LSAN_OPTIONS",
                                  "print_suppressions=0:suppressions=" + suppressions.string());
        fs::permissions(root_.path(), fs::perms{0777});  // reports are written by httpd's children's user
    }
}

Httpd::~Httpd() {
    try {
        const auto mine = running() ? processes() : std::vector<pid_t>{};
        if (running()) {
            ::kill(pid(), SIGTERM);
            if (!eventually(seconds{20}, [&] { return !running(); })) {
                report("httpd did not stop within 20 s of SIGTERM", error_log());
            }
        }
        if (!eventually(seconds{5}, [&] { return std::none_of(mine.begin(), mine.end(), alive); })) {
            for (const pid_t process : mine) {
                if (alive(process)) {
                    complain("httpd left a process behind: " + title_of(process));
                    ::kill(process, SIGKILL);
                }
            }
        }
        guardian_.reset();
        expected_children().erase(daemon_);
        for (const pid_t orphan : orphans()) {
            complain("a process was left behind: " + title_of(orphan));
            ::kill(orphan, SIGKILL);
            static_cast<void>(eventually(seconds{5}, [&] { return !alive(orphan); }));
            static_cast<void>(orphans());  // reaps it
        }
        for (const std::string& file : root_.listing()) {
            if (file.starts_with("asan")) {
                complain("AddressSanitizer has something to say:\n" + read_file(root_.path() / file));
            }
        }
        report("httpd's error log (" + mpm() + ")", error_log());
        if (foreground_) {
            report("httpd's standard error", foreground_->output());
        }
    } catch (const std::exception& e) {
        complain(e.what());
    }
}

std::unique_ptr<Httpd> Httpd::started(HttpdSetup setup) {
    auto httpd = std::make_unique<Httpd>(std::move(setup));
    httpd->start();
    return httpd;
}

std::vector<std::string> Httpd::command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{HTTPD_PROGRAM, "-d", root_.path().string(), "-f",
                                   (root_.path() / "httpd.conf").string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

bool Httpd::accepts() const {
    return RawClient::can_connect(port());
}

std::size_t Httpd::generations() const {
    const auto lines = split_lines(error_log());
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("resuming normal operations") != std::string::npos;
    }));
}

void Httpd::wait_until_ready(std::size_t earlier) {
    const auto before = Clock::now();
    // It accepts connections a moment before the worker port is there, and before the registry's process has its title.
    const bool up = eventually(
        seconds{20}, [&] { return !running() || (generations() > earlier && accepts() && registry()); });
    if (!up || !running()) {
        throw std::runtime_error{"httpd did not come up in " + std::to_string(since(before).count()) +
                                 " ms:\n" + (foreground_ ? foreground_->output() : "") + error_log()};
    }
}

void Httpd::start() {
    const std::size_t earlier = generations();
    // httpd shuts its children down on SIGTERM: the right end for it also when the test dies.
    foreground_ =
        std::make_unique<Process>(command({"-DFOREGROUND"}), root_.path() / "stderr", environment_, SIGTERM);
    wait_until_ready(earlier);
}

std::optional<ExitCode> Httpd::start_and_end() {
    foreground_ =
        std::make_unique<Process>(command({"-DFOREGROUND"}), root_.path() / "stderr", environment_, SIGTERM);
    if (!eventually(seconds{20}, [this] { return !foreground_->running() || generations() > 0; })) {
        return std::nullopt;
    }
    return foreground_->running() ? std::nullopt : foreground_->wait();
}

void Httpd::start_daemon() {
    const std::size_t earlier = generations();
    const CommandResult result = run(command({"-k", "start"}), environment_);
    if (result.code != 0) {
        throw std::runtime_error{"httpd -k start failed: " + result.output + error_log()};
    }
    if (!eventually(seconds{20}, [this] { return !read_file(root_.path() / "run/httpd.pid").empty(); })) {
        throw std::runtime_error{"httpd -k start wrote no pid file: " + error_log()};
    }
    daemon_ = std::stoi(read_file(root_.path() / "run/httpd.pid"));
    expected_children().insert(daemon_);
    guardian_ = std::make_unique<Guardian>(daemon_);
    wait_until_ready(earlier);
}

void Httpd::control(const std::string& action) {
    const std::size_t before = generations();
    const CommandResult result = run(command({"-k", action}), environment_);
    if (result.code != 0) {
        throw std::runtime_error{"httpd -k " + action + " failed: " + result.output};
    }
    const bool ends = action == "stop" || action == "graceful-stop";
    if (!eventually(seconds{30}, [&] { return ends ? !running() : generations() > before; })) {
        throw std::runtime_error{"httpd -k " + action + " had no effect:\n" + error_log()};
    }
}

CommandResult Httpd::configtest() const {
    return run(command({"-t"}), environment_);
}

std::string Httpd::router() const {
    return "tcp://127.0.0.1:" + std::to_string(worker_port());
}

pid_t Httpd::pid() const {
    return daemon_ > 0 ? daemon_ : foreground_ ? foreground_->pid() : -1;
}

bool Httpd::running() const {
    if (daemon_ > 0) {
        return ::waitpid(daemon_, nullptr, WNOHANG) == 0;  // our child by adoption
    }
    return foreground_ && foreground_->running();
}

std::vector<pid_t> Httpd::processes() const {
    return running() ? tree_of(pid()) : std::vector<pid_t>{};
}

std::optional<pid_t> Httpd::registry() const {
    for (const pid_t child : children_of(pid())) {
        if (title_of(child).find("(zmqspdy") != std::string::npos) {
            return child;
        }
    }
    return std::nullopt;
}

std::vector<pid_t> Httpd::serving_children() const {
    auto children = children_of(pid());
    std::erase_if(children,
                  [](pid_t child) { return title_of(child).find("(zmqspdy") != std::string::npos; });
    return children;
}

std::string Httpd::error_log() const {
    return read_file(root_.path() / "error_log");
}

std::vector<std::string> Httpd::module_log() const {
    auto lines = split_lines(error_log());
    std::erase_if(lines, [](const std::string& line) { return line.find("[zmqspdy:") == std::string::npos; });
    return lines;
}

Footprint Httpd::footprint() const {
    Footprint footprint;
    footprint.add(processes());
    return footprint;
}

}  // namespace harness
