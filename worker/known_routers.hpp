// Which routers this process is announced to, by the identity that they tell: one that has several addresses or names
// must get the worker once, or it would count its capacity several times.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace zmqspdy::serving {

class RouterLink;

/// I/O thread only. It outlives the links.
class KnownRouters {
  public:
    /// `may_repeat`: there are several links, or may be, so that two may lead to the same router.
    explicit KnownRouters(bool may_repeat) noexcept : may_repeat_{may_repeat} {}

    /// Links are to ask a router who it is before they announce the worker.
    [[nodiscard]] bool may_repeat() const noexcept { return may_repeat_; }

    /// `link` has found the router `identity` (not 0). False: another link has it, and `link` is not needed.
    [[nodiscard]] bool claim(std::uint64_t identity, const RouterLink& link) {
        const auto claimed = find(identity);
        if (claimed != claims_.end())
            return claimed->link == &link;
        claims_.push_back({identity, &link});
        return true;
    }
    /// `link` has lost its router, if it had one.
    void release(const RouterLink& link) noexcept {
        std::erase_if(claims_, [&link](const Claim& claim) { return claim.link == &link; });
    }
    [[nodiscard]] bool is_claimed(std::uint64_t identity) const noexcept {
        return find(identity) != claims_.end();
    }

  private:
    struct Claim {
        std::uint64_t identity;
        const RouterLink* link;
    };
    [[nodiscard]] std::vector<Claim>::const_iterator find(std::uint64_t identity) const noexcept {
        return std::find_if(claims_.begin(), claims_.end(),
                            [identity](const Claim& claim) { return claim.identity == identity; });
    }

    const bool may_repeat_;
    std::vector<Claim> claims_;
};

}  // namespace zmqspdy::serving
