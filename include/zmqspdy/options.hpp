// How a worker runs, and its command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "zmqspdy/log.hpp"
#include "zmqspdy/own_options.hpp"

namespace zmqspdy {

/// How a worker runs. Every field has a default that serves on one host.
struct Options {
    /// Routers to announce to; the worker serves all of them at once.
    std::vector<std::string> routers{"tcp://127.0.0.1:8000"};
    /// For logs and people; empty: PROGRAM-HOST-PID, of the process that runs the worker.
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
    /// Where each request gets a line once its response has been handed over, or is broken off: a file to append to, or "-" for
    /// stdout; empty: nowhere. See docs/framework.md for the format.
    std::string access_log;
    /// Lines that matter less stay out of the log.
    LogLevel log_level = LogLevel::info;
    /// How long a worker that has been told to end lets its requests go on: 0 to 86400 s. What is left then is broken off.
    std::chrono::seconds drain_timeout{30};

    /// Reads the command line, one positional NAME included, and the environment: --help lists all, and the field `log_level`,
    /// say, is --log-level and ZMQSPDY_LOG_LEVEL. Prints help or a sentence about what is wrong and exits the process
    /// when asked to or when it must.
    [[nodiscard]] static Options from_args(int argc, const char* const* argv);
    /// The same with options of the program's own, which it sets. Throws std::invalid_argument when one of them has the name of a
    /// worker's.
    [[nodiscard]] static Options from_args(int argc, const char* const* argv, const OwnOptions& own);
};

}  // namespace zmqspdy
