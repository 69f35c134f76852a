#include "worker/io_thread.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "worker/answering.hpp"
#include "worker/child_session.hpp"
#include "worker/direct_listener.hpp"
#include "worker/process_end.hpp"
#include "worker/thread_end.hpp"

namespace zmqspdy::serving {

namespace {

using std::chrono::milliseconds;

// Tokens of the poller: the sources' follow these, two for each.
constexpr std::uint64_t kDoorbell = 0;
constexpr std::uint64_t kStop = 1;
constexpr std::uint64_t kFirstSource = 2;

/// How long the last bytes may take to leave: a peer that does not read must not hold up the end.
constexpr std::chrono::seconds kFarewell{1};

/// How long handlers may take to return once their requests are cancelled.
constexpr std::chrono::seconds kHandlersEnd{1};

/// Once every router knows that this worker leaves: how long a child that had chosen it a moment before may take to
/// connect. It is told to go elsewhere; a closed endpoint would leave it guessing whether its request was processed.
constexpr milliseconds kLatecomers{50};

Tokens tokens_of(std::size_t index) {
    return {kFirstSource + 2 * index, kFirstSource + 2 * index + 1};
}

/// Nobody else's, also after a restart under the same pid; never 0.
std::uint64_t random_number() {
    std::random_device random;
    return std::uniform_int_distribution<std::uint64_t>{1}(random);
}

/// Nobody else's either.
std::string own_endpoint(const std::string& name) {
    std::string fit = name;
    std::replace_if(
        fit.begin(), fit.end(),
        [](char c) {
            return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '_' || c == '-');
        },
        '_');
    std::array<char, 16> hex{};
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), random_number(), 16).ptr;
    return "ipc://@zmqspdy/" + fit + "-" + std::to_string(::getpid()) + "-" + std::string(hex.data(), end);
}

/// It may stand for several addresses.
bool is_name(const std::string& router) {
    const auto parsed = std::get<transport::Endpoint>(transport::parse_endpoint(router));
    const auto* tcp = std::get_if<transport::TcpEndpoint>(&parsed);
    return tcp != nullptr && !transport::is_address(tcp->host);
}

void run_job(Job& job, const std::shared_ptr<const Application>& application) {
    if (job.context->cancelled() || !(job.response || job.context->claim()))
        return job.context->break_off(spdy::ResetCode::cancel);  // it waited too long
    if (job.response)
        return deliver(job.context, std::move(*job.response), std::move(*job.known), application);
    try {
        job.response = application->answer(job.task, job.request);
    } catch (...) {
        if (!thread_is_ending())
            throw;
        application->log().line(LogLevel::error, "a handler has ended its thread: answered 500");
        deliver(job.context, plain_page(internal_error()), std::move(*job.known), application);
        throw;
    }
    deliver(job.context, std::move(*job.response), std::move(*job.known), application);
}

}  // namespace

IoThread::IoThread(const Options& options, const std::shared_ptr<const Application>& application, int stop_fd)
    : log_{application->log()},
      log_threads_{[this](const std::string& line) { log_.line(LogLevel::warning, line); }},
      outbox_{*open_.outbox},
      stop_fd_{stop_fd},
      drain_{options.drain_timeout},
      dispatcher_{application, options.capacity, open_.outbox},
      pool_{options.threads == 0 ? options.capacity : std::min(options.threads, options.capacity),
            [application](Job& job) { run_job(job, application); }},
      announcement_{.endpoint = std::nullopt,
                    .name = options.name,
                    .capacity = options.capacity,
                    .weight = options.weight,
                    .service = options.service,
                    .program = options.program,
                    .version = options.version,
                    .instance = random_number()},
      known_routers_{options.routers.size() > 1 || is_name(options.routers.front())},
      next_heartbeat_{Source::Clock::now() + transport::kDefaultHeartbeat} {
    poller_.add(outbox_.doorbell().fd(), kDoorbell);
    poller_.add(stop_signal_.fd(), kStop);
    poller_.add(stop_fd_, kStop);
    if (!options.access_log.empty())
        dispatcher_.log_accesses(std::make_unique<AccessLog>(options.access_log, log_));
    if (!options.relay)
        listen(options);
    link(options);
}

IoThread::~IoThread() {
    end_handlers();
}

void IoThread::listen(const Options& options) {
    const std::string endpoint = options.listen.empty() ? own_endpoint(options.name) : options.listen;
    try {
        auto listener = std::make_unique<DirectListener>(context_, poller_, tokens_of(sources_.size()),
                                                         endpoint, dispatcher_, log_);
        announcement_.endpoint = listener->announced();
        sources_.push_back(std::move(listener));
    } catch (const zmq::error_t& error) {
        throw std::runtime_error("cannot listen on " + endpoint + ": " + error.what() +
                                 "; give --listen another address");
    }
}

void IoThread::link(const Options& options) {
    const LinkSetting setting{context_, poller_, announcement_, dispatcher_, log_, known_routers_};
    for (const std::string& router : options.routers) {
        auto group = std::make_unique<RouterGroup>(setting, tokens_of(sources_.size()), router);
        routers_.push_back(group.get());
        sources_.push_back(std::move(group));
    }
}

