// A queue whose newest node takes more bytes for as long as nobody has taken it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "transport/mpsc_queue.hpp"

namespace zmqspdy::transport {

/// An MpscQueue for small pieces, each of which would cost a node and an allocation otherwise, often a hundred times its bytes,
/// while a slow consumer lets them wait. One thread pushes nodes that grow, and tops them up; push() of other nodes from any
/// thread; take_all() and empty() from the consumer's.
template <typename Node>
class GrowingQueue {
  public:
    void push(std::unique_ptr<Node> node) noexcept {
        open_.store(nullptr);
        queue_.push(std::move(node));
    }

    /// The node can be topped up until it is taken, or another is pushed.
    void push_growing(std::unique_ptr<Node> node) noexcept {
        // Before the consumer can take it: take_all() closes what it has taken.
        open_.store(node.get());
        queue_.push(std::move(node));
    }

    /// `add(node)` with the newest node while nobody reads it; returns what that does. False when there is no such node: push
    /// another. The consumer need not be woken for what is added, since the node was there before.
    template <typename Add>
    [[nodiscard]] bool top_up(Add add) {
        if (open_.load(std::memory_order_relaxed) == nullptr)
            return false;
        const std::lock_guard lock{mutex_};
        Node* const node = open_.load();
        return node != nullptr && add(*node);
    }

    [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

    /// As MpscQueue's; what it returns does not change any more.
    [[nodiscard]] std::unique_ptr<Node> take_all() noexcept {
        auto list = queue_.take_all();
        if (open_.load() != nullptr) {
            const std::lock_guard lock{mutex_};
            open_.store(nullptr);
        }
        return list;
    }

  private:
    MpscQueue<Node> queue_;
    std::mutex mutex_;  // held while a node is topped up or closed
    std::atomic<Node*> open_{nullptr};
};

}  // namespace zmqspdy::transport
