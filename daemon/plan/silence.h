// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "rt/annotations.h"

namespace rta {

/// How long something new is silent, because what it holds back (look-ahead, a compensating delay) is not filled with
/// sound yet: until `frames` after the plan that brought it was adopted, and not before the frame `until`. [any]
struct Silence {
    std::uint32_t frames = 0;
    std::uint64_t until = 0;

    [[nodiscard]] bool none() const RTA_NONBLOCKING { return frames == 0 && until == 0; }
    /// Behind something that holds back so much, new with the same plan.
    [[nodiscard]] Silence behind(std::uint32_t held_back_frames) const RTA_NONBLOCKING {
        return {frames + held_back_frames, until == 0 ? 0 : until + held_back_frames};
    }
    /// When it ends, if the plan is adopted at that frame.
    [[nodiscard]] std::uint64_t end(std::uint64_t adopted_at) const RTA_NONBLOCKING {
        return std::max(adopted_at + frames, until);
    }
};

/// Until both are over.
[[nodiscard]] inline Silence longer(const Silence& a, const Silence& b) RTA_NONBLOCKING {
    return {std::max(a.frames, b.frames), std::max(a.until, b.until)};
}

}  // namespace rta
