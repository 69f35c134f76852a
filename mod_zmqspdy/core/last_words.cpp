#include "mod_zmqspdy/core/last_words.hpp"

#include <array>

namespace zmqspdy::router {

namespace {

using Frames = std::array<unsigned char, 28>;

constexpr Frames kGone{0x80, 3, 0, 4, 0, 0, 0, 4, 0,    0,    0,    0,                  // SETTINGS: none
                       0x80, 3, 0, 7, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2};  // GOAWAY

constexpr Frames kFinished{0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0,               // SETTINGS: none
                           0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};  // GOAWAY

}  // namespace

zmq::message_t gone() {
    return zmq::message_t(kGone.data(), kGone.size());
}

zmq::message_t finished() {
    return zmq::message_t(kFinished.data(), kFinished.size());
}

}  // namespace zmqspdy::router
