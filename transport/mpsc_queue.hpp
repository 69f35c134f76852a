// A lock-free queue of many producers and one consumer, which takes everything at once.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace zmqspdy::transport {

/// `Node` has a public member `std::unique_ptr<Node> next`. The queue owns what is in it.
/// push() from any thread; take_all() and empty() from the consumer's.
template <typename Node>
class MpscQueue {
  public:
    MpscQueue() = default;
    MpscQueue(const MpscQueue&) = delete;
    MpscQueue& operator=(const MpscQueue&) = delete;
    ~MpscQueue() { discard(take_all()); }

    void push(std::unique_ptr<Node> node) noexcept {
        Node* const raw = node.release();
        Node* top = top_.load(std::memory_order_relaxed);
        do {
            // release() first: `next` must not delete what it held from an earlier, lost round.
            (void)raw->next.release();
            raw->next.reset(top);
            // Sequentially consistent: paired with the flag a sleeping consumer sets before its last look
            // here.
        } while (!top_.compare_exchange_weak(top, raw, std::memory_order_seq_cst, std::memory_order_relaxed));
    }

    [[nodiscard]] bool empty() const noexcept { return top_.load(std::memory_order_seq_cst) == nullptr; }

    /// Everything pushed so far as a list linked by `next`, the oldest first; null when there is nothing.
    [[nodiscard]] std::unique_ptr<Node> take_all() noexcept {
        if (top_.load(std::memory_order_relaxed) == nullptr)
            return nullptr;
        std::unique_ptr<Node> newest_first{top_.exchange(nullptr, std::memory_order_acquire)};
        std::unique_ptr<Node> oldest_first;
        while (newest_first) {
            auto rest = std::move(newest_first->next);
            newest_first->next = std::move(oldest_first);
            oldest_first = std::move(newest_first);
            newest_first = std::move(rest);
        }
        return oldest_first;
    }

    /// Destroys a list link by link: letting unique_ptr do it would recurse once per link.
    static void discard(std::unique_ptr<Node> list) noexcept {
        while (list)
            list = std::move(list->next);
    }

  private:
    std::atomic<Node*> top_{nullptr};
};

}  // namespace zmqspdy::transport
