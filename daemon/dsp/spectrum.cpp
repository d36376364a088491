// SPDX-License-Identifier: MIT
#include "dsp/spectrum.h"

#include <cmath>

#include "dsp/math.h"

namespace rta::dsp {
namespace {

using Complex = std::complex<float>;

/// std::complex multiplies with a function call that handles NaN.
Complex product(Complex a, Complex b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

Spectrum::Spectrum() : window_(kFrames), twiddles_(kBands), reversed_(kBands, 0), work_(kBands) {
    // The sum of the window is kFrames / 2, and a sine has half of its amplitude at positive frequencies.
    constexpr double kScale = 4.0 / static_cast<double>(kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        const double turns = static_cast<double>(i) / static_cast<double>(kFrames);
        window_[i] = static_cast<float>(kScale * 0.5 * (1.0 - sine_of_turns(turns + 0.25)));
    }
    for (std::size_t k = 0; k < kBands; ++k) {
        const double turns = static_cast<double>(k) / static_cast<double>(kFrames);
        twiddles_[k] = {static_cast<float>(sine_of_turns(turns + 0.25)), static_cast<float>(-sine_of_turns(turns))};
    }
    for (std::size_t i = 1; i < kBands; ++i) reversed_[i] = reversed_[i / 2] / 2 + (i % 2) * kBands / 2;
}

void Spectrum::magnitudes(std::span<const float, kFrames> samples, std::span<float, kBands> result) {
    for (std::size_t i = 0; i < kBands; ++i) {
        const std::size_t pair = 2 * i;
        work_[reversed_[i]] = {samples[pair] * window_[pair], samples[pair + 1] * window_[pair + 1]};
    }
    transform();
    // The even samples were the real parts, the odd ones the imaginary parts: splits both spectra, and combines them.
    for (std::size_t k = 0; k < kBands; ++k) {
        const Complex z = work_[k];
        const Complex mirrored = std::conj(work_[(kBands - k) % kBands]);
        const Complex even = 0.5F * (z + mirrored);
        const Complex odd = product({0.0F, -0.5F}, z - mirrored);
        const Complex value = even + product(twiddles_[k], odd);
        result[k] = std::sqrt(value.real() * value.real() + value.imag() * value.imag());
    }
    result[0] *= 0.5F;  // 0 Hz has no negative frequency
}

/// The fast Fourier transform of work_, whose order is bit-reversed before.
void Spectrum::transform() {
    for (std::size_t half = 1; half < kBands; half *= 2) {
        const std::size_t stride = kBands / half;
        for (std::size_t begin = 0; begin < kBands; begin += 2 * half) {
            for (std::size_t k = 0; k < half; ++k) {
                Complex& low = work_[begin + k];
                Complex& high = work_[begin + half + k];
                const Complex turned = product(twiddles_[k * stride], high);
                high = low - turned;
                low += turned;
            }
        }
    }
}

}  // namespace rta::dsp
