// Names and numbers of SPDY/3.1 (spdy-protocol-draft3-1, section 2): frame types, flags, status codes,
// settings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zmqspdy::spdy {

using Bytes = std::span<const std::byte>;

/// 31 bits; streams opened by the client are odd, by the server even; 0 is the session itself.
using StreamId = std::uint32_t;

/// SPDY/3 and SPDY/3.1 both write 3 on the wire; that we speak 3.1 is settled by the envelope around it.
inline constexpr std::uint16_t kVersion = 3;
inline constexpr std::size_t kFrameHeaderSize = 8;
inline constexpr std::uint32_t kMaxStreamId = 0x7fffffff;
inline constexpr std::int64_t kMaxWindow = 0x7fffffff;
/// Both windows before SETTINGS or WINDOW_UPDATE say otherwise (section 2.6.8).
inline constexpr std::int32_t kDefaultWindow = 64 * 1024;

inline constexpr std::uint8_t kFlagFin = 0x01;
inline constexpr std::uint8_t kFlagUnidirectional = 0x02;
inline constexpr std::uint8_t kFlagClearSettings = 0x01;

enum class FrameType : std::uint16_t {
    syn_stream = 1,
    syn_reply = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    go_away = 7,
    headers = 8,
    window_update = 9,
    credential = 10,
};

/// RST_STREAM status codes (section 2.6.3).
enum class ResetCode : std::uint32_t {
    protocol_error = 1,
    invalid_stream = 2,
    refused_stream = 3,  ///< nothing was processed: the request may be sent again, whatever its method
    unsupported_version = 4,
    cancel = 5,
    internal_error = 6,
    flow_control_error = 7,
    stream_in_use = 8,
    stream_already_closed = 9,
    invalid_credentials = 10,
    frame_too_large = 11,
};

/// GOAWAY status codes (section 2.6.6).
enum class GoAwayCode : std::uint32_t { ok = 0, protocol_error = 1, internal_error = 2 };

/// SETTINGS ids (section 2.6.4) that we send or act upon; others are ignored.
enum class SettingId : std::uint32_t { max_concurrent_streams = 4, initial_window_size = 7 };

/// "CANCEL", "REFUSED_STREAM", ...: for logs. Never empty; an unknown code gives "UNKNOWN".
[[nodiscard]] std::string_view to_string(ResetCode code) noexcept;
[[nodiscard]] std::string_view to_string(GoAwayCode code) noexcept;

}  // namespace zmqspdy::spdy
