// A worker: a process that answers HTTP requests which httpd hands it, and needs to be told nothing but where
// the router is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zmqspdy/request.hpp"
#include "zmqspdy/response.hpp"

namespace zmqspdy {

/// How a worker runs. Every field has a default that serves on one host.
struct Options {
    /// Routers to announce to; the worker serves all of them at once.
    std::vector<std::string> routers{"tcp://127.0.0.1:8000"};
    /// For logs and people; empty: the program's name and pid.
    std::string name;
    /// Requests taken at once: 1 to 65535. httpd keeps the others for other workers, or waits. Of each one's body up to
    /// 1 MiB is held until its handler reads it; less with a capacity above 256, so that it is no more than 256 MiB in
    /// all, but never less than 256 KiB.
    std::uint32_t capacity = 64;
    /// Threads that handlers run on, at most; 0: as many as the capacity. With fewer, requests wait in the worker, the
    /// more urgent in front (Request::priority()).
    std::uint32_t threads = 0;
    /// Share of the traffic compared to other workers: 1 to 100.
    std::uint32_t weight = 1;
    /// The ZmqSpdyService it belongs to; empty: the unnamed one.
    std::string service;
    /// What this worker is, and which version of it, up to 63 visible ASCII characters each: the router warns when workers
    /// of one service differ, since they get each other's requests. Empty: the program's name; no version.
    std::string program;
    std::string version;
    /// Where httpd's children dial this worker; empty: an abstract ipc endpoint of its own. `tcp://ADDRESS:0`
    /// takes a free port; `tcp://*:0` listens everywhere.
    std::string listen;
    /// Listen nowhere; requests come through the connection to the router.
    bool relay = false;
    /// Allow addresses that other hosts can reach, on which nothing is encrypted or authenticated.
    bool insecure = false;

    /// Reads --router (repeatable), --name, --capacity, --threads, --weight, --service, --listen, --relay, --insecure
    /// and one positional NAME. Prints help or a sentence about what is wrong and exits the process when
    /// asked to or when it must.
    [[nodiscard]] static Options from_args(int argc, const char* const* argv);
};

/// Called on a thread of the worker's pool, several at once. An HttpError that it throws becomes that answer,
/// anything else a 500 and a line in the log.
using Handler = std::function<Response(Request&)>;

/// Where a route's handler runs.
enum class Run : std::uint8_t {
    /// On a thread of the pool: the handler may wait and compute as it likes.
    on_thread_pool,
    /// On the worker's only I/O thread, which saves two wake-ups for each request. Only for handlers that
    /// never wait and
    /// are done within microseconds: everything else stands still meanwhile. A request with a body runs on
    /// the pool
    /// all the same, and so do streams and promises that the handler answers with.
    on_io_thread,
};

class Worker;

/// Routes that begin alike; see Worker::group(). All functions are Worker's, with the prefix in front of the pattern.
class RouteGroup {
  public:
    RouteGroup& route(std::string_view method, std::string_view pattern, Handler handler,
                      Run run = Run::on_thread_pool);
    RouteGroup& get(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    RouteGroup& post(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    RouteGroup& put(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    RouteGroup& patch(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    RouteGroup& del(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    RouteGroup& any(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    [[nodiscard]] RouteGroup group(std::string_view prefix) const;

  private:
    friend class Worker;
    RouteGroup(Worker& worker, std::string prefix);
    Worker& worker_;
    std::string prefix_;
};

class Worker {
  public:
    /// Throws std::invalid_argument with a sentence when an option is wrong. Does not connect yet.
    explicit Worker(Options options);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Registers `handler` for a method and a path pattern: literal segments, `:name` for one segment, and
    /// `*name` for the rest at the end. Literal beats `:name` beats `*name`. HEAD is served by GET's handler.
    /// A path that only other methods have answers 405 with Allow; none answers 404. Before run() only.
    /// Throws std::invalid_argument for a malformed or repeated pattern.
    Worker& route(std::string_view method, std::string_view pattern, Handler handler,
                  Run run = Run::on_thread_pool);
    Worker& get(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    Worker& post(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    Worker& put(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    Worker& patch(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    Worker& del(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);
    /// Every method that the pattern has no handler of its own for.
    Worker& any(std::string_view pattern, Handler handler, Run run = Run::on_thread_pool);

    /// The routes below `prefix`, which begins with '/' and does not end in one: `worker.group("/api").get("/users", ...)` serves
    /// /api/users. Groups can have groups; the worker must outlive them.
    [[nodiscard]] RouteGroup group(std::string prefix);

    /// The routing and the error handling without httpd and sockets: for tests of handlers. Any thread.
    [[nodiscard]] Response handle(Request& request) const;

    /// Serves until SIGTERM, SIGINT or stop(): then takes no new requests, finishes those it has, and returns
    /// 0. Reconnects for ever. Returns 1 when it cannot serve at all (its endpoint is taken), after logging
    /// why. Only once. Takes SIGTERM and SIGINT over meanwhile, up to the first of them: a second one ends
    /// the process at once. Tells glibc's malloc to keep up to 16 MiB of freed memory, unless the environment
    /// has settings for it.
    int run();
    /// Begins to drain; run() returns when it is done. Any thread, any number of times, also in a signal
    /// handler.
    void stop() noexcept;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace zmqspdy
