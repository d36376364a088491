// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Measurements of recorded samples, in double precision. They do not use code of the daemon, so that an error there
/// cannot hide itself.
namespace rta::test {

[[nodiscard]] double db_from_gain(double gain);
[[nodiscard]] double gain_from_db(double db);
/// Returns the root mean square.
[[nodiscard]] double rms(std::span<const float> signal);
/// Returns the largest magnitude; 0 if empty.
[[nodiscard]] double peak(std::span<const float> signal);

/// Computes the fast Fourier transform in place. Throws std::invalid_argument if values.size() is not a power of two.
void fft(std::span<std::complex<double>> values);

/// One line of a spectrum.
struct SpectrumLine {
    double frequency_hz;
    double level_db;  ///< level of the sine that produces this line, in dB relative to full scale
};

/// Returns the averaged spectrum (Blackman-Harris windows of `length` frames, half overlapping), from 0 to half the
/// sample rate. A signal shorter than one window is padded with zeros. `length` is a power of two.
[[nodiscard]] std::vector<SpectrumLine> spectrum(std::span<const float> signal, double sample_rate_hz,
                                                 std::size_t length);

/// The least-squares fit of a sine to a signal, and its residual.
struct SineFit {
    double frequency_hz = 0;
    double amplitude = 0;     ///< peak, full scale is 1
    double phase_rad = 0;     ///< of sin() at the first sample
    double offset = 0;        ///< mean
    double residual_rms = 0;  ///< everything except the sine and the mean: harmonics, hum and noise

    [[nodiscard]] double level_db() const { return db_from_gain(amplitude); }
    /// Returns total harmonic distortion plus noise, relative to the sine, in dB.
    [[nodiscard]] double thd_plus_noise_db() const;
};

/// Fits a sine with four parameters (IEEE 1057): amplitude, phase, offset and frequency. The frequency is found by
/// Gauss-Newton steps from the highest line of the spectrum. For signals of at least a dozen periods with one dominant
/// sine.
[[nodiscard]] SineFit fit_sine(std::span<const float> signal, double sample_rate_hz);

/// Returns the peak amplitude of a sine of exactly this frequency in the signal, by least squares.
[[nodiscard]] double amplitude_at(std::span<const float> signal, double sample_rate_hz, double frequency_hz);

/// A finding at a frame, and its size.
struct Finding {
    std::size_t frame = 0;
    double size = 0;
};

/// Returns the largest |x[n-1] - 2 x[n] + x[n+1]|. Needs three samples.
[[nodiscard]] Finding largest_second_difference(std::span<const float> signal);

/// Returns every place where the second difference exceeds `bound`. Places closer than 32 frames are one click; the
/// largest is returned.
[[nodiscard]] std::vector<Finding> find_discontinuities(std::span<const float> signal, double bound);

/// Compares the output of a path with varying gain with its known input. Returns every place where the gain, output /
/// input, changed by more than `largest_slope` per frame. Frames where |input| < `floor` do not determine the gain and
/// are skipped; across such a gap the gain may change by `largest_slope` for each frame of the gap. Findings closer
/// than 32 frames are merged.
[[nodiscard]] std::vector<Finding> find_gain_steps(std::span<const float> input, std::span<const float> output,
                                                   double largest_slope, double floor);

/// Returns the delay of `part` within `whole` in frames: the offset with the highest correlation. Throws
/// std::invalid_argument if `part` is empty or longer than `whole`.
[[nodiscard]] std::size_t find_delay(std::span<const float> part, std::span<const float> whole);

/// Returns the first index at which the bits differ, within the shorter of the two; nullopt if they do not.
[[nodiscard]] std::optional<std::size_t> first_difference(std::span<const float> a, std::span<const float> b);

}  // namespace rta::test
