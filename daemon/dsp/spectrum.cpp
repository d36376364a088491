// SPDX-License-Identifier: MIT
#include "dsp/spectrum.h"

#include <cmath>

#include "dsp/math.h"

namespace rta::dsp {
namespace {

SplitSpectrum halves_of(std::span<float> memory) {
    const std::size_t bins = memory.size() / 2;
    return {memory.first(bins), memory.last(bins)};
}

}  // namespace

Spectrum::Spectrum() : window_(kFrames), windowed_(kFrames), bins_(kFrames) {
    // The sum of the window is kFrames / 2, and a sine has half of its amplitude at positive frequencies.
    constexpr double kScale = 4.0 / static_cast<double>(kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        const double turns = static_cast<double>(i) / static_cast<double>(kFrames);
        window_[i] = static_cast<float>(kScale * 0.5 * (1.0 - sine_of_turns(turns + 0.25)));
    }
}

void Spectrum::magnitudes(std::span<const float, kFrames> samples, std::span<float, kBands> result) {
    for (std::size_t i = 0; i < kFrames; ++i) windowed_[i] = samples[i] * window_[i];
    const SplitSpectrum own = halves_of(windowed_);
    const SplitSpectrum natural = halves_of(bins_);
    transform_.forward(windowed_, own);
    order_.to_natural(own, natural);
    for (std::size_t k = 0; k < kBands; ++k) {
        result[k] = std::sqrt(natural.re[k] * natural.re[k] + natural.im[k] * natural.im[k]);
    }
    // 0 Hz has no negative frequency; its imaginary part is half the sample rate.
    result[0] = 0.5F * std::fabs(natural.re[0]);
}

}  // namespace rta::dsp
