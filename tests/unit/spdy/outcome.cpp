#include "outcome.hpp"

#include "catch.hpp"
#include "cuts.hpp"

using namespace zmqspdy::spdy;

namespace {

struct Describe {
    static std::string fin(bool is) { return is ? " FIN" : ""; }
    std::string operator()(const StreamOpened& e) const {
        return "opened " + std::to_string(e.stream) + " p" + std::to_string(e.priority) + " " +
               wire::describe(e.headers) + fin(e.fin);
    }
    std::string operator()(const ReplyReceived& e) const {
        return "reply " + std::to_string(e.stream) + " " + wire::describe(e.headers) + fin(e.fin);
    }
    std::string operator()(const HeadersReceived& e) const {
        return "headers " + std::to_string(e.stream) + " " + wire::describe(e.headers) + fin(e.fin);
    }
    std::string operator()(const DataReceived& e) const {
        return "data " + std::to_string(e.stream) + " " +
               std::string{reinterpret_cast<const char*>(e.payload.data()), e.payload.size()} + fin(e.fin);
    }
    std::string operator()(const StreamReset& e) const {
        return "reset " + std::to_string(e.stream) + " " + std::string{to_string(e.code)} +
               (e.by_peer ? " by peer" : " by us");
    }
    std::string operator()(const WindowOpened& e) const { return "window " + std::to_string(e.stream); }
    std::string operator()(const PingAcknowledged& e) const { return "ping " + std::to_string(e.id); }
    std::string operator()(const SettingsReceived&) const { return "settings"; }
    std::string operator()(const GoAwayReceived& e) const {
        return "goaway " + std::to_string(e.last_good) + " " + std::string{to_string(e.code)};
    }
};

Outcome run(const Case& setup, const std::vector<Bytes>& pieces) {
    Session session{setup.options};
    if (setup.before)
        setup.before(session);
    (void)session.take_output();

    Outcome outcome;
    std::vector<Event> events;
    for (const Bytes piece : pieces) {
        if (const auto fault = session.receive(piece, events)) {
            outcome.fault = fault->why;
            CHECK(fault->code == GoAwayCode::protocol_error);
            CHECK(session.faulted());
            CHECK_FALSE(outcome.fault.empty());
        }
    }
    for (const Event& event : events) {
        const auto* reset = std::get_if<StreamReset>(&event);
        CHECK((reset == nullptr || reset->by_peer == reset->why.empty()));
    }
    if (setup.after)
        setup.after(session);
    outcome.events = describe_events(events);
    outcome.frames = wire::describe_frames(session.take_output());
    outcome.open = session.open_streams();
    if (outcome.fault.empty())
        CHECK(session.at_frame_boundary());
    return outcome;
}

}  // namespace

std::vector<std::string> describe_events(const std::vector<Event>& events) {
    std::vector<std::string> out;
    StreamId data_of = 0;
    for (const Event& event : events) {
        const std::string text = std::visit(Describe{}, event);
        const auto* data = std::get_if<DataReceived>(&event);
        if (data != nullptr && data->stream == data_of)
            out.back() += text.substr(text.find(" ", 5) + 1);
        else
            out.push_back(text);
        data_of = data != nullptr && !data->fin ? data->stream : 0;
    }
    return out;
}

Outcome outcome_of(const Case& setup, const wire::Buffer& bytes) {
    const auto ways = cuts::ways_to_cut(bytes);
    const Outcome whole = run(setup, ways.front());
    for (const auto& pieces : ways) {
        const Outcome cut = run(setup, pieces);
        CHECK(cut.events == whole.events);
        CHECK(cut.frames == whole.frames);
        CHECK(cut.fault == whole.fault);
        CHECK(cut.open == whole.open);
    }
    return whole;
}

Outcome at_server(const wire::Buffer& bytes, SessionOptions options) {
    options.role = Role::server;
    Outcome outcome = outcome_of({options}, wire::settings() << bytes);
    REQUIRE(outcome.events.front() == "settings");
    outcome.events.erase(outcome.events.begin());
    return outcome;
}

Outcome at_client(const wire::Buffer& bytes, SessionOptions options) {
    options.role = Role::client;
    const auto open_two = [](Session& session) {
        REQUIRE(session.open(wire::block({{":path", "/"}}), 0, true) == StreamId{1});
        REQUIRE(session.open(wire::block({{":path", "/"}}), 0, true) == StreamId{3});
    };
    Outcome outcome = outcome_of({options, open_two}, wire::settings() << bytes);
    REQUIRE(outcome.events.front() == "settings");
    outcome.events.erase(outcome.events.begin());
    return outcome;
}
