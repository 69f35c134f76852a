// Bytes that wait to be sent, in the pieces that they came in or fewer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zmqspdy::serving {

/// A large piece is kept as it is, without a copy; small ones grow together, so that what is held is in proportion to the bytes,
/// however they were written.
class BytePieces {
  public:
    /// Behind all others. An empty one adds nothing.
    void add(std::string piece) {
        if (piece.empty())
            return;
        if (!is_empty() && pieces_.back().size() + piece.size() <= kGrown) {
            pieces_.back() += piece;
            return;
        }
        // What the writer reserved and did not use.
        if (piece.capacity() > 2 * piece.size() + kSlack)
            piece.shrink_to_fit();
        pieces_.push_back(std::move(piece));
    }

    [[nodiscard]] bool is_empty() const noexcept { return first_ == pieces_.size(); }
    /// The next bytes; nothing when there are none. Valid until add() or drop().
    [[nodiscard]] std::string_view front() const noexcept {
        return is_empty() ? std::string_view{} : std::string_view{pieces_[first_]}.substr(offset_);
    }
    /// front() is all that there is.
    [[nodiscard]] bool is_last() const noexcept { return first_ + 1 == pieces_.size(); }

    /// So many bytes of front() have been sent, at most all of it.
    void drop(std::size_t bytes) noexcept {
        offset_ += bytes;
        if (is_empty() || offset_ < pieces_[first_].size())
            return;
        offset_ = 0;
        std::string{}.swap(pieces_[first_++]);  // an assignment would keep its memory
        if (first_ == pieces_.size()) {
            pieces_.clear();
            first_ = 0;
        } else if (first_ >= kForgottenAtOnce) {
            // A slow reader may never let it become empty.
            pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
    }

    /// What is held in memory: at most three times the bytes, and the pieces at either end.
    [[nodiscard]] std::size_t held() const noexcept {
        std::size_t bytes = pieces_.capacity() * sizeof(std::string);
        for (const auto& piece : pieces_)
            bytes += piece.capacity();
        return bytes;
    }

  private:
    static constexpr std::size_t kGrown = std::size_t{16} * 1024;
    static constexpr std::size_t kSlack = 64;
    static constexpr std::size_t kForgottenAtOnce = 16;

    std::vector<std::string> pieces_;
    std::size_t first_ = 0;   // that is not sent
    std::size_t offset_ = 0;  // in that one
};

}  // namespace zmqspdy::serving
