// Header blocks and byte strings, shortly.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zmqspdy/spdy/header_block.hpp"

using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

[[nodiscard]] inline zmqspdy::spdy::HeaderBlock headers(Pairs pairs) {
    zmqspdy::spdy::HeaderBlock block;
    for (const auto& [name, value] : pairs)
        block.add(name, value);
    return block;
}

[[nodiscard]] inline zmqspdy::spdy::HeaderBlock get(std::string_view path) {
    return headers({{":method", "GET"}, {":path", path}, {":version", "HTTP/1.1"}});
}

[[nodiscard]] inline zmqspdy::spdy::HeaderBlock post(std::string_view path) {
    return headers({{":method", "POST"}, {":path", path}, {":version", "HTTP/1.1"}});
}

[[nodiscard]] inline std::vector<std::byte> bytes(std::string_view text) {
    std::vector<std::byte> copy(text.size());
    if (!text.empty())
        std::memcpy(copy.data(), text.data(), text.size());
    return copy;
}

[[nodiscard]] inline std::string_view text(zmqspdy::spdy::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
