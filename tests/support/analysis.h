// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Measurements of recorded samples, in double precision and from scratch: nothing of the daemon's own mathematics is
/// used, so that a mistake there cannot hide itself here.
namespace rta::test {

[[nodiscard]] double db_from_gain(double gain);
[[nodiscard]] double gain_from_db(double db);
/// Root of the mean square.
[[nodiscard]] double rms(std::span<const float> signal);
/// Largest magnitude; 0 of nothing.
[[nodiscard]] double peak(std::span<const float> signal);

/// Fast Fourier transform in place. values.size() is a power of two; throws std::invalid_argument if it is not.
void fft(std::span<std::complex<double>> values);

/// One line of a spectrum.
struct SpectrumLine {
    double frequency_hz;
    double level_db;  ///< of a sine that would give this line, in dB of full scale
};

/// Averaged spectrum (Blackman-Harris windows of `length` frames, half overlapping), from 0 to half the sample rate.
/// A signal shorter than one window is padded with zeros. `length` is a power of two.
[[nodiscard]] std::vector<SpectrumLine> spectrum(std::span<const float> signal, double sample_rate_hz,
                                                 std::size_t length);

/// The sine that fits a signal best in the sense of least squares, and what is left when it is taken away.
struct SineFit {
    double frequency_hz = 0;
    double amplitude = 0;     ///< peak, full scale is 1
    double phase_rad = 0;     ///< of sin() at the first sample
    double offset = 0;        ///< the mean
    double residual_rms = 0;  ///< everything but the sine and the mean: harmonics, hum and noise

    [[nodiscard]] double level_db() const { return db_from_gain(amplitude); }
    /// Total harmonic distortion and noise against the sine, dB.
    [[nodiscard]] double thd_plus_noise_db() const;
};

/// Four-parameter sine fit (IEEE 1057): amplitude, phase, offset and frequency, the last found by Gauss-Newton steps
/// from the highest line of the spectrum. For signals of at least a dozen periods with one dominant sine.
[[nodiscard]] SineFit fit_sine(std::span<const float> signal, double sample_rate_hz);

/// Amplitude (peak) of the sine of exactly this frequency in the signal, by least squares.
[[nodiscard]] double amplitude_at(std::span<const float> signal, double sample_rate_hz, double frequency_hz);

/// Something that happened at a frame, and how large it was.
struct Finding {
    std::size_t frame = 0;
    double size = 0;
};

/// |x[n-1] - 2 x[n] + x[n+1]| where it is largest. Needs three samples.
[[nodiscard]] Finding largest_second_difference(std::span<const float> signal);

/// Every place where the second difference exceeds `bound`. Neighbours nearer than 32 frames are one click and give one
/// finding: its largest.
[[nodiscard]] std::vector<Finding> find_discontinuities(std::span<const float> signal, double bound);

/// What a path with a varying gain did to a known signal: every place where the gain, output / input, moved by more
/// than `largest_slope` a frame. Frames where |input| < `floor` say nothing of the gain and are left out; across such a
/// gap the gain may have moved for as many frames as the gap is long. Findings nearer than 32 frames are one.
[[nodiscard]] std::vector<Finding> find_gain_steps(std::span<const float> input, std::span<const float> output,
                                                   double largest_slope, double floor);

/// Frames by which `part` is late within `whole`: the offset where they correlate best. Throws std::invalid_argument if
/// `part` is empty or longer than `whole`.
[[nodiscard]] std::size_t find_delay(std::span<const float> part, std::span<const float> whole);

/// First index at which the bits differ, within the shorter of the two; nullopt if they are the same there.
[[nodiscard]] std::optional<std::size_t> first_difference(std::span<const float> a, std::span<const float> b);

}  // namespace rta::test
