// What directives set, each declared once: the directive's parser and its help, the merge of sections and the table in
// docs/operations.md are made of these declarations. Knows no httpd.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>

#include "transport/announcement.hpp"

namespace zmqspdy::glue {

using Milliseconds = std::chrono::milliseconds;

/// Where a directive may stand, beside the server itself: nowhere; in virtual hosts and <Location>, since it counts before httpd
/// looks for a file and so before it knows of the other sections; in all sections.
enum class Context { server, location, directory };

struct PassedVariable;

/// The declarations. Each derives from its kind, which has the type of the value and the word for it in the documentation, and
/// has
///   name       as in the configuration
///   context    where it may stand
///   meaning    a sentence without its end, in Markdown
///   standard   the value without the directive; none where that depends on others: see Settings::given()
///   unset      how the documentation calls what holds without the directive, where that is not `standard`; empty: nothing
namespace setting {

struct Flag {
    using Value = bool;
    static constexpr const char* argument = "on\\|off";
};

struct Text {
    using Value = const char*;
};

template <typename Type, std::uint64_t Least, std::uint64_t Most>
struct Number {
    using Value = Type;
    static constexpr std::uint64_t least = Least;
    static constexpr std::uint64_t most = Most;
    static constexpr const char* argument = "N";
    static_assert(Most <= std::numeric_limits<Type>::max());
};

template <typename Type, std::uint64_t Least, std::uint64_t Most>
struct Bytes : Number<Type, Least, Most> {
    static constexpr const char* argument = "BYTES";
};

/// From a millisecond to a day: what is outside is a slip of the pen.
struct Time {
    using Value = Milliseconds;
    static constexpr Milliseconds least{1};
    static constexpr Milliseconds most = std::chrono::hours{24};
    static constexpr const char* argument = "TIME";
};

/// `none` is Milliseconds::max().
struct TimeOrNone : Time {
    static constexpr const char* argument = "TIME \\| none";
};

struct Listen : Text {
    static constexpr const char* name = "ZmqSpdyListen";
    static constexpr const char* argument = "tcp://HOST:PORT";
    static constexpr Context context = Context::server;
    static constexpr Value standard = "tcp://127.0.0.1:8000";
    static constexpr const char* meaning =
        "where workers announce themselves: an address, `localhost` for 127.0.0.1 and [::1], `*` for every "
        "address, or a name for all that it resolves to at start";
};

struct Insecure : Flag {
    static constexpr const char* name = "ZmqSpdyInsecure";
    static constexpr Context context = Context::server;
    static constexpr Value standard = false;
    static constexpr const char* meaning =
        "allow addresses that other hosts can reach, unencrypted and unauthenticated";
};

struct MaxWorkers : Number<std::uint32_t, 1, 4096> {
    static constexpr const char* name = "ZmqSpdyMaxWorkers";
    static constexpr Context context = Context::server;
    static constexpr Value standard = 256;
    static constexpr const char* meaning = "workers at once";
};

struct QueueLength : Number<std::size_t, 0, 1'000'000> {
    static constexpr const char* name = "ZmqSpdyQueueLength";
    static constexpr Context context = Context::server;
    static constexpr Value standard = 1024;
    static constexpr const char* meaning =
        "requests of one child that may wait for a worker; more get 503 at once";
};

struct ServiceQueueLength : Number<std::size_t, 1, 1'000'000> {
    static constexpr const char* name = "ZmqSpdyServiceQueueLength";
    static constexpr Context context = Context::server;
    static constexpr const char* unset = "3/4 of `MaxRequestWorkers`";
    static constexpr const char* meaning =
        "requests of one service that may wait for a worker, in all children together; more get 503 at "
        "once. So a service with few workers cannot take all of httpd's threads";
};

struct Window : Bytes<std::uint32_t, 16384, 16777216> {
    static constexpr const char* name = "ZmqSpdyWindow";
    static constexpr Context context = Context::server;
    static constexpr Value standard = 256 * 1024;
    static constexpr const char* meaning =
        "bytes of one response under way from its worker, and of one request body that wait in httpd";
};

struct ResponseMemory : Bytes<std::size_t, 0, std::uint64_t{64} << 30> {
    static constexpr const char* name = "ZmqSpdyResponseMemory";
    static constexpr Context context = Context::server;
    static constexpr Value standard = std::size_t{32} * 1024 * 1024;
    static constexpr const char* meaning =
        "what a child keeps of responses for `ZmqSpdyResponseBuffer`, beyond the window of each; never more. "
        "0: none";
};

struct Heartbeat : Time {
    static constexpr const char* name = "ZmqSpdyHeartbeat";
    static constexpr Milliseconds least = transport::kLeastHeartbeat;
    static constexpr Milliseconds most = transport::kMostHeartbeat;
    static constexpr Context context = Context::server;
    static constexpr Value standard{1000};
    static constexpr const char* meaning =
        "time between signs of life; a worker is gone after three silent ones";
};

struct SlowStart : Time {
    static constexpr const char* name = "ZmqSpdySlowStart";
    static constexpr Context context = Context::server;
    static constexpr Value standard{0};
    static constexpr const char* unset = "none";
    static constexpr const char* meaning =
        "ramp-up time: the weight of a worker that joins grows from 1 % to 100 % over it. An idle one "
        "still gets its turn, and every request that no other worker can take";
};

struct GracefulTimeout : TimeOrNone {
    static constexpr const char* name = "ZmqSpdyGracefulTimeout";
    static constexpr Context context = Context::server;
    static constexpr Value standard = std::chrono::minutes{10};
    static constexpr const char* meaning =
        "how long a child that is to end lets requests go on at their workers";
};

struct Compression : Number<int, 0, 9> {
    static constexpr const char* name = "ZmqSpdyCompression";
    static constexpr Context context = Context::server;
    static constexpr Value standard = 0;
    static constexpr const char* meaning = "zlib level of headers sent to workers";
};

struct Timeout : Time {
    static constexpr const char* name = "ZmqSpdyTimeout";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = std::chrono::seconds{60};
    static constexpr const char* meaning = "longest silence of a worker that has the request; then 504";
};

struct FirstByteTimeout : Time {
    static constexpr const char* name = "ZmqSpdyFirstByteTimeout";
    static constexpr Context context = Context::directory;
    static constexpr const char* unset = "`ZmqSpdyTimeout`";
    static constexpr const char* meaning =
        "longest silence of a worker that has the request, before its response has begun";
};

struct RequestTimeout : Time {
    static constexpr const char* name = "ZmqSpdyRequestTimeout";
    static constexpr Context context = Context::directory;
    static constexpr const char* unset = "no limit";
    static constexpr const char* meaning = "time for a request in all; then 503 without a worker, else 504";
};

struct QueueTimeout : Time {
    static constexpr const char* name = "ZmqSpdyQueueTimeout";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = std::chrono::seconds{5};
    static constexpr const char* meaning = "longest wait for a worker; then 503 with Retry-After";
};

struct Retries : Number<unsigned, 0, 10> {
    static constexpr const char* name = "ZmqSpdyRetries";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = 2;
    static constexpr const char* meaning =
        "further workers to try when one is lost over a request that may be repeated";
};

struct ReplayBuffer : Bytes<std::size_t, 0, 16777216> {
    static constexpr const char* name = "ZmqSpdyReplayBuffer";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = std::size_t{64} * 1024;
    static constexpr const char* meaning =
        "longest request body that is kept until the response begins, so that it can be sent to another "
        "worker. Whatever this says, up to 1 MiB is kept until the worker has accepted the request, since "
        "it may refuse it";
};

struct RequestBuffer : Bytes<std::size_t, 0, 16777216> {
    static constexpr const char* name = "ZmqSpdyRequestBuffer";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = std::size_t{64} * 1024;
    static constexpr const char* meaning =
        "longest request body, by its Content-Length, that is read whole before a worker is asked for, so "
        "that a slow upload holds no worker's place. Longer bodies, and those without a length or with "
        "`Expect: 100-continue`, flow at once. 0: none";
};

struct ResponseBuffer : Bytes<std::size_t, 0, 16777216> {
    static constexpr const char* name = "ZmqSpdyResponseBuffer";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = std::size_t{1024} * 1024;
    static constexpr const char* meaning =
        "a response whose rest fits into so many bytes is taken from its worker although the client reads "
        "slowly, so that the worker's place is free sooner; of a response without a length, up to so many "
        "bytes are. They come on top of `ZmqSpdyWindow`. 0: none";
};

struct Serve : Flag {
    static constexpr const char* name = "ZmqSpdyServe";
    static constexpr Context context = Context::location;
    static constexpr Value standard = false;
    static constexpr const char* meaning = "workers get what nothing else in httpd's configuration answers";
};

struct Service : Text {
    static constexpr const char* name = "ZmqSpdyService";
    static constexpr const char* argument = "NAME";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = "";
    static constexpr const char* unset = "";
    static constexpr const char* meaning = "only workers started with `--service NAME`";
};

struct Priority : Number<unsigned, 0, 7> {
    static constexpr const char* name = "ZmqSpdyPriority";
    static constexpr Context context = Context::directory;
    static constexpr const char* unset = "the client's, or 3";
    static constexpr const char* meaning = "RFC 9218's urgency: 0 is served first when requests wait";
};

struct AbortOnClose : Flag {
    static constexpr const char* name = "ZmqSpdyAbortOnClose";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = true;
    static constexpr const char* meaning =
        "a client that closes its sending side after its response has begun is taken to have left; `off`: it "
        "is "
        "answered to the end, and one that has closed its connection is noticed by the next write only";
};

/// The first of a list.
struct Pass {
    using Value = const PassedVariable*;
    static constexpr const char* name = "ZmqSpdyPass";
    static constexpr const char* argument = "NAME... \\| None";
    static constexpr Context context = Context::directory;
    static constexpr Value standard = nullptr;
    static constexpr const char* unset = "";
    static constexpr const char* meaning = "variables that workers get as `zmqspdy-name` fields";
};

}  // namespace setting

/// The values of some declarations. Trivially destructible, for memory of a pool.
template <typename... Declared>
class Settings {
  public:
    /// What was set, or the declaration's `standard`.
    template <typename Of>
    [[nodiscard]] typename Of::Value get() const {
        return given<Of>().value_or(Of::standard);
    }
    /// What was set, here or in a section around this one.
    template <typename Of>
    [[nodiscard]] const std::optional<typename Of::Value>& given() const {
        return std::get<Slot<Of>>(slots_).value;
    }
    template <typename Of>
    void set(typename Of::Value value) {
        std::get<Slot<Of>>(slots_).value = value;
    }
    /// Takes from `outer` all that is not set here.
    void inherit(const Settings& outer) {
        (inherit_one(std::get<Slot<Declared>>(slots_).value, std::get<Slot<Declared>>(outer.slots_).value),
         ...);
    }

