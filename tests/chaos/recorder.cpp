#include "recorder.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace chaos {

namespace {

constexpr int kShortLines = 10;
constexpr int kShortPause = 20;
constexpr int kLongPause = 500;

constexpr milliseconds kWordOnItsWay{50};
constexpr milliseconds kAtOnce{300};

bool was_under_way(const Outcome& outcome, Clock::time_point moment) {
    return outcome.sent <= moment + kWordOnItsWay && outcome.ended >= moment;
}

std::string body_of(std::uint64_t id) {
    std::string body;
    while (body.size() < 2000)
        body += "body " + std::to_string(id) + " ";
    return body;
}

std::string lines_of(std::uint64_t id, int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i)
        text += std::to_string(id) + " " + std::to_string(i) + "\n";
    return text;
}

}  // namespace

std::size_t Recording::failed(Kind kind) const {
    return static_cast<std::size_t>(std::count_if(
        failures.begin(), failures.end(), [kind](const Outcome& outcome) { return outcome.kind == kind; }));
}

Recorder::Recorder(std::uint16_t port, Shape shape) : shape_{shape} {
    static std::atomic<std::uint64_t> next{1};
    first_id_ = next.fetch_add(100'000'000);
    load_ = std::make_unique<harness::BackgroundLoad>(harness::LoadPlan{
        .port = port,
        .concurrency = shape.concurrency,
        .per_second = shape.per_second,
        .make = [this](std::size_t number) { return make(number); },
        .check = [this](std::size_t number, const harness::Reply& reply) { return check(number, reply); }});
}

void Recorder::go_on_for(milliseconds time) {
    const auto until = Clock::now() + time;
    while (Clock::now() < until) {
        if (!load_->wait_for(1))
            throw std::runtime_error{"no reply for 20 s"};
    }
}

Recording Recorder::finish() {
    // Each problem of it is one of our failures, or the load itself broke.
    const auto result = load_->finish();
    if (result.wrong != recording_.failures.size())
        throw std::runtime_error{"the load ended: " + result.summary()};
    return std::move(recording_);
}

Kind Recorder::kind_of(std::size_t number) const {
    if (shape_.long_streams > 0 || number % 10 == 9)
        return Kind::stream;
    return number % 10 < 6 ? Kind::get : Kind::post;
}

harness::Call Recorder::make(std::size_t number) {
    const auto id = id_of(number);
    harness::Call call;
    call.headers = {"x-request-id: " + std::to_string(id), "Connection: close"};
    switch (kind_of(number)) {
        case Kind::get:
            call.path = "/get";
            break;
        case Kind::post:
            call.method = "POST";
            call.path = "/post";
            call.body = body_of(id);
            break;
        case Kind::stream:
            call.path =
                shape_.long_streams > 0
                    ? "/stream/" + std::to_string(shape_.long_streams) + "/" + std::to_string(kLongPause)
                    : "/stream/" + std::to_string(kShortLines) + "/" + std::to_string(kShortPause);
            break;
    }
    const std::lock_guard lock{mutex_};
    under_way_[number] = Clock::now();
    return call;
}

std::string Recorder::check(std::size_t number, const harness::Reply& reply) {
    const auto id = id_of(number);
    const auto kind = kind_of(number);
    std::string wanted;
    switch (kind) {
        case Kind::get:
            wanted = "got " + std::to_string(id) + "\n";
            break;
        case Kind::post:
            wanted = body_of(id);
            break;
        case Kind::stream:
            wanted = lines_of(id, shape_.long_streams > 0 ? shape_.long_streams : kShortLines);
            break;
    }
    std::string problem = reply.problem;
    if (problem.empty() && (!reply.ok() || reply.body != wanted))
        problem = reply.summary();
    const auto now = Clock::now();
    const std::lock_guard lock{mutex_};
    const auto sent = under_way_.extract(number).mapped();
    ++recording_.requests;
    recording_.longest = std::max(recording_.longest, std::chrono::duration_cast<milliseconds>(now - sent));
    if (!problem.empty())
        recording_.failures.push_back({id, kind, reply.status, problem, sent, now});
    return problem;
}

bool under_way_at(const Outcome& outcome, const std::vector<Clock::time_point>& moments) {
    return std::any_of(moments.begin(), moments.end(),
                       [&](Clock::time_point moment) { return was_under_way(outcome, moment); });
}

bool cut_off_at(const Outcome& outcome, const std::vector<Clock::time_point>& moments) {
    return std::any_of(moments.begin(), moments.end(), [&](Clock::time_point moment) {
        return was_under_way(outcome, moment) && outcome.ended <= moment + kAtOnce;
    });
}

}  // namespace chaos
