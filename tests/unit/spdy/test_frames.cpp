#include <set>

#include "catch.hpp"
#include "cuts.hpp"
#include "spdy/frame_reader.hpp"
#include "spdy/frame_writer.hpp"
#include "wire.hpp"

using namespace zmqspdy::spdy;
using wire::Buffer;

namespace {

struct Seen {
    std::vector<std::string> lines;
    bool too_large = false;
    bool at_boundary = false;
};

std::string text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Seen read(const std::vector<Bytes>& pieces, std::size_t max_control) {
    FrameReader reader{max_control};
    Seen seen;
    for (Bytes piece : pieces) {
        while (true) {
            const FramePart part = reader.next(piece);
            if (std::holds_alternative<NeedMore>(part))
                break;
            if (std::holds_alternative<ControlFrameTooLarge>(part)) {
                seen.too_large = true;
                return seen;
            }
            if (const auto* control = std::get_if<ControlFrame>(&part)) {
                seen.lines.push_back("v" + std::to_string(control->version) + " type " +
                                     std::to_string(control->type) + " flags " +
                                     std::to_string(control->flags) + " " + text(control->body));
                continue;
            }
            const auto& data = std::get<DataPart>(part);
            if (data.starts)
                seen.lines.push_back("data " + std::to_string(data.stream) + " of " +
                                     std::to_string(data.body_size) + " ");
            seen.lines.back() += text(data.payload) + (data.fin ? " FIN" : "");
        }
        CHECK(piece.empty());
    }
    seen.at_boundary = reader.at_frame_boundary();
    return seen;
}

Seen read_all_ways(const Buffer& bytes, std::size_t max_control = 1000) {
    const auto ways = cuts::ways_to_cut(bytes);
    const Seen whole = read(ways.front(), max_control);
    for (const auto& pieces : ways) {
        const Seen cut = read(pieces, max_control);
        CHECK(cut.lines == whole.lines);
        CHECK(cut.too_large == whole.too_large);
        CHECK(cut.at_boundary == whole.at_boundary);
    }
    return whole;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("frames come out the same however the bytes are cut") {
    const Buffer bytes = wire::control(6, 0, wire::bytes("ping"))
                         << wire::data(5, "hello") << wire::data(5, "") << wire::data(5, "", true)
                         << wire::data(0x7fffffff, "bye", true) << wire::control(0xffff, 0xff, {}, 0x7fff)
                         << wire::control(4, 1, wire::bytes("settings"))
                         << wire::control(1, 0, wire::bytes(std::string(300, 'h')))
                         << wire::data(1, std::string(500, 'd'));
    const Seen seen = read_all_ways(bytes);
    CHECK(seen.at_boundary);
    CHECK_FALSE(seen.too_large);
    CHECK(seen.lines ==
          Lines{"v3 type 6 flags 0 ping", "data 5 of 5 hello", "data 5 of 0 ", "data 5 of 0  FIN",
                "data 2147483647 of 3 bye FIN", "v32767 type 65535 flags 255 ", "v3 type 4 flags 1 settings",
                "v3 type 1 flags 0 " + std::string(300, 'h'), "data 1 of 500 " + std::string(500, 'd')});
}

TEST_CASE("a frame cut anywhere is not at a boundary and yields no control frame") {
    const Buffer frame = wire::control(6, 0, wire::bytes("ping"));
    for (std::size_t size = 1; size < frame.size(); ++size) {
        const Seen seen = read_all_ways({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)});
        CHECK(seen.lines.empty());
        CHECK_FALSE(seen.at_boundary);
    }
    const Seen half = read_all_ways(Buffer{wire::u32(1) << wire::u32(0x01000004) << wire::bytes("ab")});
    CHECK(half.lines == Lines{"data 1 of 4 ab"});
    CHECK_FALSE(half.at_boundary);
    CHECK(read_all_ways({}).at_boundary);
}

TEST_CASE("payload is passed on as a view, with no copy") {
    const Buffer bytes = wire::data(1, "payload") << wire::control(6, 0, wire::bytes("ping"));
    FrameReader reader{100};
    Bytes in{bytes};
    CHECK(std::get<DataPart>(reader.next(in)).payload.data() == bytes.data() + 8);
    CHECK(std::get<ControlFrame>(reader.next(in)).body.data() == bytes.data() + 23);
}

TEST_CASE("a control frame above the limit is refused by its header, DATA has no such limit") {
    const Buffer largest = wire::control(1, 0, Buffer(1000, std::byte{'x'}));
    CHECK_FALSE(read_all_ways(largest).too_large);
    CHECK(read_all_ways(wire::control(1, 0, Buffer(1001, std::byte{'x'}))).too_large);
    CHECK(read_all_ways(wire::u32(0x80030001) << wire::u32(0x00ffffff)).too_large);
    CHECK_FALSE(read_all_ways(wire::u32(1) << wire::u32(0x00ffffff)).too_large);
}

TEST_CASE("written frames are those of the specification") {
    FrameWriter writer{0};
    writer.settings(std::array<Setting, 2>{
        {{SettingId::max_concurrent_streams, 100}, {SettingId::initial_window_size, 70000}}});
    writer.ping(7);
    writer.rst_stream(0x7fffffff, ResetCode::frame_too_large);
    writer.go_away(9, GoAwayCode::internal_error);
    writer.window_update(3, 0x7fffffff);
    writer.data(3, wire::bytes("abc"), true, 1000);
    const Buffer expected = wire::settings({{4, 100}, {7, 70000}})
                            << wire::ping(7) << wire::rst(0x7fffffff, 11) << wire::go_away(9, 2)
                            << wire::window_update(3, 0x7fffffff) << wire::data(3, "abc", true);
    CHECK(writer.size() == expected.size());
    CHECK(writer.take() == expected);
    CHECK(writer.size() == 0);
    CHECK(writer.take().empty());
}

TEST_CASE("frames with headers are those of the specification") {
    const Buffer plain = wire::plain({{":path", "/"}});
    FrameWriter writer{9};
    writer.syn_stream(5, 7, true, plain);
    writer.syn_reply(5, false, plain);
    writer.headers(5, true, plain);
    const Buffer bytes = writer.take();
    const auto frames = wire::cut(bytes);
    REQUIRE(frames.size() == 3);
    CHECK(wire::describe_frames(bytes) == Lines{"SYN_STREAM 5 FIN", "SYN_REPLY 5", "HEADERS 5 FIN"});
    CHECK(frames[0].body[8] == std::byte{7 << 5});
    wire::Inflater zlib;
    CHECK(zlib.block(frames[0].body.subspan(10)) == plain);
    CHECK(zlib.block(frames[1].body.subspan(4)) == plain);
    CHECK(zlib.block(frames[2].body.subspan(4)) == plain);
}

TEST_CASE("DATA joins the DATA before it, of the same stream, up to the largest frame") {
    FrameWriter writer{0};
    writer.data(1, wire::bytes("ab"), false, 5);
    writer.data(1, wire::bytes("cde"), false, 5);
    writer.data(1, wire::bytes("f"), false, 5);
    writer.data(3, wire::bytes("g"), false, 5);
    writer.data(1, wire::bytes("h"), false, 5);
    writer.data(1, {}, true, 5);
    writer.data(1, wire::bytes("i"), false, 5);  // not the writer's to judge: after FIN a new frame
    CHECK(wire::describe_frames(writer.take()) ==
          Lines{"DATA 1 5", "DATA 1 1", "DATA 3 1", "DATA 1 1 FIN", "DATA 1 1"});

    writer.data(1, wire::bytes("a"), false, 5);
    writer.ping(1);
    writer.data(1, wire::bytes("b"), false, 5);
    CHECK(writer.take() == wire::data(1, "a") << wire::ping(1) << wire::data(1, "b"));
    writer.data(1, wire::bytes("c"), false, 5);
    CHECK(writer.take() == wire::data(1, "c"));
}

TEST_CASE("every status code has a name of its own") {
    std::set<std::string_view> names;
    for (std::uint32_t code = 1; code <= 11; ++code)
        names.insert(to_string(ResetCode{code}));
    CHECK(names.size() == 11);
    CHECK(names.count("UNKNOWN") == 0);
    CHECK(to_string(ResetCode{0}) == "UNKNOWN");
    CHECK(to_string(ResetCode{12}) == "UNKNOWN");
    CHECK(to_string(GoAwayCode::ok) == "OK");
    CHECK(to_string(GoAwayCode{3}) == "UNKNOWN");
}
