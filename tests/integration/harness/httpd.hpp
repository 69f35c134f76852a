// A real httpd with the module loaded, in a ServerRoot of its own, on free loopback ports.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/files.hpp"
#include "harness/held_port.hpp"
#include "harness/proc_info.hpp"
#include "harness/process.hpp"

namespace harness {

/// Which lines the generated httpd.conf gets beyond the necessary ones.
struct HttpdSetup {
    /// Further modules, by the names of LoadModule without "_module".
    std::vector<std::string> modules = {};
    /// Into the server's global part, e.g. "ZmqSpdyWindow 65536".
    std::string global = {};
    /// <Location "/"> has SetHandler zmq-spdy.
    bool all_to_workers = true;
    /// Into <Location "/">, behind SetHandler.
    std::string location = {};
    /// Whole sections behind it, e.g. another <Location>.
    std::string sections = {};
    /// The same over TLS on another port (Httpd::tls_port()), with a certificate that nobody signed, and HTTP/2 on both.
    bool tls = false;
    /// One child process only, so that all requests meet in one session with each worker.
    bool single_child = false;
    /// Adds `ZmqSpdyListen tcp://127.0.0.1:PORT`; a test of that directive writes its own.
    bool listen_directive = true;
    /// The worker port; a free one when absent.
    std::optional<HeldPort> worker_port = {};
};

/// Started by start(), stopped in the destructor. What it logged is printed when the test fails.
class Httpd {
  public:
    explicit Httpd(HttpdSetup setup = {});
    ~Httpd();
    Httpd(const Httpd&) = delete;
    Httpd& operator=(const Httpd&) = delete;

    /// A Httpd that runs already.
    [[nodiscard]] static std::unique_ptr<Httpd> started(HttpdSetup setup = {});

    /// Starts it and returns once it accepts connections. Throws with its log when it does not come up.
    void start();
    /// Starts it and returns what it ended with, for starts that must fail; nothing when it is up instead.
    [[nodiscard]] std::optional<ExitCode> start_and_end();
    /// Starts it as administrators do, `httpd -k start`: it goes into the background.
    void start_daemon();
    /// `httpd -k ACTION`: stop, restart, graceful, graceful-stop, and waits for the effect.
    void control(const std::string& action);
    [[nodiscard]] CommandResult configtest() const;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_.number(); }
    /// HttpdSetup::tls
    [[nodiscard]] std::uint16_t tls_port() const noexcept {
        return tls_port_ ? tls_port_->number() : std::uint16_t{0};
    }
    [[nodiscard]] std::uint16_t worker_port() const noexcept { return worker_port_.number(); }
    /// What workers get as --router.
    [[nodiscard]] std::string router() const;
    [[nodiscard]] const TempDir& root() const noexcept { return root_; }

    [[nodiscard]] pid_t pid() const;
    [[nodiscard]] bool running() const;
    /// Its own and those of its descendants, the registry's included.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// The registry; nothing while there is none.
    [[nodiscard]] std::optional<pid_t> registry() const;
    /// The children that serve requests.
    [[nodiscard]] std::vector<pid_t> serving_children() const;

    [[nodiscard]] std::string error_log() const;
    /// Lines of the error log that the module wrote.
    [[nodiscard]] std::vector<std::string> module_log() const;
    /// Adds what its processes hold now to `footprint`.
    [[nodiscard]] Footprint footprint() const;

  private:
    [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& arguments) const;
    [[nodiscard]] std::size_t generations() const;
    [[nodiscard]] bool accepts() const;
    /// `earlier`: generations() before this start.
    void wait_until_ready(std::size_t earlier);

    TempDir root_;
    HeldPort port_;
    std::optional<HeldPort> tls_port_;
    HeldPort worker_port_;
    Process::Environment environment_;
    std::unique_ptr<Process> foreground_;
    pid_t daemon_ = -1;
    class Guardian;
    std::unique_ptr<Guardian> guardian_;
};

/// The MPM the tests run under: ZMQSPDY_TEST_MPM, or event.
[[nodiscard]] std::string mpm();

}  // namespace harness
