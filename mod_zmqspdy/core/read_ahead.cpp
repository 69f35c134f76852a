#include "mod_zmqspdy/core/read_ahead.hpp"

namespace zmqspdy::router {

std::size_t ReadAhead::received(std::size_t bytes) noexcept {
    unread_ += bytes;
    if (left_)
        *left_ -= std::min<std::uint64_t>(*left_, bytes);
    // A client that keeps up has most of its window free.
    if (limit_ <= window_ || room() > window_ / 4)
        return 0;
    reserve();
    // In halves of the window, each of which the session passes on at once; and none gives back what has not come.
    const std::size_t most = std::min(unread_ - std::min(unread_, told_), share_.size() - told_);
    const std::size_t now = most / half() * half();
    if (now != 0)
        owed_ = 0;
    told_ += now;
    return now;
}

void ReadAhead::reserve() noexcept {
    const std::size_t ahead = room() + (share_.size() - told_);  // that the worker may send, or soon may
    if (!left_) {
        if (unread_ + ahead + half() <= limit_)
            (void)share_.grow(half());
        return;
    }
    if (*left_ <= ahead || unread_ + *left_ > limit_)
        return;
    const auto missing = static_cast<std::size_t>(*left_) - ahead;
    (void)share_.grow((missing + half() - 1) / half() * half());
}

std::size_t ReadAhead::read(std::size_t bytes) noexcept {
    unread_ -= std::min(unread_, bytes);
    const std::size_t known = std::min(told_, bytes);
    told_ -= known;
    share_.shrink(known);
    owed_ += bytes - known;
    if (owed_ >= half())
        owed_ = 0;
    return bytes - known;
}

}  // namespace zmqspdy::router
