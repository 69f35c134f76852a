#include "transport/message.hpp"

#include <cerrno>
#include <memory>
#include <utility>

namespace zmqspdy::transport {

namespace {

/// libzmq fails with EINTR when a signal comes, even where it does not wait; nothing has happened then.
template <typename Call>
auto uninterrupted(Call call) {
    while (true) {
        try {
            return call();
        } catch (const zmq::error_t& error) {
            if (error.num() != EINTR)
                throw;
        }
    }
}

}  // namespace

zmq::message_t to_message(std::vector<std::byte> bytes) {
    auto owner = std::make_unique<std::vector<std::byte>>(std::move(bytes));
    void* const data = owner->data();
    const std::size_t size = owner->size();
    // libzmq calls this from whichever thread drops the last reference.
    zmq::message_t message(
        data, size, [](void*, void* hint) { delete static_cast<std::vector<std::byte>*>(hint); },
        owner.get());
    (void)owner.release();
    return message;
}

std::optional<std::size_t> receive(zmq::socket_ref socket, std::span<zmq::message_t> parts) {
    std::size_t count = 0;
    zmq::message_t surplus;
    while (true) {
        zmq::message_t& part = count < parts.size() ? parts[count] : surplus;
        if (!uninterrupted([&] { return socket.recv(part, zmq::recv_flags::dontwait); }))
            return std::nullopt;  // only before the first part: libzmq delivers messages whole
        ++count;
        if (!part.more())
            return count;
    }
}

SendResult send(zmq::socket_ref socket, const zmq::message_t* peer, zmq::message_t frames) {
    try {
        if (peer != nullptr) {
            const auto id = zmq::const_buffer(peer->data(), peer->size());
            constexpr auto flags = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
            if (!uninterrupted([&] { return socket.send(id, flags); }))
                return SendResult::full;
        }
        if (!uninterrupted([&] { return socket.send(frames, zmq::send_flags::dontwait); }))
            return SendResult::full;
        return SendResult::sent;
    } catch (const zmq::error_t& error) {
        if (error.num() == EHOSTUNREACH)
            return SendResult::unreachable;
        throw;
    }
}

}  // namespace zmqspdy::transport
