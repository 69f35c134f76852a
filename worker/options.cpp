#include "worker/options.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "transport/announcement.hpp"
#include "transport/endpoint.hpp"
#include "worker/command_line.hpp"
#include "worker/log_line.hpp"
#include "worker/standard_streams.hpp"
#include "zmqspdy/version.hpp"

namespace zmqspdy {

namespace serving {

namespace {

constexpr std::size_t kMostOfHost = 40;
constexpr std::chrono::seconds kMostDrainTimeout = std::chrono::hours{24};

std::optional<std::string> check_endpoint(const std::string& text, std::string_view use, bool insecure) {
    const auto parsed = transport::parse_endpoint(text);
    if (const auto* error = std::get_if<transport::EndpointError>(&parsed))
        return error->why;
    if (!insecure && !transport::is_local(std::get<transport::Endpoint>(parsed)))
        return "'" + text + "' " + std::string(use) +
               ", and nothing is encrypted or authenticated there: use --insecure if that is what you want";
    return std::nullopt;
}

std::optional<std::string> check_router(const std::string& text) {
    const auto parsed = transport::parse_endpoint(text);
    const auto* endpoint = std::get_if<transport::Endpoint>(&parsed);
    const auto* tcp = endpoint != nullptr ? std::get_if<transport::TcpEndpoint>(endpoint) : nullptr;
    if (tcp != nullptr && (tcp->host == "*" || tcp->port == 0))
        return "'" + text + "' is not where a router can be found: it needs a host and a port other than 0";
    return std::nullopt;
}

/// What may stand in a name of what `text` is.
std::string fit(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c <= ' ' || c >= 0x7f; }, '_');
    return text;
}

/// Without its domain; empty when the system does not say.
std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return {};
    const std::string host = fit(name.data());
    return host.substr(0, host.find('.'));
}

/// Each option of Options, once.
OwnOptions declared(Options& options) {
    OwnOptions ours{"ZMQSPDY_"};
    ours.add("--name", options.name, "Name for logs and people (default: PROGRAM-HOST-PID)");
    ours.add("--router", options.routers, "Router to announce to, repeatable (default: tcp://127.0.0.1:8000)",
             "ENDPOINT");
    ours.add("--capacity", options.capacity, "Requests taken at once (default: 64)");
    ours.add("--threads", options.threads, "Threads that handlers run on (default: the capacity)");
    ours.add("--weight", options.weight, "Share of the traffic, 1 to 100 (default: 1)");
    ours.add("--service", options.service, "The ZmqSpdyService it belongs to (default: the unnamed one)");
    ours.add("--listen", options.listen, "Where httpd dials this worker (default: an endpoint of its own)",
             "ENDPOINT");
    ours.add("--relay", options.relay, "Listen nowhere: requests come through the connection to the router");
    ours.add("--insecure", options.insecure, "Allow addresses that other hosts can reach");
    ours.add("--access-log", options.access_log,
             "Where each request gets a line: a file, or - for stdout (default: nowhere)", "FILE");
    const OwnOptions::Set set_level = [&options](const std::string& text) {
        const auto level = level_of(text);
        if (!level)
            throw std::invalid_argument("'" + text + "' is not a level: debug, info, warning and error are");
        options.log_level = *level;
    };
    ours.add("--log-level", set_level,
             "Least level of lines in the log: debug, info, warning or error (default: info)", "LEVEL");
    const OwnOptions::Set set_drain_timeout = [&options](const std::string& text) {
        const auto seconds = parse_number<std::int64_t>(text);
        if (!seconds)
            throw std::invalid_argument("'" + text + "' is not a number of seconds");
        options.drain_timeout = std::chrono::seconds{*seconds};
    };
    ours.add("--drain-timeout", set_drain_timeout,
             "How long requests may go on once it is told to end (default: 30)", "SECONDS");
    return ours;
}

/// A mistake that shows only when all options are known; some of them may stand where nobody looks.
std::string with_variables(std::string why, const std::vector<std::string>& variables) {
    for (const auto& variable : variables)
        why += (&variable == &variables.front() ? "; from the environment: " : ", ") + variable;
    return why;
}

}  // namespace

