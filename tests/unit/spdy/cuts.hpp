// Runs what is fed to a codec whole, byte by byte, and in seeded random chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>
#include <vector>

#include "zmqspdy/spdy/frame.hpp"

namespace cuts {

using zmqspdy::spdy::Bytes;

/// The same bytes cut differently each time; all pieces are views into `bytes`.
inline std::vector<std::vector<Bytes>> ways_to_cut(Bytes bytes) {
    std::vector<std::vector<Bytes>> ways{{bytes}, {}};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        ways[1].push_back(bytes.subspan(i, 1));
    for (unsigned seed = 1; seed <= 8; ++seed) {
        std::mt19937 random{seed};
        std::vector<Bytes> pieces;
        for (Bytes left = bytes; !left.empty();) {
            const std::size_t size = std::min<std::size_t>(left.size(), random() % (seed % 2 == 0 ? 9 : 200));
            pieces.push_back(left.first(size));
            left = left.subspan(size);
        }
        ways.push_back(std::move(pieces));
    }
    return ways;
}

}  // namespace cuts