    /// Calls `visit.operator()<Of>()` for every declaration, in their order.
    template <typename Visit>
    static void for_each(Visit&& visit) {
        (visit.template operator()<Declared>(), ...);
    }
    static constexpr std::size_t count = sizeof...(Declared);

  private:
    template <typename Of>
    struct Slot {
        std::optional<typename Of::Value> value;
    };

    template <typename Value>
    static void inherit_one(std::optional<Value>& own, const std::optional<Value>& outer) {
        if (!own)
            own = outer;
    }

    std::tuple<Slot<Declared>...> slots_;
};

using ServerSettings =
    Settings<setting::Listen, setting::Insecure, setting::MaxWorkers, setting::QueueLength,
             setting::ServiceQueueLength, setting::Window, setting::ResponseMemory, setting::Heartbeat,
             setting::SlowStart, setting::GracefulTimeout, setting::Compression>;

using DirectorySettings =
    Settings<setting::Timeout, setting::FirstByteTimeout, setting::RequestTimeout, setting::QueueTimeout,
             setting::Retries, setting::ReplayBuffer, setting::RequestBuffer, setting::ResponseBuffer,
             setting::Serve, setting::Service, setting::Priority, setting::AbortOnClose, setting::Pass>;

}  // namespace zmqspdy::glue
