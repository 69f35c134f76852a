#include "harness/puppet_worker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <variant>
#include <zmq.hpp>

#include "spdy/frame_writer.hpp"
#include "transport/announcement.hpp"
#include "transport/file_descriptor.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace harness {

namespace spdy = zmqspdy::spdy;
namespace transport = zmqspdy::transport;

namespace {

spdy::Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

void append(PuppetWorker::Fields& fields, const spdy::HeaderBlock& block) {
    for (const spdy::Header header : block) {
        const std::string name{header.name};
        spdy::for_each_value(header.value,
                             [&](std::string_view value) { fields.emplace_back(name, std::string{value}); });
    }
}

/// A name/value block, whatever its names and values are.
std::string plain_block(const PuppetWorker::Fields& fields) {
    std::string plain;
    const auto add_number = [&plain](std::size_t number) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            plain += static_cast<char>((number >> shift) & 0xffU);
        }
    };
    const auto add = [&](const std::string& text) {
        add_number(text.size());
        plain += text;
    };
    add_number(fields.size());
    for (const auto& [name, value] : fields) {
        add(name);
        add(value);
    }
    return plain;
}

spdy::Session session(spdy::Role role) {
    spdy::SessionOptions options;
    options.role = role;
    return spdy::Session{options};
}

}  // namespace

/// A session with one child. What the Session has to say by itself (SETTINGS, PINGs, windows) and what the test makes the
/// FrameWriter say go out one after the other.
struct PuppetWorker::Stream::Peer {
    spdy::Session session = harness::session(spdy::Role::server);
    spdy::FrameWriter writer{0};
    std::map<spdy::StreamId, std::size_t> requests;  // index into `seen`
    std::deque<Seen>* seen = nullptr;
};

std::optional<std::string> PuppetWorker::Seen::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) {
            return value;
        }
    }
    return std::nullopt;
}

const PuppetWorker::Seen& PuppetWorker::Stream::seen() const {
    return peer_.seen->at(peer_.requests.at(id_));
}

void PuppetWorker::Stream::reply(const Fields& fields, bool fin) {
    peer_.writer.syn_reply(id_, fin, bytes_of(plain_block(fields)));
}

void PuppetWorker::Stream::headers(const Fields& fields, bool fin) {
    peer_.writer.headers(id_, fin, bytes_of(plain_block(fields)));
}

void PuppetWorker::Stream::data(std::string_view bytes, bool fin) {
    peer_.writer.data(id_, bytes_of(bytes), fin, std::size_t{64} * 1024);
}

void PuppetWorker::Stream::reset() {
    peer_.writer.rst_stream(id_, spdy::ResetCode::internal_error);
}

void PuppetWorker::Stream::take(std::size_t size) {
    peer_.session.consume(id_, size);
}