void IoThread::run() {
    while (true) {
        turn();
        if (dispatcher_.is_draining() && !go_on_draining())
            break;
        if (!is_hot())
            sleep(drain_.deadline());
    }
    leave();
    end_handlers();
}

bool IoThread::go_on_draining() {
    if (dispatcher_.is_idle() && outbox_.empty())
        return false;
    const auto now = Source::Clock::now();
    if (drain_.is_over(now)) {
        break_off();
        return false;
    }
    if (const auto line = drain_.progress(now, dispatcher_.open_requests()))
        log_.line(LogLevel::info, *line);
    return true;
}

void IoThread::break_off() {
    log_.line(LogLevel::warning, drain_.verdict(dispatcher_.open_requests()));
    for (const auto& source : sources_)
        source->break_off();
    turn_until(Source::Clock::now() + kHandlersEnd,
               [this] { return dispatcher_.all_ended() && outbox_.empty(); });
    handlers_had_time_ = !dispatcher_.all_ended();
}

void IoThread::end_handlers() noexcept {
    routers_.clear();
    sources_.clear();  // cancels what is open
    const std::size_t busy =
        pool_.end(Source::Clock::now() + (handlers_had_time_ ? milliseconds{0} : kHandlersEnd));
    if (busy == 0)
        return;
    end_process_without_destructors();
    log_.line(LogLevel::warning,
              std::to_string(busy) + (busy == 1 ? " handler has" : " handlers have") +
                  " not returned although nobody waits for the answer: left running until the process ends");
}

void IoThread::leave() {
    say_farewell();
    turn_until(Source::Clock::now() + kLatecomers, [] { return false; });
    say_farewell();  // to those that came meanwhile
}

void IoThread::say_farewell() {
    for (const auto& source : sources_)
        source->leave();
    turn_until(Source::Clock::now() + kFarewell, [this] {
        return std::all_of(sources_.begin(), sources_.end(),
                           [](const auto& source) { return source->has_left(); });
    });
}

void IoThread::turn_until(Source::Clock::time_point end, const std::function<bool()>& done) {
    while (Source::Clock::now() < end) {
        turn();
        if (done())
            return;
        if (!is_hot())
            sleep(end);
    }
}

bool IoThread::is_hot() const {
    return std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->is_hot(); });
}

void IoThread::sleep(Source::Clock::time_point until) {
    until = std::min({until, next_heartbeat_, pool_.retry_at()});
    for (const auto& source : sources_)
        until = std::min(until, source->deadline());
    const auto wait = std::chrono::ceil<milliseconds>(until - Source::Clock::now());
    outbox_.doorbell().about_to_sleep();
    const bool has_commands = !outbox_.empty();
    const auto readable = poller_.wait(has_commands ? milliseconds{0} : std::max(wait, milliseconds{0}));
    outbox_.doorbell().awake();
    for (const epoll_event& event : readable) {
        const std::uint64_t token = event.data.u64;
        if (token == kDoorbell) {
            outbox_.doorbell().clear();
        } else if (token == kStop) {
            drain();
        } else {
            Source& source = *sources_[static_cast<std::size_t>((token - kFirstSource) / 2)];
            if ((token - kFirstSource) % 2 == 0)
                source.wake_socket();
            else
                source.wake_monitor();
        }
    }
}

void IoThread::turn() {
    perform_commands();
    for (const auto& source : sources_) {
        if (source->is_hot())
            source->receive();
    }
    keep_time();
    dispatcher_.submit(pool_);
    for (const auto& source : sources_)
        source->flush();
}

void IoThread::perform_commands() {
    for (auto command = outbox_.take_all(); command; command = std::move(command->next)) {
        if (command->ends_request())
            dispatcher_.ended();
        const RequestContext::Address address = command->context->address;
        if (address.session != nullptr)
            address.session->perform(address.stream, *command);
    }
}

void IoThread::keep_time() {
    const auto now = Source::Clock::now();
    for (const auto& source : sources_) {
        if (now >= source->deadline())
            source->on_time(now);
    }
    if (now >= next_heartbeat_)
        heartbeat(now);
    look_after_threads(now);
}

void IoThread::look_after_threads(Source::Clock::time_point now) {
    const bool is_short = pool_.retry_at() != Source::Clock::time_point::max();
    if (is_short != std::exchange(short_of_threads_, is_short))
        log_threads_.line(is_short ? "the system has no more threads for handlers: requests wait for one"
                                   : "there are enough threads for handlers again",
                          now);
    if (now >= pool_.retry_at())
        pool_.retry();
}

void IoThread::heartbeat(Source::Clock::time_point now) {
    milliseconds interval = routers_.front()->heartbeat_interval();
    for (const RouterGroup* router : routers_)
        interval = std::min(interval, router->heartbeat_interval());
    next_heartbeat_ = now + interval;
    log_.settle();
    log_threads_.settle(now);
    for (const auto& source : sources_)
        source->heartbeat();
}

void IoThread::drain() {
    if (dispatcher_.is_draining())
        return;
    log_.line(LogLevel::info, "stopping: finishing the requests in flight");
    drain_.begin(Source::Clock::now());
    dispatcher_.drain();
    for (const auto& source : sources_)
        source->drain();
}

}  // namespace zmqspdy::serving
