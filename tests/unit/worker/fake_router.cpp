#include "fake_router.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "transport/message.hpp"
#include "transport/socket_options.hpp"

namespace test {

using namespace std::chrono_literals;

bool until(const std::vector<Actor*>& actors, const std::function<bool()>& done) {
    // Sanitizers on a loaded machine take their time; only a test that fails waits for so long.
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        for (Actor* actor : actors)
            actor->step();
        std::this_thread::yield();
    }
    return true;
}

std::string unique_endpoint() {
    static std::atomic<int> count{0};
    return "ipc://@zmqspdy-test-" + std::to_string(::getpid()) + "-" + std::to_string(count.fetch_add(1));
}

Registry::Registry(zmq::context_t& context, const std::string& endpoint, transport::AnnouncementReply reply)
    : socket_{context, zmq::socket_type::router}, reply_{std::move(reply)} {
    transport::set_limits(socket_);
    // What was bound there before may be closing still.
    const auto deadline = Clock::now() + 5s;
    while (true) {
        try {
            socket_.bind(endpoint);
            break;
        } catch (const zmq::error_t&) {
            if (Clock::now() > deadline)
                throw;
            std::this_thread::yield();
        }
    }
    endpoint_ = socket_.get(zmq::sockopt::last_endpoint);
    all().push_back(this);
}

Registry::~Registry() {
    std::erase(all(), this);
}

std::vector<Actor*>& Registry::all() {
    static std::vector<Actor*> registries;
    return registries;
}

std::string Registry::endpoint() const {
    return endpoint_;
}

void Registry::step() {
    std::array<zmq::message_t, 3> parts;
    while (const auto count = transport::receive(socket_, parts)) {
        const std::string id = parts[0].to_string();
        if (*count != 3)
            throw std::runtime_error("a worker sent a message that has not two parts");
        if (silent)
            continue;
        if (!links_.contains(id)) {
            spdy::SessionOptions options;
            options.role = spdy::Role::server;
            options.max_concurrent_streams = 1;
            links_.try_emplace(id, options);
        }
        if (parts[1].empty())
            on_registry_frames(id, parts[2]);
        else
            links_.at(id).relayed[parts[1].to_string()].push_back(std::move(parts[2]));
    }
}

void Registry::on_registry_frames(const std::string& id, const zmq::message_t& frames) {
    Link& link = links_.at(id);
    std::vector<spdy::Event> events;
    link.faulted = link.session.receive(transport::bytes_of(frames), events) || link.faulted;
    for (const auto& event : events) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event);
            opened && transport::is_identity_question(opened->headers)) {
            link.session.reply(opened->stream,
                               transport::to_headers({.status = 200, .reason = {}, .router = identity}),
                               true);
        } else if (opened) {
            auto parsed = transport::parse_announcement(opened->headers);
            if (auto* announcement = std::get_if<transport::Announcement>(&parsed); reply_.status == 201) {
                link.announcement = *announcement;
                link.stream = opened->stream;
            }
            const bool refuses = reply_.status != 201;
            link.session.reply(opened->stream, transport::to_headers(reply_), refuses);
            refused_ += refuses ? 1 : 0;
            if (refuses && dismisses)
                link.session.go_away(spdy::GoAwayCode::ok);
        } else if (const auto* update = std::get_if<spdy::HeadersReceived>(&event)) {
            link.faulted = transport::update(*link.announcement, update->headers) || link.faulted;
        } else if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
            link.left = link.left || data->fin;
        } else if (const auto* ping = std::get_if<spdy::PingAcknowledged>(&event)) {
            link.answered_ping = ping->id;
        } else if (std::holds_alternative<spdy::GoAwayReceived>(event)) {
            link.went_away = true;
        }
    }
    if (link.announcement && link.session.output_size() > 0)
        ++link.pings;  // it had something to answer
    flush(id);
}

void Registry::flush(const std::string& id) {
    if (links_.at(id).session.output_size() > 0)
        send(id, "", links_.at(id).session.take_output());
}

