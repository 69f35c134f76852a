#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

std::string_view to_string(ResetCode code) noexcept {
    switch (code) {
        case ResetCode::protocol_error:
            return "PROTOCOL_ERROR";
        case ResetCode::invalid_stream:
            return "INVALID_STREAM";
        case ResetCode::refused_stream:
            return "REFUSED_STREAM";
        case ResetCode::unsupported_version:
            return "UNSUPPORTED_VERSION";
        case ResetCode::cancel:
            return "CANCEL";
        case ResetCode::internal_error:
            return "INTERNAL_ERROR";
        case ResetCode::flow_control_error:
            return "FLOW_CONTROL_ERROR";
        case ResetCode::stream_in_use:
            return "STREAM_IN_USE";
        case ResetCode::stream_already_closed:
            return "STREAM_ALREADY_CLOSED";
        case ResetCode::invalid_credentials:
            return "INVALID_CREDENTIALS";
        case ResetCode::frame_too_large:
            return "FRAME_TOO_LARGE";
    }
    return "UNKNOWN";
}

std::string_view to_string(GoAwayCode code) noexcept {
    switch (code) {
        case GoAwayCode::ok:
            return "OK";
        case GoAwayCode::protocol_error:
            return "PROTOCOL_ERROR";
        case GoAwayCode::internal_error:
            return "INTERNAL_ERROR";
    }
    return "UNKNOWN";
}

}  // namespace zmqspdy::spdy
