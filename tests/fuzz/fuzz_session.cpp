// Fuzzes both roles of a Session with a program of bytes, frames and calls.
//
//   cmake -S . -B build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DZMQSPDY_FUZZ=ON
//   cmake --build build-fuzz --target fuzz_session
//   mkdir -p found && build-fuzz/fuzz_session -max_len=4096 -max_total_time=60 found
//   tests/fuzz/corpus/session
//
// An input is: a byte of options, then steps, each a byte that picks it and what it needs (see
// Driver::step()). A crash is replayed by giving its file as the only argument.
#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include "input.hpp"
#include "spdy/big_endian.hpp"
#include "spdy/frame_reader.hpp"
#include "spdy/header_compression.hpp"
#include "zmqspdy/spdy/session.hpp"

namespace {

using namespace zmqspdy::spdy;
using Buffer = std::vector<std::byte>;

SessionOptions options_of(Role role, std::uint8_t choice) {
    SessionOptions options;
    options.role = role;
    options.max_concurrent_streams = (choice & 1) != 0 ? 2 : 100;
    options.stream_window = (choice & 2) != 0 ? 100 : 70000;
    options.session_window = (choice & 4) != 0 ? 0 : 1 << 20;
    options.compression_level = (choice & 8) != 0 ? 6 : 0;
    options.max_header_bytes = 2000;
    options.max_headers = 8;
    options.max_data_frame = (choice & 16) != 0 ? 3 : 1000;
    options.glitches_per_second = 100;
    return options;
}

class Driver {
  public:
    Driver(Role role, std::uint8_t choice) : session_{options_of(role, choice)} {
        drain();
        if ((choice & 0x80) == 0)
            receive(Buffer{std::byte{0x80}, std::byte{0}, std::byte{0}, std::byte{4}, std::byte{0},
                           std::byte{0}, std::byte{0}, std::byte{4}, std::byte{0}, std::byte{0}, std::byte{0},
                           std::byte{0}});
    }

    void step(Input& in) {
        const std::uint8_t pick = in.u8();
        switch (pick & 0x1f) {
            case 0:
                return receive(in.bytes(in.u8()));
            case 1:
                return receive(in.bytes(in.u16()));
            case 2:
                return receive_control(in);
            case 3:
                return receive_block(in, pick);
            case 4:
                return receive_data(in);
            case 5:
                (void)session_.open(block_of(in), in.u8(), (pick & 0x80) != 0);
                break;
            case 6:
                session_.reply(in.u8(), block_of(in), (pick & 0x80) != 0);
                break;
            case 7:
                session_.headers(in.u8(), block_of(in), (pick & 0x80) != 0);
                break;
            case 8:
                send(in, (pick & 0x80) != 0);
                break;
            case 9:
                session_.reset(in.u8(), ResetCode{in.u8()});
                require(session_.open_streams() < 1000);
                break;
            case 10:
                session_.consume(in.u8(), in.u16());
                break;
            case 11:
                (void)session_.ping();
                break;
            case 12:
                session_.go_away(GoAwayCode{in.u8()});
                require(session_.went_away() && !session_.can_open());
                break;
            case 13:
                session_.tick(static_cast<double>(in.u8()) / 16);
                break;
            default:
                return receive(in.bytes(pick & 0x1f));
        }
        drain();
    }

  private:
    static HeaderBlock block_of(Input& in) {
        HeaderBlock block;
        for (int left = in.u8() % 4; left > 0; --left) {
            static constexpr std::string_view names[] = {":status", ":path", "Set-Cookie", "x"};
            const Bytes value = in.bytes(in.u8());
            std::string text{reinterpret_cast<const char*>(value.data()), value.size()};
            for (char& c : text)
                c = c == '\0' ? '0' : c;
            block.add(names[in.u8() % 4], text);
        }
        return block;
    }

    static void append_header(Buffer& frame, std::uint16_t type, std::uint8_t flags) {
        frame.resize(kFrameHeaderSize);
        write_u32(frame.data(), 0x80030000u | type);
        frame[4] = std::byte{flags};
    }

