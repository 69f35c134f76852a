#include <random>
#include <set>
#include <type_traits>

#include "catch.hpp"
#include "wire.hpp"

using namespace zmqspdy::spdy;
using wire::Buffer;
using wire::Pairs;

static_assert(std::is_nothrow_move_constructible_v<HeaderBlock>);
static_assert(std::is_nothrow_move_assignable_v<HeaderBlock>);

namespace {

std::optional<HeaderBlockError> error_of(Buffer plain, std::size_t max_headers = 100) {
    auto parsed = HeaderBlock::parse(std::move(plain), max_headers);
    if (const auto* error = std::get_if<HeaderBlockError>(&parsed)) {
        CHECK_FALSE(to_string(*error).empty());
        return *error;
    }
    return {};
}

HeaderBlock parsed(const Pairs& pairs) {
    return std::get<HeaderBlock>(HeaderBlock::parse(wire::plain(pairs), 100));
}

std::vector<std::string> values_of(std::string_view joined) {
    std::vector<std::string> values;
    for_each_value(joined, [&](std::string_view value) { values.emplace_back(value); });
    return values;
}

}  // namespace

TEST_CASE("a new block is empty and encodes to a count of 0") {
    const HeaderBlock block;
    CHECK(block.empty());
    CHECK(block.begin() == block.end());
    CHECK(Buffer(block.plain().begin(), block.plain().end()) == wire::u32(0));
}

TEST_CASE("add() encodes as the specification has it") {
    const Pairs pairs{{":method", "GET"}, {"accept", "*/*"}, {"x-empty", ""}};
    const HeaderBlock block = wire::block(pairs);
    CHECK(Buffer(block.plain().begin(), block.plain().end()) == wire::plain(pairs));
    CHECK(block.size() == 3);
    CHECK(wire::describe(block) == ":method=GET accept=*/* x-empty=");
}

TEST_CASE("add() lowers names and leaves values alone") {
    HeaderBlock block;
    block.add("Content-TYPE", "Text/HTML");
    CHECK(wire::describe(block) == "content-type=Text/HTML");
    CHECK(block.find("content-type") == std::string_view{"Text/HTML"});
    CHECK(block.find("Content-Type") == std::nullopt);
    CHECK(block.find("content-typ") == std::nullopt);
}

TEST_CASE("values of one name are joined by a NUL, wherever they stand") {
    HeaderBlock block;
    block.add("set-cookie", "a=1");
    block.add("date", "today");
    block.add("Set-Cookie", "b=2");
    block.add("set-cookie", "");
    block.add("SET-COOKIE", "c=3");
    CHECK(block.size() == 2);
    CHECK(wire::describe(block) == "set-cookie=a=1|b=2|c=3 date=today");
    CHECK(values_of(*block.find("set-cookie")) == std::vector<std::string>{"a=1", "b=2", "c=3"});
    CHECK_FALSE(error_of({block.plain().begin(), block.plain().end()}));
}

TEST_CASE("a value that follows an empty one replaces it, as there are no empty parts") {
    HeaderBlock block;
    block.add("a", "");
    block.add("b", "x");
    block.add("a", "1");
    CHECK(wire::describe(block) == "a=1 b=x");
    CHECK(values_of("") == std::vector<std::string>{""});
}

TEST_CASE("moving a block keeps its views valid and leaves an empty block that can be filled again") {
    HeaderBlock from = wire::block({{"name", "value"}});
    const std::string_view value = *from.find("name");
    const HeaderBlock to = std::move(from);
    CHECK(to.find("name")->data() == value.data());
    // NOLINTNEXTLINE(bugprone-use-after-move): that this works is what is shown here.
    CHECK(from.empty());
    CHECK(from.begin() == from.end());
    CHECK_FALSE(from.find("name"));
    from.add("other", "1");
    CHECK(wire::describe(from) == "other=1");
}

TEST_CASE("a legal block is taken as it is, without a copy") {
    Buffer plain = wire::plain({{":status", "200"}, {"x", ""}, {"set-cookie", std::string{"a\0b", 3}}});
    const std::byte* storage = plain.data();
    auto block = std::get<HeaderBlock>(HeaderBlock::parse(std::move(plain), 3));
    CHECK(block.plain().data() == storage);
    CHECK(wire::describe(block) == ":status=200 x= set-cookie=a|b");
    block.add("y", "2");
    CHECK(wire::describe(block) == ":status=200 x= set-cookie=a|b y=2");
}

TEST_CASE("CR, LF and bytes above 127 in values are left to HTTP to judge") {
    CHECK(wire::describe(parsed({{"a", "x\r\ny"}, {"b", "\xff"}})) == "a=x\r\ny b=\xff");
}

TEST_CASE("every proper prefix of a block is truncated") {
    const Buffer whole = wire::plain({{":status", "200"}, {"content-length", "5"}});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
              HeaderBlockError::truncated);
    CHECK_FALSE(error_of(whole));
}

