// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dsp/real_fft.h"

namespace rta::dsp {

/// Computes the magnitudes of spectra, with a Hann window. Takes about 4 us for each. Not for the audio thread. [control]
class Spectrum {
 public:
    static constexpr std::size_t kFrames = 2048;
    static constexpr std::size_t kBands = kFrames / 2;

    Spectrum();

    /// Writes the magnitude of each band, from 0 Hz in steps of the sample rate / kFrames. A sine with an amplitude of 1 in
    /// the middle of a band has 1.
    void magnitudes(std::span<const float, kFrames> samples, std::span<float, kBands> result);

 private:
    RealFft transform_{kFrames};
    NaturalOrder order_{transform_};
    std::vector<float> window_;    ///< scaled
    std::vector<float> windowed_;  ///< the samples, then their spectrum in the transform's order
    std::vector<float> bins_;      ///< the spectrum by frequency
};

}  // namespace rta::dsp