    void receive_whole(Buffer& frame) {
        write_u24(frame.data() + 5, static_cast<std::uint32_t>(frame.size() - kFrameHeaderSize));
        receive(frame);
    }

    void receive_control(Input& in) {
        Buffer frame;
        append_header(frame, in.u8() % 12, in.u8());
        const Bytes body = in.bytes(in.u8());
        frame.insert(frame.end(), body.begin(), body.end());
        receive_whole(frame);
    }

    /// A well compressed block of arbitrary content: what mutation alone would hardly find.
    void receive_block(Input& in, std::uint8_t pick) {
        static constexpr FrameType types[] = {FrameType::syn_stream, FrameType::syn_reply,
                                              FrameType::headers};
        const FrameType type = types[pick >> 5 & 3 ? (pick >> 5 & 3) - 1 : 0];
        Buffer frame;
        append_header(frame, static_cast<std::uint16_t>(type), in.u8());
        frame.resize(kFrameHeaderSize + (type == FrameType::syn_stream ? 10 : 4));
        write_u32(frame.data() + kFrameHeaderSize, in.u8());
        compressor_.append(in.bytes(in.u8()), frame);
        receive_whole(frame);
    }

    void receive_data(Input& in) {
        Buffer frame(kFrameHeaderSize);
        write_u32(frame.data(), in.u8());
        frame[4] = std::byte{in.u8()};
        frame.resize(kFrameHeaderSize + in.u16());
        receive_whole(frame);
    }

    void send(Input& in, bool fin) {
        const StreamId id = in.u8();
        const Buffer data(in.u16());
        const std::size_t room = session_.sendable(id);
        const bool open = session_.is_open(id);
        const std::size_t sent = session_.send(id, data, fin);
        require(sent == std::min(room, data.size()));
        require(open || sent == 0);
    }

    void receive(Bytes bytes) {
        const bool was_faulted = session_.faulted();
        std::vector<Event> events;
        const auto fault = session_.receive(bytes, events);
        require(fault.has_value() == session_.faulted());
        require(!fault || !fault->why.empty());
        require(!was_faulted || (fault && events.empty()));
        for (const Event& event : events)
            look_at(event, bytes);
        drain();
    }

    void look_at(const Event& event, Bytes bytes) {
        std::visit(
            [&](const auto& e) {
                using Kind = std::decay_t<decltype(e)>;
                if constexpr (requires { e.headers; }) {
                    require(e.headers.size() <= 8 && e.headers.plain().size() <= 2000);
                    for (const auto [name, value] : e.headers)
                        require(!name.empty() && e.headers.find(name) == value);
                }
                if constexpr (requires { e.stream; })
                    require(e.stream != 0 || (std::is_same_v<Kind, WindowOpened>));
                if constexpr (std::is_same_v<Kind, DataReceived>) {
                    require(e.fin || !e.payload.empty());
                    require(e.payload.empty() ||
                            (e.payload.data() >= bytes.data() &&
                             e.payload.data() + e.payload.size() <= bytes.data() + bytes.size()));
                }
                if constexpr (std::is_same_v<Kind, StreamReset>)
                    require(e.by_peer == e.why.empty());
            },
            event);
    }

    /// Whatever came in, what goes out is whole frames.
    void drain() {
        const std::size_t size = session_.output_size();
        const Buffer output = session_.take_output();
        require(output.size() == size && session_.output_size() == 0);
        FrameReader reader{0xffffff};
        for (Bytes left{output}; !left.empty();) {
            const FramePart part = reader.next(left);
            require(std::holds_alternative<ControlFrame>(part) || std::holds_alternative<DataPart>(part));
        }
        require(reader.at_frame_boundary());
    }

    Session session_;
    HeaderCompressor compressor_{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const Role role : {Role::client, Role::server}) {
        Input in{data, size};
        Driver driver{role, in.u8()};
        while (!in.at_end())
            driver.step(in);
    }
    return 0;
}
