// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "rt/annotations.h"

namespace rta {

/// How long a new node or connection stays silent because look-ahead and compensating delays are not filled yet: it
/// ends `frames` after the adoption of the plan that added it, but not before the frame `until`. [any]
struct Silence {
    std::uint32_t frames = 0;
    std::uint64_t until = 0;

    [[nodiscard]] bool none() const RTA_NONBLOCKING { return frames == 0 && until == 0; }
    /// Returns the silence after a delay that was added by the same plan.
    [[nodiscard]] Silence delayed(std::uint32_t delay_frames) const RTA_NONBLOCKING {
        return {frames + delay_frames, until == 0 ? 0 : until + delay_frames};
    }
    /// Returns the frame at which the silence ends if the plan is adopted at `adopted_at`.
    [[nodiscard]] std::uint64_t end(std::uint64_t adopted_at) const RTA_NONBLOCKING {
        return std::max(adopted_at + frames, until);
    }
};

/// Returns a silence that lasts until both have ended. [any]
[[nodiscard]] inline Silence longer(const Silence& a, const Silence& b) RTA_NONBLOCKING {
    return {std::max(a.frames, b.frames), std::max(a.until, b.until)};
}

}  // namespace rta
