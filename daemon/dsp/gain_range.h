// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>

#include "rt/annotations.h"

namespace rta::dsp {

/// Gain that a dynamics processor has applied over some frames: factors from 0 to 1, without make-up gain.
struct GainRange {
    float smallest = 1.0F;
    float last = 1.0F;

    /// Returns the range of one block. [any]
    [[nodiscard]] static GainRange of(std::span<const float> gains) RTA_NONBLOCKING {
        float smallest = gains.front();
        for (const float gain : gains) smallest = std::min(smallest, gain);
        return {.smallest = smallest, .last = gains.back()};
    }
    /// Continues with `later`. [any]
    void add(const GainRange& later) RTA_NONBLOCKING {
        smallest = std::min(smallest, later.smallest);
        last = later.last;
    }
};

}  // namespace rta::dsp
