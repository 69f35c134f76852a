#include "mod_zmqspdy/glue/registry_process.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>
#include <unixd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "mod_zmqspdy/core/log_relay.hpp"
#include "mod_zmqspdy/core/registry.hpp"
#include "mod_zmqspdy/glue/fence.hpp"
#include "mod_zmqspdy/glue/log.hpp"
#include "transport/file_descriptor.hpp"

namespace zmqspdy::glue {

namespace {

constexpr const char* kTitle = "httpd (zmqspdy registry)";
constexpr int kExitFault = 1;
// httpd lets modules look after their processes every ten seconds. It takes so many good looks to forget that the
// registry hung, and a registry that does again and again is given up to 2^kMostPatience looks.
constexpr int kLooksUntilTrusted = 6;
constexpr int kMostPatience = 5;
// A registry that ends within a second of its start is no accident; after some of those, trying again is
// noise.
constexpr apr_time_t kShortLife = apr_time_from_sec(1);
constexpr int kMaxShortLives = 5;

// Bumped when a running registry of an older version of this module must not be kept over a restart.
constexpr const char* kRegistryVersion = "5";

void set_title(const process_rec* process) {
    prctl(PR_SET_NAME, "zmqspdy-reg", 0, 0, 0);
    // ps shows the memory that the arguments were passed in, for as long as it was.
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    const auto length = std::distance(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (length < 2)
        return;
    char* const title = const_cast<char*>(process->argv[0]);
    std::memset(title, 0, static_cast<std::size_t>(length));
    std::strncpy(title, kTitle, static_cast<std::size_t>(length) - 1);
}

// The parent's handlers would take signals for httpd; all of them go to one descriptor instead.
transport::FileDescriptor take_signals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    // Sent to the whole group by a terminal or by httpd itself: the parent decides what they mean for us.
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE, SIGALRM})
        signal(number, SIG_IGN);
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    transport::FileDescriptor fd(signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd)
        throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
    return fd;
}

router::RegistryOptions registry_options(const Retained& keep, const ServerConfig& config) {
    router::RegistryOptions options;
    std::copy_if(keep.listen_fds.begin(), keep.listen_fds.end(), std::back_inserter(options.listen_fds),
                 [](int fd) { return fd >= 0; });
    options.listen = keep.listen.data();
    options.relay_endpoint = keep.relay.data();
    options.heartbeat = config.get<setting::Heartbeat>();
    options.insecure = config.get<setting::Insecure>();
    options.identity = keep.identity;
    options.wakeup_fd = keep.wakeup_fd;
    return options;
}

/// Each worker's connection takes one, and so does each child's; httpd's own limit is made for clients.
void allow_all_descriptors() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

/// Its log lines go to the children of whatever configuration is the present one; so do libzmq's last words.
void let_go_of_logs(const Retained& keep, int stop_fd) {
    closelog();
    dup2(keep.log_relay.front(), STDERR_FILENO);
    dup2(keep.log_relay.front(), STDOUT_FILENO);
    // Log files that are rotated away, and the pipes of loggers that wait for their end, among much else.
    std::vector<int> needed(keep.listen_fds.begin(), keep.listen_fds.end());
    needed.insert(needed.end(), {STDERR_FILENO, stop_fd, keep.wakeup_fd, keep.log_relay.front()});
    std::sort(needed.begin(), needed.end());
    for (std::size_t i = 0; i < needed.size(); ++i) {
        const int next = i + 1 < needed.size() ? needed[i + 1] : std::numeric_limits<int>::max();
        if (needed[i] >= STDERR_FILENO && next > needed[i] + 1)
            (void)close_range(static_cast<unsigned>(needed[i]) + 1, static_cast<unsigned>(next) - 1, 0);
    }
}

int serve_workers(const Retained& keep, const ServerConfig& config, router::WorkerTable table, int stop_fd) {
    router::LogSender sender(keep.log_relay.front());
    const router::Log log = [&sender, watch = keep.watch](router::LogLevel level, const std::string& line) {
        if (static_cast<std::uint32_t>(level) <= watch->log_level.load())
            sender.send(level, line);
    };
    try {
        auto options = registry_options(keep, config);
        options.on_turn = [&sender, watch = keep.watch] {
            watch->beats.fetch_add(1);
            sender.flush();
        };
        router::Registry registry(table, std::move(options), log);
        registry.run(stop_fd);
        return 0;
    } catch (const std::exception& error) {
        log(router::LogLevel::error, std::string("the registry ends: ") + error.what());
    }
    return kExitFault;
}

int run_registry(const Retained& keep, const ServerConfig& config, server_rec* s, apr_pool_t* pool) {
    return fenced(s, kExitFault, [&] {
        const auto stop = take_signals();
        // Clients' connections are none of its business, and a listener it kept open would outlive httpd.
        ap_close_listeners();
        set_title(s->process);
        if (ap_run_drop_privileges(pool, s) != 0)
            throw std::runtime_error("the registry cannot change to the User and Group of httpd");
        // Ends with its parent, however that ends. Asked for after the change of user, which clears it; the
        // check covers the time before.
        prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
        if (getppid() != keep.parent)
            return 0;
        auto table = router::WorkerTable::attach(keep.table, keep.table_geometry);
        if (!table)
            throw std::runtime_error("the worker table is of another version of the module");
        let_go_of_logs(keep, stop.get());
        allow_all_descriptors();
        return serve_workers(keep, config, *table, stop.get());
    });
}

