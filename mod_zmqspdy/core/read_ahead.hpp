// How much of a response is taken in before its client has read what is here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "mod_zmqspdy/core/memory_budget.hpp"

namespace zmqspdy::router {

/// The window of a stream lets its worker send so much ahead of the client, and no more: a client that reads slowly keeps the
/// worker's place. What is left of a response that fits into ZmqSpdyResponseBuffer is taken in all the same: its worker is
/// told that the client has read more than it has. What it was told so counts against the child's memory until the client
/// has read it indeed.
///
/// A response without a length is given half a window at a time, since it may fit.
class ReadAhead {
  public:
    /// Takes nothing ahead of the window.
    ReadAhead() noexcept = default;
    /// `limit`: bytes of one response that may be here, the window included. `length`: of the whole response, if known.
    ReadAhead(std::shared_ptr<MemoryBudget> budget, std::size_t window, std::size_t limit,
              std::optional<std::uint64_t> length) noexcept
        : share_{std::move(budget)}, window_{window}, limit_{limit}, left_{length} {}

    /// So many bytes have come, and more will. Returns how many the worker is to be told were read.
    [[nodiscard]] std::size_t received(std::size_t bytes) noexcept;
    /// The client has read so many. Returns the same.
    [[nodiscard]] std::size_t read(std::size_t bytes) noexcept;

    /// What counts against the budget now.
    [[nodiscard]] std::size_t reserved() const noexcept { return share_.size(); }

  private:
    /// What the worker may send before it hears from us.
    [[nodiscard]] std::size_t room() const noexcept {
        const auto used = unread_ + owed_;
        return window_ + told_ - std::min(used, window_ + told_);
    }
    [[nodiscard]] std::size_t half() const noexcept { return window_ / 2; }
    void reserve() noexcept;

    MemoryShare share_;  // told_, and what will be told as the bytes come
    std::size_t window_ = 0;
    std::size_t limit_ = 0;
    std::optional<std::uint64_t> left_;  // to come
    std::size_t unread_ = 0;
    std::size_t told_ = 0;  // that it was read, of what is unread
    std::size_t owed_ =
        0;  // was read, and the session has not told it yet: it does so for half a window at a time
};

}  // namespace zmqspdy::router