void Registry::send(const std::string& id, const std::string& peer, std::vector<std::byte> frames) {
    socket_.send(zmq::const_buffer(id.data(), id.size()), zmq::send_flags::sndmore);
    socket_.send(zmq::const_buffer(peer.data(), peer.size()), zmq::send_flags::sndmore);
    auto message = transport::to_message(std::move(frames));
    socket_.send(message, zmq::send_flags::none);
}

std::vector<std::string> Registry::announced() const {
    std::vector<std::string> ids;
    for (const auto& [id, link] : links_) {
        if (link.announcement && !link.left && !link.went_away)
            ids.push_back(id);
    }
    return ids;
}

Child::Child(zmq::context_t& context, const std::string& worker, const spdy::SessionOptions& options)
    : socket_{std::in_place, context, zmq::socket_type::dealer}, session_{options} {
    transport::set_limits(*socket_);
    socket_->connect(worker);
}

Child::Child(Registry& registry, std::string link, std::string peer, const spdy::SessionOptions& options)
    : registry_{&registry}, link_{std::move(link)}, peer_{std::move(peer)}, session_{options} {}

Child::~Child() {
    if (registry_ == nullptr)
        return;
    try {
        session_.go_away(spdy::GoAwayCode::ok);
        if (session_.output_size() > 0)
            registry_->send(link_, peer_, session_.take_output());
    } catch (const std::exception&) {
        return;  // the worker will wait its second
    }
}

std::optional<zmq::message_t> Child::receive() {
    if (socket_) {
        std::array<zmq::message_t, 1> parts;
        const auto count = transport::receive(*socket_, parts);
        if (!count)
            return std::nullopt;
        if (*count != 1)
            throw std::runtime_error("a worker sent a message that has not two parts");
        return std::move(parts[0]);
    }
    auto& waiting = registry_->link(link_).relayed[peer_];
    if (waiting.empty())
        return std::nullopt;
    auto message = std::move(waiting.front());
    waiting.erase(waiting.begin());
    return message;
}

void Child::step() {
    std::vector<spdy::Event> events;
    while (const auto message = receive()) {
        ++messages_;
        events.clear();
        if (session_.receive(transport::bytes_of(*message), events))
            throw std::runtime_error("a worker broke the protocol");
        for (const auto& event : events)
            on(event);
    }
    for (auto& [stream, upload] : uploads_)
        pump(stream, upload);
    if (session_.output_size() == 0)
        return;
    if (socket_) {
        auto message = transport::to_message(session_.take_output());
        // Not blocking: a worker that has left takes nothing more, and a DEALER without a peer waits for one for ever.
        (void)socket_->send(message, zmq::send_flags::dontwait);
    } else {
        registry_->send(link_, peer_, session_.take_output());
    }
}

void Child::on(const spdy::Event& event) {
    if (const auto* reply = std::get_if<spdy::ReplyReceived>(&event)) {
        Reply& mine = replies_[reply->stream];
        mine.started = true;
        mine.fin = reply->fin;
        for (const auto& [name, value] : reply->headers)
            mine.headers.emplace(name, value);
    } else if (const auto* headers = std::get_if<spdy::HeadersReceived>(&event)) {
        Reply& mine = replies_[headers->stream];
        auto& fields = mine.started ? mine.trailers : mine.interim.emplace_back();
        for (const auto& [name, value] : headers->headers)
            fields.emplace(name, value);
        mine.fin = headers->fin;
    } else if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
        Reply& mine = replies_[data->stream];
        mine.body.append(reinterpret_cast<const char*>(data->payload.data()), data->payload.size());
        mine.fin = data->fin;
        if (reads)
            session_.consume(data->stream, data->payload.size());
    } else if (const auto* ping = std::get_if<spdy::PingAcknowledged>(&event)) {
        answered_ping_ = ping->id;
    } else if (const auto* reset = std::get_if<spdy::StreamReset>(&event)) {
        replies_[reset->stream].reset = reset->code;
    } else if (std::holds_alternative<spdy::GoAwayReceived>(event)) {
        told_to_go_ = true;
    }
}

