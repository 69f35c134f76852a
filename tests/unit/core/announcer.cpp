#include "announcer.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "eventually.hpp"
#include "headers.hpp"
#include "transport/message.hpp"
#include "transport/socket_options.hpp"

using namespace zmqspdy;

Announcer::Announcer(const std::string& endpoint)
    : context_{1},
      socket_{context_, zmq::socket_type::dealer},
      session_{spdy::SessionOptions{.role = spdy::Role::client}} {
    transport::set_limits(socket_);
    socket_.connect(endpoint);
}

void Announcer::announce(const transport::Announcement& announcement) {
    announce(transport::to_headers(announcement));
}

void Announcer::announce(const spdy::HeaderBlock& headers, bool fin) {
    reply_.reset();
    stream_ = session_.open(headers, 0, fin).value();
    flush();
}

int Announcer::join(const transport::Announcement& announcement) {
    announce(announcement);
    const auto reply = await_reply();
    if (reply && reply->status != 201)
        leave();  // so that another announcement may follow
    return reply ? reply->status : 0;
}

void Announcer::update(const spdy::HeaderBlock& headers, bool fin) {
    session_.headers(stream_, headers, fin);
    flush();
}

void Announcer::leave() {
    (void)session_.send(stream_, {}, true);
    flush();
}

void Announcer::go_away() {
    session_.go_away(spdy::GoAwayCode::ok);
    flush();
}

void Announcer::disconnect() {
    socket_.close();
    context_.close();
}

void Announcer::pump(std::chrono::milliseconds patience) {
    std::array<zmq::pollitem_t, 1> items{{{socket_.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(items, patience);
    std::array<zmq::message_t, 2> parts;
    while (const auto count = transport::receive(socket_, parts)) {
        if (*count != parts.size())
            throw std::logic_error("the registry sent a message of other than two parts");
        if (!parts[0].empty()) {
            relayed_.push_back({parts[0].to_string(), parts[1].to_string()});
            continue;
        }
        flush();
        std::vector<spdy::Event> events;
        if (const auto fault = session_.receive(transport::bytes_of(parts[1]), events))
            throw std::logic_error("the registry broke SPDY: " + std::string(fault->why));
        if (session_.output_size() != 0)
            ++asked_;
        for (const auto& event : events) {
            if (const auto* reply = std::get_if<spdy::ReplyReceived>(&event))
                reply_ = transport::parse_reply(reply->headers);
            else if (const auto* more = std::get_if<spdy::HeadersReceived>(&event))
                undialable_ = transport::parse_undialable(more->headers);
            else if (std::holds_alternative<spdy::GoAwayReceived>(event))
                goodbye_ = true;
        }
    }
    flush();
}

template <typename Ready>
bool Announcer::await(Ready ready) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!ready() && std::chrono::steady_clock::now() < deadline)
        pump(std::chrono::milliseconds(100));
    return ready();
}

std::optional<transport::AnnouncementReply> Announcer::await_reply() {
    (void)await([this] { return reply_.has_value(); });
    return reply_;
}

std::optional<std::string> Announcer::await_undialable() {
    (void)await([this] { return undialable_.has_value(); });
    return std::exchange(undialable_, std::nullopt);
}

bool Announcer::await_goodbye() {
    return await([this] { return goodbye_; });
}

std::optional<Announcer::Relayed> Announcer::await_relayed() {
    if (!await([this] { return !relayed_.empty(); }))
        return std::nullopt;
    auto first = std::move(relayed_.front());
    relayed_.pop_front();
    return first;
}

void Announcer::send_relayed(const std::string& peer, std::string_view frames) {
    send_raw({peer, std::string(frames)});
}

void Announcer::send_raw(const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        socket_.send(zmq::buffer(parts[i]),
                     i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

void Announcer::flush() {
    if (session_.output_size() == 0)
        return;
    const zmq::message_t registry;
    (void)transport::send(socket_, &registry, transport::to_message(session_.take_output()));
}

transport::Announcement worker_at(std::string_view endpoint, std::string name) {
    auto announcement = relayed_worker(std::move(name));
    announcement.endpoint = std::get<transport::Endpoint>(transport::parse_endpoint(endpoint));
    return announcement;
}

transport::Announcement relayed_worker(std::string name) {
    transport::Announcement announcement;
    announcement.name = std::move(name);
    announcement.capacity = 4;
    announcement.weight = 2;
    return announcement;
}
