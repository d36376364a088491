// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/fft_kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Spectrum of a real signal of 2 n samples: n bins, whose real and imaginary parts are in two arrays of n floats. Bin 0
/// contains two real values instead of a complex one: 0 Hz in `re`, half the sample rate in `im`.
struct SplitSpectrum {
    std::span<float> re;
    std::span<float> im;
};

/// Read-only view of a SplitSpectrum.
struct ConstSplitSpectrum {
    // Implicit, as for spans.
    ConstSplitSpectrum(const SplitSpectrum& spectrum) : re{spectrum.re}, im{spectrum.im} {}
    ConstSplitSpectrum(std::span<const float> real, std::span<const float> imaginary) : re{real}, im{imaginary} {}

    std::span<const float> re;
    std::span<const float> im;
};

/// Fast Fourier transform of a real signal, and its inverse.
///
/// Spectra are in the transform's own order, in which no time is spent on sorting: bin 0 comes first, the others are
/// permuted, and about half of them are conjugated. Products and sums of spectra are computed element by element in this
/// order. NaturalOrder sorts a spectrum by frequency. Spectra may be exchanged between transforms of the same size that
/// were constructed on the same SIMD target.
///
/// Immutable: threads may share a transform. Memory needs no alignment. It is fastest if it is aligned to 64 bytes and,
/// from 8,192 points on, if `re`, `im` and the signal are not a multiple of 4,096 bytes apart. The error of a transform,
/// RMS relative to the result, is below 2.4e-7 * log2(size); for noise, it is 1.0e-7 (32 points) to 1.5e-7 (262,144).
class RealFft {
 public:
    static constexpr std::size_t kSmallest = 32;
    static constexpr std::size_t kLargest = 262'144;

    /// Returns true for powers of two from kSmallest to kLargest.
    [[nodiscard]] static bool is_size(std::size_t size);

    /// Allocates and computes the tables for signals of `size` samples. Takes about 20 ns for each. Precondition:
    /// is_size(size). [control]
    explicit RealFft(std::size_t size);

    /// Returns the number of samples.
    [[nodiscard]] std::size_t size() const RTA_NONBLOCKING { return 2 * tables_.slots; }
    /// Returns the number of bins of a spectrum: size() / 2.
    [[nodiscard]] std::size_t bins() const RTA_NONBLOCKING { return tables_.slots; }

    /// Computes the spectrum X[k] = sum over n of in[n] * e^(-2 pi i k n / size()). `in` has size() samples. The spectrum
    /// may be in the place of `in`: `re` in its first half, `im` in its second half. [any]
    void forward(std::span<const float> in, SplitSpectrum spectrum) const RTA_NONBLOCKING;
    /// Computes the signal whose spectrum is given, times bins(), and uses the spectrum as scratch memory. `out` has
    /// size() samples, and may be in the place of the spectrum as above. [any]
    void inverse(SplitSpectrum spectrum, std::span<float> out) const RTA_NONBLOCKING;

 private:
    friend class NaturalOrder;

    const FftKernels* kernels_;  ///< of the target on which the tables were computed
    AudioBuffer lines_;
    AudioBuffer leaves_;
    FftTables tables_;
};

/// Converts between the own order of a transform and the natural one, by frequency. Takes about as long as a transform.
/// Immutable.
class NaturalOrder {
 public:
    /// Allocates and computes a table of bins(). [control]
    explicit NaturalOrder(const RealFft& transform);

    /// Writes bin k of `own` into element k of `natural`, which must not overlap `own`. [any]
    void to_natural(ConstSplitSpectrum own, SplitSpectrum natural) const RTA_NONBLOCKING;
    /// The opposite. [any]
    void from_natural(ConstSplitSpectrum natural, SplitSpectrum own) const RTA_NONBLOCKING;

 private:
    /// Place of a bin in the own order.
    struct Place {
        std::uint32_t slot;
        float sign;  ///< of the imaginary part
    };

    std::vector<Place> places_;
};

/// sum += products[0].a * products[0].b + ..., bin by bin, in the own order or in the natural one. All spectra have
/// the same number of bins, a multiple of 16. `sum` must not overlap the factors. Each product costs less if many are
/// passed together, because the sum stays in registers. [any]
void multiply_accumulate(std::span<const FftProduct> products, SplitSpectrum sum) RTA_NONBLOCKING;

/// Returns a product for multiply_accumulate().
[[nodiscard]] inline FftProduct product_of(const ConstSplitSpectrum& a, const ConstSplitSpectrum& b) RTA_NONBLOCKING {
    return {a.re.data(), a.im.data(), b.re.data(), b.im.data()};
}

}  // namespace rta::dsp
