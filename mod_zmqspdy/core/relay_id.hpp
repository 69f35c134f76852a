// How a child names itself on a connection through the registry.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "mod_zmqspdy/core/worker_table.hpp"

namespace zmqspdy::router {

/// The ZeroMQ routing id of a child's link to a relayed worker. It carries the worker, so that the registry
/// can forward without keeping a table of links, and refuses what a worker sends to links of another.
class RelayId {
  public:
    RelayId(WorkerId worker, pid_t child, std::uint32_t number) noexcept {
        bytes_[0] = kTag;
        std::memcpy(bytes_.data() + 1, &worker, sizeof worker);
        const auto pid = static_cast<std::uint32_t>(child);
        std::memcpy(bytes_.data() + 9, &pid, sizeof pid);
        std::memcpy(bytes_.data() + 13, &number, sizeof number);
    }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }

    /// The worker that a routing id names; nothing when it is not one of ours.
    [[nodiscard]] static std::optional<WorkerId> worker_of(std::string_view routing_id) noexcept {
        if (routing_id.size() != kSize || routing_id.front() != kTag)
            return std::nullopt;
        WorkerId worker = 0;
        std::memcpy(&worker, routing_id.data() + 1, sizeof worker);
        return worker;
    }

  private:
    static constexpr std::size_t kSize = 17;
    static constexpr char kTag = 'c';  // libzmq keeps ids that begin with a zero byte for itself
    std::array<char, kSize> bytes_{};
};

}  // namespace zmqspdy::router
