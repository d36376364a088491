// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

namespace rta::dsp {

/// Value during one block, as in dsp/gain.h: if `ramp` is nullptr, `value` holds for every frame; otherwise `ramp` has
/// one value per frame.
struct BlockValue {
    float value;
    const float* ramp;

    [[nodiscard]] bool at_rest() const RTA_NONBLOCKING { return ramp == nullptr; }
    [[nodiscard]] bool is(float constant) const RTA_NONBLOCKING { return ramp == nullptr && value == constant; }
    [[nodiscard]] float operator[](std::uint32_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
    /// Returns the value for the rest of the block, starting at `frame`.
    [[nodiscard]] BlockValue from(std::uint32_t frame) const RTA_NONBLOCKING {
        return {value, ramp == nullptr ? nullptr : ramp + frame};
    }
};

}  // namespace rta::dsp
