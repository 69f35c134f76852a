// The open streams of a session: a compact hash map from stream id to state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "spdy/flow_window.hpp"
#include "zmqspdy/spdy/frame.hpp"

namespace zmqspdy::spdy {

struct Stream {
    StreamId id = 0;  ///< 0: a free slot
    bool replied = false;
    bool local_done = false;   ///< we sent FIN
    bool remote_done = false;  ///< the peer sent FIN
    std::uint8_t blocks = 0;   ///< HEADERS received, up to the free ones
    SendWindow sending{0};
    ReceiveWindow receiving{0, 0};
};

/// Open addressing with linear probing; erasing moves later slots back, so there are no tombstones.
/// Pointers to streams are valid until the next insert() or erase().
class StreamTable {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] const Stream* find(StreamId id) const noexcept {
        if (slots_.empty() || id == 0)
            return nullptr;
        for (std::size_t at = home(id);; at = next(at)) {
            if (slots_[at].id == id)
                return &slots_[at];
            if (slots_[at].id == 0)
                return nullptr;
        }
    }
    [[nodiscard]] Stream* find(StreamId id) noexcept {
        return const_cast<Stream*>(std::as_const(*this).find(id));
    }

    /// Precondition: `stream.id` is not 0 and not there.
    Stream& insert(const Stream& stream) {
        if (2 * (size_ + 1) > slots_.size())
            rehash(slots_.empty() ? kMinSlots : 2 * slots_.size());
        ++size_;
        return place(stream);
    }

    void erase(StreamId id) noexcept {
        const Stream* found = find(id);
        if (found == nullptr)
            return;
        auto hole = static_cast<std::size_t>(found - slots_.data());
        for (std::size_t at = next(hole); slots_[at].id != 0; at = next(at)) {
            // A stream may fill the hole unless it would come to stand before its home.
            const std::size_t mask = slots_.size() - 1;
            if (((at - home(slots_[at].id)) & mask) >= ((at - hole) & mask)) {
                slots_[hole] = slots_[at];
                hole = at;
            }
        }
        slots_[hole].id = 0;
        --size_;
    }

    template <typename Visit>
    void for_each(Visit&& visit) {
        for (Stream& stream : slots_) {
            if (stream.id != 0)
                visit(stream);
        }
    }

  private:
    static constexpr std::size_t kMinSlots = 16;

    // Multiplying by the golden ratio spreads ids whatever their stride.
    [[nodiscard]] std::size_t home(StreamId id) const noexcept { return id * 0x9e3779b1u >> shift_; }
    [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

    Stream& place(const Stream& stream) noexcept {
        std::size_t at = home(stream.id);
        while (slots_[at].id != 0)
            at = next(at);
        return slots_[at] = stream;
    }
    void rehash(std::size_t slots) {
        std::vector<Stream> old(slots);
        old.swap(slots_);
        shift_ = 32;
        for (std::size_t left = slots; left > 1; left /= 2)
            --shift_;
        for (const Stream& stream : old) {
            if (stream.id != 0)
                place(stream);
        }
    }

    std::vector<Stream> slots_;
    std::size_t size_ = 0;
    unsigned shift_ = 32;
};

}  // namespace zmqspdy::spdy
