// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "rt/annotations.h"

namespace rta::dsp {

/// True if every sample is a number: no NaN, no infinity.
[[nodiscard]] inline bool all_finite(std::span<const float> samples) RTA_NONBLOCKING {
    // NaN and infinity are those with every bit of the exponent set. On integers, because a loop of them vectorises.
    constexpr std::uint32_t kExponent = 0x7F80'0000U;
    std::uint32_t found = 0;
    for (const float sample : samples) {
        found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(sample) & kExponent) == kExponent);
    }
    return found == 0;
}

}  // namespace rta::dsp