std::string settings_of(const Retained& keep, const ServerConfig& config) {
    const auto table = router::WorkerTable::attach(keep.table, keep.table_geometry);
    return std::string(kRegistryVersion) + "|" + keep.listen.data() + "|" +
           std::to_string(config.get<setting::Heartbeat>().count()) + "|" +
           (config.get<setting::Insecure>() ? "insecure" : "secure") + "|" +
           std::to_string(table ? table->geometry().identity : 0) + "|" +
           std::to_string(ap_unixd_config.user_id) + "|" + std::to_string(ap_unixd_config.group_id);
}

void start_registry(Retained& keep, const ServerConfig& config, server_rec* s) {
    apr_pool_t* pool = nullptr;
    apr_pool_create(&pool, s->process->pconf);
    const pid_t pid = fork();
    if (pid < 0)
        throw std::runtime_error(std::string("the registry cannot be forked: ") + std::strerror(errno));
    if (pid == 0) {
        // _exit: what is registered for the parent's end is not this process's to run.
        _exit(run_registry(keep, config, s, pool));
    }
    apr_pool_destroy(pool);
    keep.registry = {};
    keep.registry.pid = pid;
    keep.registry_started = apr_time_now();
    keep.looks.beats = keep.watch->beats.load();
    keep.looks.silent = -1;
    router::assign(keep.settings, settings_of(keep, config));
}

bool has_ended(pid_t pid) {
    int status = 0;
    const pid_t reaped = waitpid(pid, &status, WNOHANG);
    return reaped == pid || (reaped < 0 && errno == ECHILD && kill(pid, 0) != 0);
}

}  // namespace

void stop_registry(Retained& keep) {
    const pid_t pid = std::exchange(keep.registry.pid, 0);
    if (pid == 0)
        return;
    kill(pid, SIGTERM);
    for (int i = 0; i < 300; ++i) {
        if (has_ended(pid))
            return;
        apr_sleep(apr_time_from_msec(10));
    }
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

namespace {

/// Runs when pconf goes, before this code is unloaded: at each restart, and at the end, when alone the
/// registry must go.
apr_status_t on_pconf_gone(void*) noexcept {
    Retained& keep = retained();
    if (getpid() == keep.parent && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING)
        stop_registry(keep);
    return APR_SUCCESS;
}

void watch_registry(Retained& keep, server_rec* s, apr_pool_t* pconf);

void on_registry_event(int reason, void* data, int status) noexcept {
    // Unregistered with pconf, told of a restart: the registry goes on.
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST)
        return;
    auto* const s = static_cast<server_rec*>(data);
    Retained& keep = retained();
    apr_proc_other_child_unregister(data);
    keep.registry.pid = 0;
    int mpm_state = 0;
    if (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state) == APR_SUCCESS && mpm_state == AP_MPMQ_STOPPING)
        return;
    const bool short_life = apr_time_now() - keep.registry_started < kShortLife;
    keep.registry_failures = short_life ? keep.registry_failures + 1 : 0;
    if (keep.registry_failures >= kMaxShortLives) {
        ap_log_error(
            APLOG_MARK, APLOG_CRIT, 0, s,
            "the registry ended %d times right after its start and is not started again: no worker can join; "
            "restart httpd once the cause, in the lines above, is mended",
            keep.registry_failures);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "the registry ended (status %d); starting another", status);
    (void)fenced(s, 0, [&] {
        start_registry(keep, server_config(s), s);
        watch_registry(keep, s, s->process->pconf);
        return 0;
    });
}

void watch_registry(Retained& keep, server_rec* s, apr_pool_t* pconf) {
    apr_proc_other_child_register(&keep.registry, on_registry_event, s, nullptr, pconf);
}

}  // namespace

void supervise_registry(Retained& keep, const ServerConfig& config, server_rec* s, apr_pool_t* pconf) {
    // It may have ended while no configuration was there to hear of it.
    if (keep.registry.pid != 0 && has_ended(keep.registry.pid))
        keep.registry.pid = 0;
    if (keep.registry.pid != 0 && settings_of(keep, config) != keep.settings.data())
        stop_registry(keep);
    keep.registry_failures = 0;
    if (keep.registry.pid == 0) {
        start_registry(keep, config, s);
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "workers are awaited at %s", keep.listen.data());
    }
    watch_registry(keep, s, pconf);
    apr_pool_cleanup_register(pconf, nullptr, on_pconf_gone, apr_pool_cleanup_null);
}

void look_after_registry(Retained& keep, server_rec* s) {
    if (keep.registry.pid == 0)
        return;
    auto& looks = keep.looks;
    const auto beats = keep.watch->beats.load();
    if (beats != std::exchange(looks.beats, beats)) {
        looks.silent = 0;
        if (++looks.alive >= kLooksUntilTrusted)
            looks.hangs = 0;
        return;
    }
    looks.alive = 0;
    // Twice as patient each time: where the machine is what hangs, killing does not mend it.
    if (++looks.silent < 1 << std::min(looks.hangs, kMostPatience))
        return;
    ++looks.hangs;
    looks.silent = -1;
    ap_log_error(
        APLOG_MARK, APLOG_ERR, 0, s,
        "the registry (pid %d) hangs: it has done nothing since it was looked at last, some ten seconds "
        "ago; it is killed, and another takes its place",
        static_cast<int>(keep.registry.pid));
    kill(keep.registry.pid, SIGKILL);
}

}  // namespace zmqspdy::glue
