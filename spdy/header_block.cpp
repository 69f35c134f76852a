#include "zmqspdy/spdy/header_block.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "spdy/big_endian.hpp"

namespace zmqspdy::spdy {

namespace {

constexpr std::size_t kCountSize = 4;
constexpr std::size_t kLengthSize = 4;
/// What a response or a small request needs: one allocation for the whole block.
constexpr std::size_t kUsualSize = 512;

std::string_view text(const std::byte* at, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(at), size};
}

std::string_view read_string(const std::byte* at) noexcept {
    return text(at + kLengthSize, read_u32(at));
}

Bytes bytes_of(std::string_view s) noexcept {
    return std::as_bytes(std::span{s});
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_lowered(std::string_view stored, std::string_view given) noexcept {
    return std::equal(stored.begin(), stored.end(), given.begin(), given.end(),
                      [](char a, char b) { return a == lower(b); });
}

std::optional<HeaderBlockError> check_name(std::string_view name) noexcept {
    if (name.empty())
        return HeaderBlockError::empty_name;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z')
            return HeaderBlockError::upper_case_name;
        if (c == '\0')
            return HeaderBlockError::nul_in_name;
        if (static_cast<unsigned char>(c) >= 0x80)
            return HeaderBlockError::non_ascii_name;
    }
    return {};
}

bool has_misplaced_nul(std::string_view value) noexcept {
    auto nul = value.find('\0');
    if (nul == std::string_view::npos)
        return false;
    if (nul == 0 || value.back() == '\0')
        return true;
    for (; nul != std::string_view::npos; nul = value.find('\0', nul + 1)) {
        if (value[nul - 1] == '\0')
            return true;
    }
    return false;
}

/// Finds repeated names. Few names are compared with one another, and only where a hash says so; many are
/// sorted, lest a peer make us pay for the square of their number.
class NameSet {
  public:
    void expect(std::size_t count) {
        if (count > few_.size())
            many_.reserve(count);
    }
    void add(std::string_view name) {
        if (many_.capacity() > 0) {
            many_.push_back(name);
            return;
        }
        const std::uint64_t bit = std::uint64_t{1} << hash(name) % 64;
        if ((seen_ & bit) != 0)
            repeated_ =
                repeated_ || std::find(few_.begin(), few_.begin() + count_, name) != few_.begin() + count_;
        seen_ |= bit;
        few_[static_cast<std::size_t>(count_++)] = name;
    }
    [[nodiscard]] bool has_repeated() noexcept {
        std::sort(many_.begin(), many_.end());
        return repeated_ || std::adjacent_find(many_.begin(), many_.end()) != many_.end();
    }

  private:
    static std::size_t hash(std::string_view name) noexcept {
        const auto at = [&](std::size_t i) { return static_cast<unsigned char>(name[i]); };
        return name.size() * 7 + at(0) + at(name.size() / 2) * 3u + at(name.size() - 1) * 5u;
    }

    std::uint64_t seen_ = 0;
    bool repeated_ = false;
    std::ptrdiff_t count_ = 0;
    std::array<std::string_view, 32> few_;
    std::vector<std::string_view> many_;
};

/// Reads length-prefixed strings and never past the end.
class Cursor {
  public:
    explicit Cursor(Bytes rest) noexcept : rest_{rest} {}

    [[nodiscard]] std::optional<std::string_view> string() noexcept {
        if (rest_.size() < kLengthSize)
            return {};
        const std::size_t size = read_u32(rest_.data());
        if (size > rest_.size() - kLengthSize)
            return {};
        const std::string_view found = text(rest_.data() + kLengthSize, size);
        rest_ = rest_.subspan(kLengthSize + size);
        return found;
    }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    Bytes rest_;
};

std::optional<HeaderBlockError> check(Bytes plain, std::size_t max_headers) {
    if (plain.size() < kCountSize)
        return HeaderBlockError::truncated;
    const std::size_t count = read_u32(plain.data());
    if (count > max_headers)
        return HeaderBlockError::too_many_headers;
    if (count > (plain.size() - kCountSize) / (2 * kLengthSize))
        return HeaderBlockError::truncated;

    Cursor cursor{plain.subspan(kCountSize)};
    NameSet names;
    names.expect(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto name = cursor.string();
        const auto value = name ? cursor.string() : std::nullopt;
        if (!value)
            return HeaderBlockError::truncated;
        if (const auto error = check_name(*name))
            return error;
        if (has_misplaced_nul(*value))
            return HeaderBlockError::misplaced_nul;
        names.add(*name);
    }
    if (!cursor.at_end())
        return HeaderBlockError::trailing_bytes;
    if (names.has_repeated())
        return HeaderBlockError::duplicate_name;
    return {};
}

}  // namespace

