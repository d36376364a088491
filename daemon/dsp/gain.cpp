// SPDX-License-Identifier: MIT
#include "dsp/gain.h"

#include <algorithm>
#include <cstddef>

namespace rta::dsp {

void scale(std::span<const float> in, float factor, const float* ramp, std::span<float> out) RTA_NONBLOCKING {
    if (ramp != nullptr) {
        for (std::size_t frame = 0; frame < out.size(); ++frame) out[frame] = in[frame] * ramp[frame];
    } else if (factor == 1.0F) {
        if (in.data() != out.data()) std::ranges::copy(in, out.begin());
    } else if (factor == 0.0F) {
        std::ranges::fill(out, 0.0F);  // not a product: silence even if the input is not finite, and never -0
    } else {
        for (std::size_t frame = 0; frame < out.size(); ++frame) out[frame] = in[frame] * factor;
    }
}

void add_scaled(std::span<const float> in, float factor, const float* ramp, std::span<float> sum) RTA_NONBLOCKING {
    if (ramp != nullptr) {
        for (std::size_t frame = 0; frame < sum.size(); ++frame) sum[frame] += in[frame] * ramp[frame];
    } else {
        // A product with 1 is exact: no case of its own.
        for (std::size_t frame = 0; frame < sum.size(); ++frame) sum[frame] += in[frame] * factor;
    }
}

}  // namespace rta::dsp