void Child::pump(spdy::StreamId stream, Upload& upload) {
    if (upload.bytes.empty() && !upload.fin)
        return;
    const std::size_t sent = session_.send(stream, std::as_bytes(std::span{upload.bytes}), upload.fin);
    if (sent == upload.bytes.size())
        upload.fin = false;
    upload.bytes.erase(0, sent);
}

spdy::StreamId Child::ask(const Ask& ask) {
    spdy::HeaderBlock headers;
    headers.add(":method", ask.method);
    headers.add(":path", ask.path);
    headers.add(":version", "HTTP/1.1");
    headers.add(":host", "example.org");
    headers.add(":scheme", "http");
    for (const auto& [name, value] : ask.headers)
        headers.add(name, value);
    const auto stream = session_.open(headers, ask.priority, !ask.body);
    if (!stream)
        throw std::runtime_error("the session takes no more streams");
    if (ask.body)
        send_body(*stream, *ask.body, !ask.more);
    return *stream;
}

void Child::send_trailers(spdy::StreamId stream, const spdy::HeaderBlock& trailers) {
    (void)session_.headers(stream, trailers, true);
}

void Child::send_body(spdy::StreamId stream, std::string_view bytes, bool fin) {
    Upload& upload = uploads_[stream];
    upload.bytes.append(bytes);
    upload.fin = fin;
    pump(stream, upload);
}

void Child::send_raw(const std::vector<std::vector<std::byte>>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto flags = i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
        socket_->send(zmq::const_buffer(parts[i].data(), parts[i].size()), flags);
    }
}

RunningWorker::RunningWorker(zmqspdy::Options options, const std::function<void(zmqspdy::Worker&)>& set_up)
    : worker_{std::move(options)} {
    set_up(worker_);
    thread_ = std::thread{[this] {
        result_ = worker_.run();
        returned_ = true;
    }};
}

RunningWorker::~RunningWorker() {
    worker_.stop();
    // It waits a moment for its farewell to be heard.
    (void)until(Registry::all(), [this] { return has_returned(); });
    thread_.join();
}

namespace {

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::runtime_error("no pipe");
    return ends;
}

}  // namespace

LoggedWorker::LoggedWorker(const zmqspdy::Options& options, const zmqspdy::Handler& handler)
    : LoggedWorker{options, handler, make_pipe()} {}

LoggedWorker::LoggedWorker(const zmqspdy::Options& options, const zmqspdy::Handler& handler,
                           std::array<int, 2> pipe)
    : read_{pipe[0]},
      write_{pipe[1]},
      stop_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      io_{options,
          [&] {
              const zmqspdy::serving::Log log{"test", write_.get()};
              auto application = std::make_shared<zmqspdy::serving::Application>(log);
              application->routes().add("", "/*path", handler, zmqspdy::Run::on_thread_pool);
              return application;
          }(),
          stop_.get()},
      thread_{[this] { io_.run(); }} {}

LoggedWorker::~LoggedWorker() {
    (void)eventfd_write(stop_.get(), 1);
    std::atomic<bool> ended{false};
    std::thread waits{[this, &ended] {
        thread_.join();
        ended = true;
    }};
    (void)until(Registry::all(), [&ended] { return ended.load(); });
    waits.join();
}

std::string LoggedWorker::log() {
    std::array<char, 4096> piece{};
    for (ssize_t size = 0; (size = ::read(read_.get(), piece.data(), piece.size())) > 0;)
        text_.append(piece.data(), static_cast<std::size_t>(size));
    return text_;
}

zmqspdy::Options options_for(const std::vector<std::string>& routers) {
    zmqspdy::Options options;
    options.routers = routers;
    options.name = "test";
    options.capacity = 8;
    return options;
}

}  // namespace test
