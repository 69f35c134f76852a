// A SPDY/3 name/value block (draft3-1 section 2.6.10), kept in its plain wire form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

struct Header {
    std::string_view name;   ///< lower case
    std::string_view value;  ///< several values of one name are joined by a NUL; see for_each_value()
};

/// Why a block was refused. Stream errors (RST_STREAM PROTOCOL_ERROR), never session errors: the
/// compression state is intact.
enum class HeaderBlockError : std::uint8_t {
    truncated,
    trailing_bytes,
    too_many_headers,
    empty_name,
    upper_case_name,
    duplicate_name,
    misplaced_nul,  ///< leading, trailing or doubled NUL in a value
    nul_in_name,
    non_ascii_name,
};
[[nodiscard]] std::string_view to_string(HeaderBlockError error) noexcept;

/// An owning list of headers. Its storage is the block's own plain encoding, so that sending one costs no
/// second serialisation and receiving one costs a single allocation. Views that it hands out live until it is
/// changed or destroyed; moving it keeps them valid. Not thread safe.
class HeaderBlock {
  public:
    class Iterator {
      public:
        using value_type = Header;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using pointer = const Header*;
        using reference = Header;

        Iterator() = default;
        [[nodiscard]] Header operator*() const noexcept;
        Iterator& operator++() noexcept;
        Iterator operator++(int) noexcept {
            Iterator old = *this;
            ++*this;
            return old;
        }
        [[nodiscard]] bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

      private:
        friend class HeaderBlock;
        explicit Iterator(const std::byte* at) noexcept : at_{at} {}
        const std::byte* at_ = nullptr;
    };

    HeaderBlock();

    /// Takes `plain` if it is a legal block with at most `max_headers` names; checks counts, lengths, names
    /// and NULs as SPDY asks. Does not judge what HTTP would: CR, LF and the like pass here.
    [[nodiscard]] static std::variant<HeaderBlock, HeaderBlockError> parse(std::vector<std::byte> plain,
                                                                           std::size_t max_headers);

    /// Adds one value; joins it with a NUL to those that `name` has. ASCII capitals in `name` become lower
    /// case. Precondition: `name` is not empty, neither has a NUL, neither is a view into this block; an
    /// empty value is dropped when `name` has one already (SPDY has no empty parts).
    void add(std::string_view name, std::string_view value);

    /// The value of `name` (lower case), NUL-joined if there are several; nothing when absent.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

    [[nodiscard]] Iterator begin() const noexcept;
    [[nodiscard]] Iterator end() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept;  ///< number of distinct names
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] Bytes plain() const noexcept { return plain_; }

  private:
    explicit HeaderBlock(std::vector<std::byte> plain) noexcept : plain_{std::move(plain)} {}
    void join(std::size_t length_at, std::size_t old_size, std::string_view more);

    std::vector<std::byte> plain_;
};

/// Calls `visit(std::string_view)` once for each of the NUL-joined values.
template <typename Visit>
void for_each_value(std::string_view joined, Visit&& visit) {
    while (true) {
        const auto nul = joined.find('\0');
        visit(joined.substr(0, nul));
        if (nul == std::string_view::npos)
            return;
        joined.remove_prefix(nul + 1);
    }
}

}  // namespace zmqspdy::spdy
