#include "back_to_back.hpp"

#include <stdexcept>
#include <string>
#include <variant>

#include "samples.hpp"

namespace zmqspdy::bench {

namespace {

spdy::SessionOptions options(spdy::Role role, int compression_level) {
    spdy::SessionOptions options;
    options.role = role;
    options.compression_level = compression_level;
    options.max_concurrent_streams = 100'000;
    return options;
}

}  // namespace

BackToBack::BackToBack(int compression_level, std::size_t open_streams)
    : client_{options(spdy::Role::client, compression_level)},
      server_{options(spdy::Role::server, compression_level)} {
    to_server();
    to_client();

    const spdy::HeaderBlock request = to_block(request_headers(0));
    const spdy::HeaderBlock response = to_block(response_headers(13));
    for (std::size_t i = 0; i < open_streams; ++i) {
        if (!client_.open(request, spdy::kDefaultPriority, false))
            throw std::logic_error{"no stream can be opened"};
    }
    for (const auto& event : to_server()) {
        if (const auto* opened = std::get_if<spdy::StreamOpened>(&event))
            server_.reply(opened->stream, response, false);
    }
    to_client();
}

const std::vector<spdy::Event>& BackToBack::carry(spdy::Session& from, spdy::Session& to) {
    message_ = from.take_output();
    events_.clear();
    if (const auto fault = to.receive(message_, events_))
        throw std::logic_error{std::string{fault->why}};
    return events_;
}

}  // namespace zmqspdy::bench
