// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace rta::dsp {

/// Computes the magnitudes of spectra, with a Hann window. Takes about 20 us for each. Not for the audio thread. [control]
class Spectrum {
 public:
    static constexpr std::size_t kFrames = 2048;
    static constexpr std::size_t kBands = kFrames / 2;

    Spectrum();

    /// Writes the magnitude of each band, from 0 Hz in steps of the sample rate / kFrames. A sine with an amplitude of 1 in
    /// the middle of a band has 1.
    void magnitudes(std::span<const float, kFrames> samples, std::span<float, kBands> result);

 private:
    void transform();

    std::vector<float> window_;                  ///< scaled
    std::vector<std::complex<float>> twiddles_;  ///< e^(-2 pi i k / kFrames)
    std::vector<std::size_t> reversed_;          ///< indices with their bits in reverse order
    std::vector<std::complex<float>> work_;      ///< kBands: pairs of samples as complex numbers
};

}  // namespace rta::dsp