TEST_CASE("counts and lengths are held against what there is") {
    CHECK(error_of(wire::plain({{"a", "b"}}) << wire::bytes("z")) == HeaderBlockError::trailing_bytes);
    Buffer one_too_many = wire::plain({{"a", "b"}});
    one_too_many[3] = std::byte{2};
    CHECK(error_of(one_too_many) == HeaderBlockError::truncated);
    Buffer one_too_few = wire::plain({{"a", "b"}, {"c", "d"}});
    one_too_few[3] = std::byte{1};
    CHECK(error_of(one_too_few) == HeaderBlockError::trailing_bytes);

    CHECK(error_of(wire::u32(0xffffffff)) == HeaderBlockError::too_many_headers);
    CHECK(error_of(wire::u32(0xffffffff), 0xffffffff) == HeaderBlockError::truncated);
    const Buffer rest = wire::u32(1) << wire::bytes("a") << wire::u32(1) << wire::bytes("b");
    CHECK_FALSE(error_of(wire::u32(1) << rest));
    for (const std::uint32_t length : {2u, 7u, 0x7fffffffu, 0xfffffffbu, 0xfffffffcu, 0xffffffffu}) {
        CHECK(error_of(wire::u32(1) << wire::u32(length) << wire::bytes("a") << wire::u32(1)
                                    << wire::bytes("b")) == HeaderBlockError::truncated);
        CHECK(error_of(wire::u32(1) << wire::u32(1) << wire::bytes("a") << wire::u32(length)
                                    << wire::bytes("b")) == HeaderBlockError::truncated);
    }
    CHECK(error_of(wire::plain({{"a", ""}, {"b", ""}}), 1) == HeaderBlockError::too_many_headers);
}

TEST_CASE("names are not empty, have no capitals, no NUL and no byte above 127") {
    CHECK(error_of(wire::plain({{"", "x"}})) == HeaderBlockError::empty_name);
    CHECK(error_of(wire::plain({{"Accept", "x"}})) == HeaderBlockError::upper_case_name);
    CHECK(error_of(wire::plain({{"accepT", "x"}})) == HeaderBlockError::upper_case_name);
    CHECK(error_of(wire::plain({{std::string{"a\0b", 3}, "x"}})) == HeaderBlockError::nul_in_name);
    CHECK(error_of(wire::plain({{"caf\xc3\xa9", "x"}})) == HeaderBlockError::non_ascii_name);
}

TEST_CASE("a NUL stands between two parts and nowhere else") {
    const auto value_error = [](std::string value) {
        return error_of(wire::plain({{"a", std::move(value)}}));
    };
    using namespace std::string_literals;
    CHECK_FALSE(value_error("a\0b\0c"s));
    CHECK(value_error("\0"s) == HeaderBlockError::misplaced_nul);
    CHECK(value_error("\0a"s) == HeaderBlockError::misplaced_nul);
    CHECK(value_error("a\0"s) == HeaderBlockError::misplaced_nul);
    CHECK(value_error("a\0\0b"s) == HeaderBlockError::misplaced_nul);
    CHECK(value_error("a\0b\0\0c"s) == HeaderBlockError::misplaced_nul);
}

TEST_CASE("a repeated name is found among few and among many") {
    for (const int count : {2, 3, 31, 32, 33, 34, 100}) {
        for (int repeated = 0; repeated < count - 1; repeated += 7) {
            Pairs pairs;
            for (int i = 0; i < count; ++i)
                pairs.emplace_back("name-" + std::to_string(i), "x");
            CHECK_FALSE(error_of(wire::plain(pairs)));
            pairs.back().first = "name-" + std::to_string(repeated);
            CHECK(error_of(wire::plain(pairs)) == HeaderBlockError::duplicate_name);
        }
    }
}

TEST_CASE("random bytes never give a block that add() could not have made") {
    std::mt19937 random{20};
    int taken = 0;
    for (int round = 0; round < 20000; ++round) {
        Pairs pairs;
        for (auto i = random() % 4; i > 0; --i)
            pairs.emplace_back(std::string(random() % 3, 'a'), std::string(random() % 3, 'b'));
        Buffer plain = wire::plain(pairs);
        for (auto i = random() % 3; i > 0; --i)
            plain[random() % plain.size()] = static_cast<std::byte>(random() % 4);
        auto result = HeaderBlock::parse(plain, 3);
        const auto* block = std::get_if<HeaderBlock>(&result);
        if (block == nullptr)
            continue;
        ++taken;
        std::set<std::string_view> names;
        HeaderBlock again;
        for (const auto [name, value] : *block) {
            CHECK(names.insert(name).second);
            for_each_value(value, [&, key = name](std::string_view part) { again.add(key, part); });
        }
        CHECK(Buffer(again.plain().begin(), again.plain().end()) == plain);
    }
    CHECK(taken > 1000);
}
