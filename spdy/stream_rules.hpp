// What a frame for a stream means, by the state of that stream (draft3 sections 2.3 and 2.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

/// How the receiver of a frame sees its stream.
enum class StreamPhase : std::uint8_t {
    unknown,         ///< never opened
    closed,          ///< was open once, or was refused: frames may still be on their way
    awaiting_reply,  ///< we opened it and have no SYN_REPLY
    open,
    remote_done,  ///< the peer has sent FIN
};
enum class FrameKind : std::uint8_t { syn_reply, headers, data };

struct Disposition {
    enum Action : std::uint8_t { accept, ignore, reset } action;
    ResetCode code;
    std::string_view why;
};

[[nodiscard]] inline const Disposition& disposition_of(StreamPhase phase, FrameKind kind) noexcept {
    constexpr Disposition accept{Disposition::accept, {}, {}};
    constexpr Disposition ignore{Disposition::ignore, {}, {}};
    constexpr Disposition unknown{Disposition::reset, ResetCode::invalid_stream,
                                  "a frame for a stream that never was"};
    constexpr Disposition early{Disposition::reset, ResetCode::protocol_error, "DATA before SYN_REPLY"};
    constexpr Disposition twice{Disposition::reset, ResetCode::stream_in_use,
                                "a SYN_REPLY that nothing waits for"};
    constexpr Disposition late{Disposition::reset, ResetCode::stream_already_closed, "a frame after FIN"};

    static constexpr std::array<std::array<Disposition, 3>, 5> rules{{
        //                     syn_reply headers  data
        /* unknown        */ {{unknown, unknown, unknown}},
        /* closed         */ {{ignore, ignore, ignore}},
        /* awaiting_reply */ {{accept, accept, early}},
        /* open           */ {{twice, accept, accept}},
        /* remote_done    */ {{twice, late, late}},
    }};
    return rules[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)];
}

}  // namespace zmqspdy::spdy
