// A worker: a process that answers HTTP requests which httpd hands it, and needs to be told nothing but where
// the router is.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "zmqspdy/hooks.hpp"
#include "zmqspdy/log.hpp"
#include "zmqspdy/options.hpp"
#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"
#include "zmqspdy/routing.hpp"

namespace zmqspdy {

class Worker;

/// Routes that begin alike; see Worker::group(). A pattern here is what follows the prefix; an empty one is the prefix itself.
class RouteGroup : public RouteMethods<RouteGroup> {
  public:
    [[nodiscard]] RouteGroup group(std::string_view prefix) const;

  private:
    friend class Worker;
    friend class RouteMethods<RouteGroup>;
    RouteGroup(Worker& worker, std::string prefix);
    void add(std::string_view method, std::string_view pattern, Handler handler, Run run);

    Worker& worker_;
    std::string prefix_;
};

class Worker : public RouteMethods<Worker> {
  public:
    /// Throws std::invalid_argument with a sentence when an option is wrong. Does not connect yet.
    explicit Worker(Options options);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// The routes below `prefix`, which begins with '/' and does not end in one: `worker.group("/api").get("/users", ...)` serves
    /// /api/users. Groups can have groups; the worker must outlive them.
    [[nodiscard]] RouteGroup group(std::string prefix);

    /// What is called for every request before its handler, and for every response after it: for handlers' own responses, those
    /// of error pages, and the framework's 404 and 405 as well; for a response that comes later, when it comes. Not for
    /// requests that nobody waits for any more. Several hooks before handlers are called in the order in which they were
    /// given, several after them in the reverse order. On the thread of the handler, several at once, or on that of
    /// Responder::send(). `run` is where a hook may run: routes that are Run::on_io_thread run there only if every hook
    /// and every error page may. Before run() only.
    Worker& before(BeforeHook hook, Run run = Run::on_thread_pool);
    Worker& after(AfterHook hook, Run run = Run::on_thread_pool);

    /// The worker's own page for errors with `status`, 400 to 599, or for all that have none of their own: for the framework's
    /// (404, 405, 500 when a handler throws, 400 for what is no HTTP request, whose method() is empty) and for every
    /// HttpError. A Response with such a status that a handler returns is sent as it is. The status stays, and so
    /// does the Allow of a 405. Where the page throws, the log says so and the framework's own is sent. Threads and `run`
    /// as for hooks. Throws std::invalid_argument for another status and for a second page. Before run() only.
    Worker& error_page(int status, const ErrorPage& page, Run run = Run::on_thread_pool);
    Worker& error_page(const ErrorPage& page, Run run = Run::on_thread_pool);

    /// A line in the worker's log, on stderr: time (UTC), level, the worker's name, `text`. Control characters in it become
    /// '?', so that it stays one line; what goes past 2 KiB is cut. Below Options::log_level it does nothing. Any thread.
    void log(LogLevel level, std::string_view text) const noexcept;

    /// Routes, hooks and error pages without httpd and sockets: for tests of handlers. A Response::later is returned as it is,
    /// without the hooks after handlers. Any thread.
    [[nodiscard]] Response handle(Request& request) const;

    /// Serves until SIGTERM, SIGINT or stop(): then takes no new requests, finishes those it has, and returns
    /// 0. Reconnects for ever. Returns 1 when it cannot serve at all (its endpoint is taken), after logging
    /// why. Only once.
    ///
    /// What is not finished within Options::drain_timeout is broken off: its stop tokens say so, and run() returns a second
    /// later at the latest, or three when the peers do not answer, still with 0. A handler that has not returned by then
    /// keeps its thread and this worker's routes; what else it uses must stay. From then on the end of main() and exit() end the process
    /// without destructors of static objects and without functions that atexit() was given before.
    ///
    /// Takes SIGTERM and SIGINT over meanwhile, unless SIGINT is ignored. A second one within a second of the first is the
    /// same stop; one after that does what it did before, which ends the process by the signal if nobody had changed that, or with exit
    /// code 128 + its number as PID 1 of a container, whose own signals the kernel does not let end it.
    ///
    /// Tells glibc's malloc to keep up to 16 MiB of freed memory, unless the environment
    /// has settings for it.
    int run();
    /// Begins to drain; run() returns when it is done. Any thread, any number of times, also in a signal
    /// handler.
    void stop() noexcept;

  private:
    friend class RouteGroup;
    friend class RouteMethods<Worker>;
    void add(std::string_view method, std::string_view pattern, Handler handler, Run run);

    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace zmqspdy
