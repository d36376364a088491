// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

namespace rta::dsp {

/// A value over one block, as in dsp/gain.h: `ramp` is nullptr and `value` holds for every frame, or it points to one
/// value a frame.
struct BlockValue {
    float value;
    const float* ramp;

    [[nodiscard]] bool at_rest() const RTA_NONBLOCKING { return ramp == nullptr; }
    [[nodiscard]] bool is(float constant) const RTA_NONBLOCKING { return ramp == nullptr && value == constant; }
    [[nodiscard]] float operator[](std::uint32_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
    /// Over what is left of the block from `frame` on.
    [[nodiscard]] BlockValue from(std::uint32_t frame) const RTA_NONBLOCKING {
        return {value, ramp == nullptr ? nullptr : ramp + frame};
    }
};

}  // namespace rta::dsp
