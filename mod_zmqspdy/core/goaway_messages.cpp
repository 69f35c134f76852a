#include "mod_zmqspdy/core/goaway_messages.hpp"

#include <array>

namespace zmqspdy::router {

namespace {

using Frames = std::array<unsigned char, 28>;

constexpr Frames kFateUnknown{0x80, 3, 0, 4, 0, 0, 0, 4, 0,    0,    0,    0,  // SETTINGS: none
                              0x80, 3, 0, 7, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2};  // GOAWAY

constexpr Frames kNothingProcessed{0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0,               // SETTINGS: none
                                   0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};  // GOAWAY

}  // namespace

zmq::message_t fate_unknown() {
    return zmq::message_t(kFateUnknown.data(), kFateUnknown.size());
}

zmq::message_t nothing_processed() {
    return zmq::message_t(kNothingProcessed.data(), kNothingProcessed.size());
}

}  // namespace zmqspdy::router
