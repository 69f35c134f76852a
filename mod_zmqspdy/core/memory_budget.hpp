// Memory of which a process may use so much and no more.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace zmqspdy::router {

/// What has been given out of it, over all threads: exact at every moment, and never more than its size.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t bytes) noexcept : size_{bytes} {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    /// All of `bytes`, or false and nothing.
    [[nodiscard]] bool take(std::size_t bytes) noexcept {
        auto used = used_.load(std::memory_order_relaxed);
        do {
            if (bytes > size_ - used)
                return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

  private:
    const std::size_t size_;
    std::atomic<std::size_t> used_{0};
};

/// What one owner has of a budget; its end gives it back, on whichever thread. One thread at a time.
class MemoryShare {
  public:
    MemoryShare() noexcept = default;
    explicit MemoryShare(std::shared_ptr<MemoryBudget> budget) noexcept : budget_{std::move(budget)} {}
    ~MemoryShare() { shrink(size_); }
    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;
    MemoryShare(MemoryShare&& other) noexcept
        : budget_{std::move(other.budget_)}, size_{std::exchange(other.size_, 0)} {}
    MemoryShare& operator=(MemoryShare&& other) noexcept {
        shrink(size_);
        budget_ = std::move(other.budget_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    /// False, and unchanged, when there is not so much left.
    [[nodiscard]] bool grow(std::size_t bytes) noexcept {
        if (!budget_ || !budget_->take(bytes))
            return false;
        size_ += bytes;
        return true;
    }
    /// `bytes`: no more than size().
    void shrink(std::size_t bytes) noexcept {
        if (bytes == 0)
            return;
        budget_->give_back(bytes);
        size_ -= bytes;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::shared_ptr<MemoryBudget> budget_;
    std::size_t size_ = 0;
};

}  // namespace zmqspdy::router