class PuppetWorker::Impl {
  public:
    Impl(const std::string& router, bool relayed, Script script, const std::string& service)
        : script_{std::move(script)},
          event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)},
          registry_socket_{context_, zmq::socket_type::dealer},
          children_socket_{context_, zmq::socket_type::router} {
        static std::atomic<int> count{0};
        transport::Announcement announcement;
        announcement.name = "puppet-" + std::to_string(++count);
        announcement.capacity = 1000;
        announcement.service = service;
        transport::set_limits(registry_socket_);
        transport::set_limits(children_socket_);
        if (!relayed) {
            const std::string endpoint =
                "ipc://@zmqspdy/" + announcement.name + "-" + std::to_string(::getpid());
            children_socket_.bind(endpoint);
            announcement.endpoint = std::get<transport::Endpoint>(transport::parse_endpoint(endpoint));
        }
        registry_socket_.connect(router);
        (void)registry_.open(transport::to_headers(announcement), 0, false);
        send(registry_socket_, "", registry_.take_output());
        thread_ = std::thread{[this] { loop(); }};
    }

    ~Impl() {
        stopping_ = true;
        ring();
        thread_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    bool await_taken_in() {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, patience(seconds{20}), [this] {
            return taken_in_ || !fault_.empty();
        }) && fault_.empty();
    }

    std::vector<Seen> requests() const {
        const std::lock_guard lock{mutex_};
        return {seen_.begin(), seen_.end()};
    }

    std::optional<Seen> await(const std::string& path, const std::function<bool(const Seen&)>& wanted) const {
        std::unique_lock lock{mutex_};
        const auto found = [&]() -> const Seen* {
            for (auto seen = seen_.rbegin(); seen != seen_.rend(); ++seen) {
                if (seen->path() == path) {
                    return wanted(*seen) ? &*seen : nullptr;
                }
            }
            return nullptr;
        };
        if (!changed_.wait_for(lock, patience(seconds{20}), [&] { return found() != nullptr; })) {
            return std::nullopt;
        }
        return *found();
    }

    void act(const std::string& path, const Action& action) {
        std::unique_lock lock{mutex_};
        bool done = false;
        actions_.emplace_back([&] {
            Stream::Peer* last_peer = nullptr;
            std::pair<spdy::StreamId, std::size_t> last{};
            for (auto& [key, peer] : peers_) {
                for (const auto& request : peer.requests) {
                    if (seen_.at(request.second).path() == path &&
                        (last_peer == nullptr || request.second > last.second)) {
                        last_peer = &peer;
                        last = request;
                    }
                }
            }
            if (last_peer != nullptr) {
                action(Stream{*last_peer, last.first});
                done = true;
            }
        });
        ring();
        const bool ran = changed_.wait_for(lock, patience(seconds{20}), [this] { return actions_.empty(); });
        if (!ran || !done) {
            throw std::runtime_error{"the worker has no request for " + path};
        }
    }

  private:
    void ring() const { (void)::eventfd_write(event_.get(), 1); }

    static void send(zmq::socket_t& socket, const std::string& peer, std::vector<std::byte> frames) {
        const zmq::message_t id{peer.data(), peer.size()};
        (void)transport::send(socket, &id, transport::to_message(std::move(frames)));
    }

    void loop() noexcept {
        try {
            std::array<zmq::pollitem_t, 3> items{{{registry_socket_.handle(), 0, ZMQ_POLLIN, 0},
                                                  {children_socket_.handle(), 0, ZMQ_POLLIN, 0},
                                                  {nullptr, event_.get(), ZMQ_POLLIN, 0}}};
            while (!stopping_) {
                zmq::poll(items);
                eventfd_t count = 0;
                (void)::eventfd_read(event_.get(), &count);
                const std::lock_guard lock{mutex_};
                receive(registry_socket_);
                receive(children_socket_);
                for (const auto& action : actions_) {
                    action();
                }
                actions_.clear();
                flush();
                changed_.notify_all();
            }
        } catch (const std::exception& error) {
            const std::lock_guard lock{mutex_};
            fault_ = error.what();
            changed_.notify_all();
        }
    }

    void receive(zmq::socket_t& socket) {
        std::array<zmq::message_t, 2> parts;
        while (transport::receive(socket, parts)) {
            const std::string id = parts[0].to_string();
            std::vector<spdy::Event> events;
            if (id.empty()) {
                (void)registry_.receive(transport::bytes_of(parts[1]), events);
                for (const auto& event : events) {
                    taken_in_ = taken_in_ || std::holds_alternative<spdy::ReplyReceived>(event);
                }
                continue;
            }
            Stream::Peer& peer = peers_[{&socket, id}];
            peer.seen = &seen_;
            (void)peer.session.receive(transport::bytes_of(parts[1]), events);
            for (auto& event : events) {
                on(peer, event);
            }
        }
    }

    void on(Stream::Peer& peer, const spdy::Event& event) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event)) {
            peer.requests[opened->stream] = seen_.size();
            Seen& seen = seen_.emplace_back();
            append(seen.headers, opened->headers);
            seen.priority = opened->priority;
            call(script_.opened, peer, opened->stream);
            end(peer, opened->stream, opened->fin);
        } else if (const auto* data = std::get_if<spdy::DataReceived>(&event)) {
            seen_of(peer, data->stream)
                .body.append(reinterpret_cast<const char*>(data->payload.data()), data->payload.size());
            if (script_.takes_body) {
                peer.session.consume(data->stream, data->payload.size());
            }
            end(peer, data->stream, data->fin);
        } else if (const auto* trailers = std::get_if<spdy::HeadersReceived>(&event)) {
            append(seen_of(peer, trailers->stream).trailers, trailers->headers);
            seen_of(peer, trailers->stream).fin_on_trailers = trailers->fin;
            end(peer, trailers->stream, trailers->fin);
        } else if (const auto* reset = std::get_if<spdy::StreamReset>(&event)) {
            seen_of(peer, reset->stream).end = spdy::to_string(reset->code);
        }
    }

    Seen& seen_of(Stream::Peer& peer, spdy::StreamId stream) { return seen_.at(peer.requests.at(stream)); }

    void end(Stream::Peer& peer, spdy::StreamId stream, bool fin) {
        if (fin) {
            seen_of(peer, stream).end = "FIN";
            call(script_.completed, peer, stream);
        }
    }

    static void call(const Action& action, Stream::Peer& peer, spdy::StreamId stream) {
        if (action) {
            action(Stream{peer, stream});
        }
    }

    void flush() {
        if (registry_.output_size() != 0) {
            send(registry_socket_, "", registry_.take_output());
        }
        for (auto& [key, peer] : peers_) {
            auto frames = peer.session.take_output();
            const auto more = peer.writer.take();
            frames.insert(frames.end(), more.begin(), more.end());
            if (!frames.empty()) {
                send(*key.first, key.second, std::move(frames));
            }
        }
    }

    Script script_;
    transport::FileDescriptor event_;
    zmq::context_t context_;
    zmq::socket_t registry_socket_;
    zmq::socket_t children_socket_;
    std::atomic<bool> stopping_{false};

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    spdy::Session registry_ = session(spdy::Role::client);
    bool taken_in_ = false;
    std::string fault_;
    std::map<std::pair<zmq::socket_t*, std::string>, Stream::Peer> peers_;
    std::deque<Seen> seen_;
    std::vector<std::function<void()>> actions_;
    std::thread thread_;
};

PuppetWorker::PuppetWorker(const Httpd& httpd, bool relayed, Script script, const std::string& service)
    : impl_{std::make_unique<Impl>(httpd.router(), relayed, std::move(script), service)} {
    if (!impl_->await_taken_in()) {
        throw std::runtime_error{"httpd did not take the worker in"};
    }
}

PuppetWorker::~PuppetWorker() = default;

std::vector<PuppetWorker::Seen> PuppetWorker::requests() const {
    return impl_->requests();
}

std::optional<PuppetWorker::Seen> PuppetWorker::await(const std::string& path,
                                                      const std::function<bool(const Seen&)>& wanted) const {
    return impl_->await(path, wanted);
}

void PuppetWorker::act(const std::string& path, const Action& action) {
    impl_->act(path, action);
}

PuppetWorker::Script answers(PuppetWorker::Fields fields, std::string body) {
    PuppetWorker::Script script;
    fields.insert(fields.begin(), {{":status", "200"}, {":version", "HTTP/1.1"}});
    script.completed = [fields = std::move(fields), body = std::move(body)](PuppetWorker::Stream stream) {
        stream.reply(fields, body.empty());
        if (!body.empty()) {
            stream.data(body, true);
        }
    };
    return script;
}

}  // namespace harness
