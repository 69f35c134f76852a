#include "fake_worker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "headers.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

using namespace zmqspdy;

namespace {

std::string new_endpoint() {
    static std::atomic<int> count{0};
    return "ipc://@zmqspdy/test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

spdy::Session new_session(const FakeWorker::Script& script) {
    spdy::SessionOptions options;
    options.role = spdy::Role::server;
    options.max_concurrent_streams = script.max_streams;
    options.stream_window = script.window;
    options.session_window = script.session_window;
    return spdy::Session(options);
}

}  // namespace

void FakeWorker::Request::reply(std::string_view status, bool fin) const {
    peer.session.reply(stream, headers({{":status", status}, {":version", "HTTP/1.1"}}), fin);
}

void FakeWorker::Request::send(std::string_view text, bool fin) const {
    auto& state = peer.streams.at(stream);
    state.unsent += text;
    state.fin = fin;
    worker.pump(peer, stream);
}

void FakeWorker::Request::reset(spdy::ResetCode code) const {
    peer.session.reset(stream, code);
}

FakeWorker::FakeWorker(Script script)
    : script_{std::move(script)},
      endpoint_{new_endpoint()},
      event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
      context_{1},
      socket_{context_, zmq::socket_type::router} {
    transport::set_limits(socket_);
    socket_.bind(endpoint_);
    thread_ = std::thread([this] { loop(); });
}

void FakeWorker::run(std::function<void()> action) {
    bool done = false;
    std::unique_lock lock(mutex_);
    actions_.emplace_back([&] {
        action();
        done = true;
    });
    ring();
    done_.wait(lock, [&] { return done; });
}

void FakeWorker::act(const std::string& path, const Action& action) {
    run([&] {
        for (auto& [id, peer] : peers_)
            for (auto& [stream, state] : peer->streams)
                if (state.path == path && peer->session.is_open(stream)) {
                    action({*this, *peer, stream});
                    return flush(*peer);
                }
        throw std::logic_error("no request for " + path);
    });
}

void FakeWorker::each_peer(const std::function<void(Peer&)>& action) {
    run([&] {
        for (auto& [id, peer] : peers_) {
            action(*peer);
            flush(*peer);
        }
    });
}

void FakeWorker::send_raw(const Peer& peer, const std::vector<std::string>& parts) {
    flush(*peers_.at(peer.id));
    socket_.send(zmq::buffer(peer.id), zmq::send_flags::sndmore);
    for (std::size_t i = 0; i < parts.size(); ++i)
        socket_.send(zmq::buffer(parts[i]),
                     i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

void FakeWorker::die() {
    if (!thread_.joinable())
        return;
    stopping_ = true;
    resume();
    ring();
    thread_.join();
    socket_.close();
    context_.close();
}

void FakeWorker::stall() {
    stalled_ = true;
    ring();
}

void FakeWorker::resume() {
    stalled_ = false;
    stalled_.notify_all();
}

void FakeWorker::ring() const {
    (void)eventfd_write(event_.get(), 1);
}

void FakeWorker::loop() {
    std::array<zmq::pollitem_t, 2> items{
        {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, event_.get(), ZMQ_POLLIN, 0}}};
    while (!stopping_) {
        zmq::poll(items);
        eventfd_t count = 0;
        (void)eventfd_read(event_.get(), &count);
        stalled_.wait(true);
        {
            const std::lock_guard lock(mutex_);
            for (const auto& action : std::exchange(actions_, {}))
                action();
            done_.notify_all();
        }
        receive();
    }
}

void FakeWorker::receive() {
    std::array<zmq::message_t, 2> parts;
    while (!stopping_) {
        const auto count = transport::receive(socket_, parts);
        if (!count)
            return;
        if (*count != parts.size())
            throw std::logic_error("a pool sent a message of other than one part");
        const auto id = parts[0].to_string();
        auto& peer = peers_[id];
        if (!peer) {
            peer = std::make_unique<Peer>(Peer{.id = id, .session = new_session(script_), .streams = {}});
            log_.write("PEER");
        }
        std::vector<spdy::Event> events;
        if (const auto fault = peer->session.receive(transport::bytes_of(parts[1]), events))
            log_.write("FAULT " + std::string(fault->why));
        if (!peer->session.at_frame_boundary())
            log_.write("FAULT a frame was split");
        for (const auto& event : events)
            on(*peer, event);
        flush(*peer);
    }
}

void FakeWorker::on(Peer& peer, const spdy::Event& event) {
    const auto call = [&](const Action& action, spdy::StreamId stream) {
        if (action && peer.session.is_open(stream))
            action({*this, peer, stream});
    };
    if (const auto* opened = std::get_if<spdy::StreamOpened>(&event)) {
        auto& stream = peer.streams[opened->stream];
        stream.path = opened->headers.find(":path").value_or("");
        log_.write("SYN " + stream.path);
        call(script_.opened, opened->stream);
        if (opened->fin) {
            log_.write("END " + stream.path);
            call(script_.completed, opened->stream);
        }
    } else if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
        auto& stream = peer.streams[data->stream];
        stream.body += text(data->payload);
        if (script_.consumes)
            peer.session.consume(data->stream, data->payload.size());
        if (data->fin)
            log_.write("END " + stream.path);
        call(data->fin ? script_.completed : script_.more, data->stream);
    } else if (const auto* trailers = std::get_if<spdy::HeadersReceived>(&event)) {
        const auto& stream = peer.streams[trailers->stream];
        for (const auto& [name, value] : trailers->headers)
            log_.write("TRAILER " + stream.path + " " + std::string(name) + "=" + std::string(value));
        if (trailers->fin)
            log_.write("END " + stream.path);
        call(trailers->fin ? script_.completed : script_.more, trailers->stream);
    } else if (const auto* reset = std::get_if<spdy::StreamReset>(&event)) {
        log_.write("RST " + peer.streams[reset->stream].path + " " +
                   std::string(spdy::to_string(reset->code)));
    } else if (const auto* away = std::get_if<spdy::GoAwayReceived>(&event)) {
        log_.write("GOAWAY " + std::string(spdy::to_string(away->code)));
    } else if (const auto* window = std::get_if<spdy::WindowOpened>(&event)) {
        if (window->stream != 0)
            return pump(peer, window->stream);
        for (const auto& [id, stream] : peer.streams)
            pump(peer, id);
    }
}

void FakeWorker::pump(Peer& peer, spdy::StreamId stream) {
    const auto found = peer.streams.find(stream);
    if (found == peer.streams.end() || (found->second.unsent.empty() && !found->second.fin))
        return;
    auto& state = found->second;
    while (true) {
        // One message stays below what the pool takes.
        const auto piece = std::string_view(state.unsent).substr(0, transport::kMessageTarget);
        const bool last = piece.size() == state.unsent.size();
        const auto sent = peer.session.send(stream, bytes(piece), state.fin && last);
        state.unsent.erase(0, sent);
        if (last && sent == piece.size())
            state.fin = false;
        if (sent == 0 || last)
            return;
        flush(peer);
    }
}

void FakeWorker::flush(Peer& peer) {
    if (peer.session.output_size() == 0)
        return;
    const zmq::message_t id(peer.id.data(), peer.id.size());
    (void)transport::send(socket_, &id, transport::to_message(peer.session.take_output()));
}

FakeWorker::Script answering(std::string body) {
    FakeWorker::Script script;
    script.completed = [body = std::move(body)](FakeWorker::Request request) {
        request.reply("200");
        request.send(body, true);
    };
    return script;
}

FakeWorker::Script echoing() {
    FakeWorker::Script script;
    script.completed = [](FakeWorker::Request request) {
        request.reply("200");
        request.send(std::string(request.body()), true);
    };
    return script;
}

FakeWorker::Script holding() {
    return {};
}

FakeWorker::Script refusing() {
    FakeWorker::Script script;
    script.opened = [](FakeWorker::Request request) { request.reset(spdy::ResetCode::refused_stream); };
    return script;
}

FakeWorker::Script failing() {
    FakeWorker::Script script;
    script.opened = [](FakeWorker::Request request) {
        request.peer.session.go_away(spdy::GoAwayCode::internal_error);
    };
    return script;
}
