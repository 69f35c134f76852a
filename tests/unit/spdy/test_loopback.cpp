// Two sessions talk to one another with random traffic; what comes out at one end went in at the other.
#include <map>
#include <random>

#include "catch.hpp"
#include "outcome.hpp"

using namespace zmqspdy::spdy;
using wire::block;
using wire::Buffer;

namespace {

/// One end, and what it has been told of each stream.
struct End {
    explicit End(const SessionOptions& options) : session{options} {}

    struct Flow {
        std::string to_send;
        std::string sent;
        std::string received;
        bool fin_sent = false;
        bool fin_received = false;
        bool replied = false;
        std::string headers;
    };

    void pump(StreamId id) {
        Flow& flow = flows[id];
        if (flow.fin_sent || !session.is_open(id))
            return;
        const std::size_t size = session.send(id, wire::bytes(flow.to_send), true);
        flow.sent += flow.to_send.substr(0, size);
        flow.to_send.erase(0, size);
        flow.fin_sent = flow.to_send.empty();
    }

    Session session;
    std::map<StreamId, Flow> flows;
};

class Loopback {
  public:
    Loopback(unsigned seed, const SessionOptions& client_options, const SessionOptions& server_options)
        : random_{seed}, client{client_options}, server{server_options} {}

    void run(int requests) {
        for (int opened = 0; opened < requests || client.session.open_streams() > 0;) {
            REQUIRE(++rounds_ < 200000);
            if (opened < requests && client.session.can_open() && random_() % 2 == 0)
                opened += open() ? 1 : 0;
            if (random_() % 50 == 0)
                (void)(random_() % 2 == 0 ? client : server).session.ping();
            if (random_() % 40 == 0)
                cancel_one();
            transfer(client, server);
            transfer(server, client);
        }
        transfer(client, server);
        CHECK(server.session.open_streams() == 0);
        for (const auto& [id, flow] : client.flows) {
            if (cancelled_.count(id) != 0)
                continue;
            CHECK(flow.fin_received);
            CHECK(flow.received == server.flows[id].sent);
            CHECK(flow.sent == server.flows[id].received);
            CHECK(flow.headers == server.flows[id].headers);
        }
    }

    std::mt19937 random_;
    End client;
    End server;
    std::map<StreamId, bool> cancelled_;
    int rounds_ = 0;

  private:
    std::string random_text(std::size_t most) {
        std::string text(random_() % most, '\0');
        for (char& c : text)
            c = static_cast<char>(random_());
        return text;
    }

    bool open() {
        HeaderBlock headers = block({{":method", "POST"}, {":path", "/" + std::to_string(random_())}});
        headers.add("x-noise", std::string(random_() % 500, 'n') + std::to_string(random_()));
        const bool fin = random_() % 2 == 0;
        const auto id = client.session.open(headers, static_cast<Priority>(random_() % 8), fin);
        if (!id)
            return false;
        End::Flow& flow = client.flows[*id];
        flow.headers = wire::describe(headers);
        flow.fin_sent = fin;
        if (!fin)
            flow.to_send = random_text(random_() % 4 == 0 ? 300000 : 500);
        return true;
    }

    void cancel_one() {
        End& end = random_() % 2 == 0 ? client : server;
        if (end.flows.empty())
            return;
        auto at = end.flows.begin();
        std::advance(at, random_() % end.flows.size());
        if (!end.session.is_open(at->first))
            return;
        end.session.reset(at->first, ResetCode::cancel);
        cancelled_[at->first] = true;
    }

    void transfer(End& from, End& to) {
        for (auto& [id, flow] : from.flows) {
            if (&from == &client || flow.replied)
                from.pump(id);
        }
        const Buffer bytes = from.session.take_output();
        CHECK_NOTHROW(wire::cut(bytes));
        for (Bytes left{bytes}; !left.empty();) {
            const Bytes piece = left.first(std::min<std::size_t>(left.size(), 1 + random_() % 3000));
            left = left.subspan(piece.size());
            std::vector<Event> events;
            const auto fault = to.session.receive(piece, events);
            if (fault)
                FAIL(fault->why);
            for (const Event& event : events)
                take(to, event);
        }
        CHECK(to.session.at_frame_boundary());
    }

    void take(End& to, const Event& event) {
        if (const auto* opened = std::get_if<StreamOpened>(&event)) {
            End::Flow& flow = to.flows[opened->stream];
            flow.headers = wire::describe(opened->headers);
            flow.fin_received = opened->fin;
            flow.to_send = random_text(random_() % 4 == 0 ? 300000 : 500);
            // The stream may have been cancelled by the same bytes.
            flow.replied = to.session.reply(opened->stream, block({{":status", "200"}}), false);
            CHECK(flow.replied == to.session.is_open(opened->stream));
        } else if (const auto* data = std::get_if<DataReceived>(&event)) {
            End::Flow& flow = to.flows[data->stream];
            flow.received.append(reinterpret_cast<const char*>(data->payload.data()), data->payload.size());
            flow.fin_received = flow.fin_received || data->fin;
            to.session.consume(data->stream, data->payload.size());
        } else if (const auto* reset = std::get_if<StreamReset>(&event)) {
            CHECK(reset->by_peer);
            CHECK(cancelled_.count(reset->stream) != 0);
        }
    }
};

}  // namespace

TEST_CASE("random traffic between two sessions arrives as it was sent") {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        std::mt19937 random{seed * 977};
        const auto options = [&](Role role) {
            SessionOptions out;
            out.role = role;
            out.compression_level = static_cast<int>(random() % 10);
            out.stream_window = 1000 + random() % 100000;
            out.session_window = 65536 + random() % 100000;
            out.max_concurrent_streams = 1 + random() % 20;
            out.max_data_frame = 100 + random() % 100000;
            out.glitches_per_second = 1000000;
            return out;
        };
        const SessionOptions client = options(Role::client);
        const SessionOptions server = options(Role::server);
        Loopback loopback{seed, client, server};
        loopback.run(60);
    }
}

TEST_CASE("a request and its response are one message in each direction") {
    Session client{{}};
    Session server{{.role = Role::server}};
    std::vector<Event> events;
    REQUIRE_FALSE(server.receive(client.take_output(), events));
    REQUIRE_FALSE(client.receive(server.take_output(), events));
    for (StreamId id = 1; id < 100; id += 2) {
        events.clear();
        REQUIRE(client.open(block({{":method", "GET"}, {":path", "/"}}), 3, true) == id);
        REQUIRE_FALSE(server.receive(client.take_output(), events));
        CHECK(describe_events(events) ==
              Lines{"opened " + std::to_string(id) + " p3 :method=GET :path=/ FIN"});
        CHECK(server.reply(id, block({{":status", "200"}}), false));
        CHECK(server.send(id, wire::bytes("Hello\n"), true) == 6);
        const Buffer answer = server.take_output();
        CHECK(wire::describe_frames(answer) ==
              Lines{"SYN_REPLY " + std::to_string(id), "DATA " + std::to_string(id) + " 6 FIN"});
        events.clear();
        REQUIRE_FALSE(client.receive(answer, events));
        CHECK(describe_events(events) == Lines{"reply " + std::to_string(id) + " :status=200",
                                               "data " + std::to_string(id) + " Hello\n FIN"});
        CHECK(client.output_size() == 0);
        CHECK(client.open_streams() + server.open_streams() == 0);
    }
}