std::string program_name() {
    return program_invocation_short_name;
}

std::string default_name(const std::string& program, const std::string& host, pid_t process) {
    const std::string pid = "-" + std::to_string(process);
    // What tells pods apart is at the end of their names.
    const std::string tail = host.substr(host.size() - std::min(host.size(), kMostOfHost));
    const std::string middle = tail.empty() ? "" : "-" + fit(tail);
    return fit(program.substr(0, transport::kMaxNameLength - middle.size() - pid.size())) + middle + pid;
}

std::string default_name() {
    return default_name(program_name(), host_name(), ::getpid());
}

const std::string& first_default_name() {
    static const std::string name = default_name();
    return name;
}

std::optional<std::string> complete(Options& options) {
    if (options.name.empty())
        options.name = first_default_name();
    if (!transport::is_valid_name(options.name))
        return "'" + options.name + "' is not a name for a worker: 1 to 63 visible ASCII characters are";
    if (options.capacity < 1 || options.capacity > transport::kMaxCapacity)
        return "the capacity must be 1 to 65535, not " + std::to_string(options.capacity);
    if (options.threads > transport::kMaxCapacity)
        return "the threads must be 0 to 65535, not " + std::to_string(options.threads);
    if (options.weight < 1 || options.weight > transport::kMaxWeight)
        return "the weight must be 1 to 100, not " + std::to_string(options.weight);
    if (!options.service.empty() && !transport::is_valid_name(options.service))
        return "'" + options.service + "' is not a service: up to 63 visible ASCII characters are";
    if (options.program.empty())
        options.program = fit(program_name().substr(0, transport::kMaxNameLength));
    if (!transport::is_valid_name(options.program))
        return "'" + options.program + "' is not the name of a program: 1 to 63 visible ASCII characters are";
    if (!options.version.empty() && !transport::is_valid_name(options.version))
        return "'" + options.version + "' is not a version: up to 63 visible ASCII characters are";
    if (options.drain_timeout < std::chrono::seconds{0} || options.drain_timeout > kMostDrainTimeout)
        return "the drain timeout must be 0 to 86400 seconds, not " +
               std::to_string(options.drain_timeout.count());
    if (options.routers.empty())
        return "a worker needs at least one router";
    for (auto router = options.routers.begin(); router != options.routers.end(); ++router) {
        if (auto why = check_router(*router))
            return why;
        if (auto why = check_endpoint(*router, "is on another host", options.insecure))
            return why;
        if (std::find(options.routers.begin(), router, *router) != router)
            return "the router '" + *router + "' is named twice";
    }
    if (options.relay && !options.listen.empty())
        return "a relayed worker listens nowhere: give --relay or --listen, not both";
    if (!options.listen.empty())
        return check_endpoint(options.listen, "can be reached from other hosts", options.insecure);
    return std::nullopt;
}

std::variant<Options, Exit> parse_options(int argc, const char* const* argv, const OwnOptions& own) {
    Options options;
    const OwnOptions ours = declared(options);
    CommandLine line{"A worker for mod_zmqspdy: answers the HTTP requests that httpd hands it.",
                     program_name()};
    line.add(own, "Options of this program");
    line.add(ours, "Options of every worker", "--name");
    line.add_version(program_name() + " (zmqspdy " + std::string(kVersion) + ")");
    if (auto exit = line.parse(argc, argv))
        return std::move(*exit);
    if (auto why = complete(options))
        return Exit{2, program_name() + ": " + with_variables(std::move(*why), line.used_variables()) + "\n"};
    return options;
}

}  // namespace serving

Options Options::from_args(int argc, const char* const* argv) {
    return from_args(argc, argv, OwnOptions{});
}

Options Options::from_args(int argc, const char* const* argv, const OwnOptions& own) {
    serving::open_standard_streams();
    auto parsed = serving::parse_options(argc, argv, own);
    if (const auto* exit = std::get_if<serving::Exit>(&parsed)) {
        (exit->code == 0 ? std::cout : std::cerr) << exit->text << std::flush;
        std::exit(exit->code);
    }
    return std::get<Options>(std::move(parsed));
}

}  // namespace zmqspdy