std::string_view to_string(HeaderBlockError error) noexcept {
    switch (error) {
        case HeaderBlockError::truncated:
            return "a header block ends too early";
        case HeaderBlockError::trailing_bytes:
            return "a header block has bytes after its last header";
        case HeaderBlockError::too_many_headers:
            return "a header block has too many headers";
        case HeaderBlockError::empty_name:
            return "a header has an empty name";
        case HeaderBlockError::upper_case_name:
            return "a header name has capital letters";
        case HeaderBlockError::duplicate_name:
            return "a header name is repeated";
        case HeaderBlockError::misplaced_nul:
            return "a header value has an empty part";
        case HeaderBlockError::nul_in_name:
            return "a header name has a NUL";
        case HeaderBlockError::non_ascii_name:
            return "a header name is not ASCII";
    }
    return "a header block is malformed";
}

Header HeaderBlock::Iterator::operator*() const noexcept {
    const std::string_view name = read_string(at_);
    return {name, read_string(at_ + kLengthSize + name.size())};
}

HeaderBlock::Iterator& HeaderBlock::Iterator::operator++() noexcept {
    at_ += kLengthSize + read_u32(at_);
    at_ += kLengthSize + read_u32(at_);
    return *this;
}

HeaderBlock::HeaderBlock() : plain_(kCountSize) {}

std::variant<HeaderBlock, HeaderBlockError> HeaderBlock::parse(std::vector<std::byte> plain,
                                                               std::size_t max_headers) {
    if (const auto error = check(plain, max_headers))
        return *error;
    return HeaderBlock{std::move(plain)};
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
    if (plain_.capacity() < kUsualSize)
        plain_.reserve(kUsualSize);
    if (plain_.empty())
        plain_.resize(kCountSize);  // it was moved from

    const std::byte* const end = plain_.data() + plain_.size();
    for (const std::byte* at = plain_.data() + kCountSize; at != end;) {
        const std::size_t name_size = read_u32(at);
        const std::byte* value_at = at + kLengthSize + name_size;
        const std::size_t value_size = read_u32(value_at);
        if (name_size == name.size() && equals_lowered(text(at + kLengthSize, name_size), name))
            return join(static_cast<std::size_t>(value_at - plain_.data()), value_size, value);
        at = value_at + kLengthSize + value_size;
    }

    const std::size_t old_size = plain_.size();
    plain_.resize(old_size + 2 * kLengthSize + name.size() + value.size());
    std::byte* at = plain_.data() + old_size;
    write_u32(at, static_cast<std::uint32_t>(name.size()));
    at = std::transform(name.begin(), name.end(), at + kLengthSize,
                        [](char c) { return static_cast<std::byte>(lower(c)); });
    write_u32(at, static_cast<std::uint32_t>(value.size()));
    std::copy_n(bytes_of(value).data(), value.size(), at + kLengthSize);
    write_u32(plain_.data(), read_u32(plain_.data()) + 1);
}

/// Appends `more` to the value whose length stands at `length_at`.
void HeaderBlock::join(std::size_t length_at, std::size_t old_size, std::string_view more) {
    if (more.empty())
        return;
    const Bytes bytes = bytes_of(more);
    const std::size_t separator = old_size == 0 ? 0 : 1;
    const auto value_end = plain_.begin() + static_cast<std::ptrdiff_t>(length_at + kLengthSize + old_size);
    const auto after_separator =
        plain_.insert(value_end, separator, std::byte{}) + static_cast<std::ptrdiff_t>(separator);
    plain_.insert(after_separator, bytes.begin(), bytes.end());
    write_u32(plain_.data() + length_at, static_cast<std::uint32_t>(old_size + separator + more.size()));
}

std::optional<std::string_view> HeaderBlock::find(std::string_view name) const noexcept {
    for (const auto [known, value] : *this) {
        if (known == name)
            return value;
    }
    return {};
}

HeaderBlock::Iterator HeaderBlock::begin() const noexcept {
    return Iterator{plain_.data() + std::min(plain_.size(), kCountSize)};
}

HeaderBlock::Iterator HeaderBlock::end() const noexcept {
    return Iterator{plain_.data() + plain_.size()};
}

std::size_t HeaderBlock::size() const noexcept {
    return plain_.empty() ? 0 : read_u32(plain_.data());
}

}  // namespace zmqspdy::spdy
