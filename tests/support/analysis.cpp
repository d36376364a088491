// SPDX-License-Identifier: MIT
#include "support/analysis.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace rta::test {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;
/// Findings closer than this are merged: a click extends over a few samples, and its ringing over a few more.
constexpr std::size_t kSameClickFrames = 32;

/// Solves the symmetric positive definite system of a least-squares problem by Gaussian elimination with pivoting.
template <std::size_t N>
std::array<double, N> solve(std::array<std::array<double, N>, N> a, std::array<double, N> b) {
    for (std::size_t column = 0; column < N; ++column) {
        std::size_t pivot = column;
        for (std::size_t row = column + 1; row < N; ++row) {
            if (std::abs(a[row][column]) > std::abs(a[pivot][column])) pivot = row;
        }
        std::swap(a[column], a[pivot]);
        std::swap(b[column], b[pivot]);
        if (a[column][column] == 0.0) throw std::invalid_argument("the signal is too short for a sine fit");
        for (std::size_t row = column + 1; row < N; ++row) {
            const double factor = a[row][column] / a[column][column];
            for (std::size_t k = column; k < N; ++k) a[row][k] -= factor * a[column][k];
            b[row] -= factor * b[column];
        }
    }
    std::array<double, N> x{};
    for (std::size_t row = N; row-- > 0;) {
        double sum = b[row];
        for (std::size_t k = row + 1; k < N; ++k) sum -= a[row][k] * x[k];
        x[row] = sum / a[row][row];
    }
    return x;
}

/// Fits the signal by least squares with basis(n), an array of N functions of the sample index.
template <std::size_t N, class Basis>
std::array<double, N> least_squares(std::span<const float> signal, const Basis& basis) {
    std::array<std::array<double, N>, N> normal{};
    std::array<double, N> right{};
    for (std::size_t n = 0; n < signal.size(); ++n) {
        const std::array<double, N> row = basis(n);
        for (std::size_t i = 0; i < N; ++i) {
            for (std::size_t k = 0; k <= i; ++k) normal[i][k] += row[i] * row[k];
            right[i] += row[i] * static_cast<double>(signal[n]);
        }
    }
    for (std::size_t i = 0; i < N; ++i) {
        for (std::size_t k = i + 1; k < N; ++k) normal[i][k] = normal[k][i];
    }
    return solve(normal, right);
}

/// Returns the coefficients of cos, sin and 1 at a known frequency (radians per sample). The phase is relative to the
/// middle of the signal, so that it does not depend on the frequency.
std::array<double, 3> fit_known_frequency(std::span<const float> signal, double omega) {
    const double middle = static_cast<double>(signal.size()) / 2.0;
    return least_squares<3>(signal, [&](std::size_t n) {
        const double angle = omega * (static_cast<double>(n) - middle);
        return std::array<double, 3>{std::cos(angle), std::sin(angle), 1.0};
    });
}

/// Returns the highest line of the spectrum of the whole signal, interpolated by a parabola through the logarithms.
double guess_frequency(std::span<const float> signal) {
    const std::size_t length = std::bit_floor(signal.size());
    std::vector<std::complex<double>> values(length);
    for (std::size_t n = 0; n < length; ++n) {
        const double window = 0.5 - 0.5 * std::cos(kTwoPi * static_cast<double>(n) / static_cast<double>(length));
        values[n] = window * static_cast<double>(signal[n]);
    }
    fft(values);
    std::size_t top = 1;
    for (std::size_t k = 2; k + 1 < length / 2; ++k) {
        if (std::norm(values[k]) > std::norm(values[top])) top = k;
    }
    const double left = std::log(std::abs(values[top - 1]) + 1e-300);
    const double here = std::log(std::abs(values[top]) + 1e-300);
    const double right = std::log(std::abs(values[top + 1]) + 1e-300);
    const double curvature = left - 2.0 * here + right;
    const double shift = curvature < 0.0 ? std::clamp(0.5 * (left - right) / curvature, -0.5, 0.5) : 0.0;
    return kTwoPi * (static_cast<double>(top) + shift) / static_cast<double>(length);
}

/// Keeps the largest of adjacent findings.
void note(std::vector<Finding>& findings, std::size_t& last_frame, Finding finding) {
    if (!findings.empty() && finding.frame - last_frame < kSameClickFrames) {
        if (finding.size > findings.back().size) findings.back() = finding;
    } else {
        findings.push_back(finding);
    }
    last_frame = finding.frame;
}

double second_difference(std::span<const float> signal, std::size_t n) {
    const double size = std::abs(static_cast<double>(signal[n - 1]) - 2.0 * static_cast<double>(signal[n]) +
                                 static_cast<double>(signal[n + 1]));
    // A NaN counts as the largest value, and must not be lost in a comparison.
    return std::isnan(size) ? std::numeric_limits<double>::infinity() : size;
}

}  // namespace

double db_from_gain(double gain) { return 20.0 * std::log10(gain); }

double gain_from_db(double db) { return std::pow(10.0, db / 20.0); }

double rms(std::span<const float> signal) {
    double sum = 0.0;
    const float* const samples = signal.data();  // with sanitizers, iterators take longer than the sums
    for (std::size_t n = 0; n < signal.size(); ++n) {
        sum += static_cast<double>(samples[n]) * static_cast<double>(samples[n]);
    }
    return signal.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(signal.size()));
}

double peak(std::span<const float> signal) {
    double largest = 0.0;
    for (const float sample : signal) largest = std::max(largest, std::abs(static_cast<double>(sample)));
    return largest;
}

void fft(std::span<std::complex<double>> values) {
    const std::size_t size = values.size();
    if (!std::has_single_bit(size)) throw std::invalid_argument("fft: the size must be a power of two");
    for (std::size_t i = 1, reversed = 0; i < size; ++i) {
        std::size_t bit = size >> 1;
        for (; (reversed & bit) != 0; bit >>= 1) reversed ^= bit;
        reversed ^= bit;
        if (i < reversed) std::swap(values[i], values[reversed]);
    }
    // Twiddle factors for every length, the shortest first. Most callers transform many signals of one size.
    thread_local std::vector<std::complex<double>> all_twiddles;
    if (all_twiddles.size() + 1 != size) {
        all_twiddles.clear();
        all_twiddles.reserve(size);
        for (std::size_t length = 2; length <= size; length *= 2) {
            for (std::size_t k = 0; k < length / 2; ++k) {
                all_twiddles.push_back(std::polar(1.0, -kTwoPi * static_cast<double>(k) / static_cast<double>(length)));
            }
        }
    }
    // Pointers and real numbers: with sanitizers, the functions of the library take several times as long as the sums.
    const std::complex<double>* twiddles = all_twiddles.data();
    for (std::size_t length = 2; length <= size; length *= 2) {
        const std::size_t half = length / 2;
        for (std::size_t start = 0; start < size; start += length) {
            std::complex<double>* const low = values.data() + start;
            std::complex<double>* const high = low + half;
            for (std::size_t k = 0; k < half; ++k) {
                const double even_re = low[k].real();
                const double even_im = low[k].imag();
                const double high_re = high[k].real();
                const double high_im = high[k].imag();
                const double turn_re = twiddles[k].real();
                const double turn_im = twiddles[k].imag();
                const double odd_re = high_re * turn_re - high_im * turn_im;
                const double odd_im = high_re * turn_im + high_im * turn_re;
                low[k] = {even_re + odd_re, even_im + odd_im};
                high[k] = {even_re - odd_re, even_im - odd_im};
            }
        }
        twiddles += half;
    }
}

std::vector<SpectrumLine> spectrum(std::span<const float> signal, double sample_rate_hz, std::size_t length) {
    // Blackman-Harris: side lobes at -92 dB, which no picture shows.
    std::vector<double> window(length);
    double window_sum = 0.0;
    for (std::size_t n = 0; n < length; ++n) {
        const double x = kTwoPi * static_cast<double>(n) / static_cast<double>(length);
        window[n] = 0.35875 - 0.48829 * std::cos(x) + 0.14128 * std::cos(2.0 * x) - 0.01168 * std::cos(3.0 * x);
        window_sum += window[n];
    }
    std::vector<double> power(length / 2 + 1);
    std::vector<std::complex<double>> values(length);
    std::size_t windows = 0;
    std::size_t start = 0;
    do {
        for (std::size_t n = 0; n < length; ++n) {
            values[n] = start + n < signal.size() ? window[n] * static_cast<double>(signal[start + n]) : 0.0;
        }
        fft(values);
        for (std::size_t k = 0; k < power.size(); ++k) power[k] += std::norm(values[k]);
        ++windows;
        start += length / 2;
    } while (start + length <= signal.size());

    std::vector<SpectrumLine> lines(power.size());
    for (std::size_t k = 0; k < power.size(); ++k) {
        // A real sine has its power in a positive and a negative line; the lines at both ends exist once.
        const double sides = k == 0 || k == length / 2 ? 1.0 : 2.0;
        const double amplitude = sides * std::sqrt(power[k] / static_cast<double>(windows)) / window_sum;
        lines[k] = {sample_rate_hz * static_cast<double>(k) / static_cast<double>(length),
                    db_from_gain(std::max(amplitude, 1e-15))};
    }
    return lines;
}

double SineFit::thd_plus_noise_db() const { return db_from_gain(residual_rms / (amplitude / std::numbers::sqrt2)); }

SineFit fit_sine(std::span<const float> signal, double sample_rate_hz) {
    if (signal.size() < 64) throw std::invalid_argument("the signal is too short for a sine fit");
    const double middle = static_cast<double>(signal.size()) / 2.0;
    double omega = guess_frequency(signal);
    for (int step = 0; step < 20; ++step) {
        const auto [c, s, offset] = fit_known_frequency(signal, omega);
        static_cast<void>(offset);
        // The derivative with respect to the frequency, scaled to the size of the other three for numerical stability.
        const auto correction = least_squares<4>(signal, [&, c = c, s = s](std::size_t n) {
            const double time = static_cast<double>(n) - middle;
            const double cosine = std::cos(omega * time);
            const double sine = std::sin(omega * time);
            return std::array<double, 4>{cosine, sine, 1.0, time / middle * (s * cosine - c * sine)};
        });
        const double change = correction[3] / middle;
        omega += change;
        if (std::abs(change) * middle < 1e-12) break;
    }
    const auto [c, s, offset] = fit_known_frequency(signal, omega);
    double residual = 0.0;
    for (std::size_t n = 0; n < signal.size(); ++n) {
        const double angle = omega * (static_cast<double>(n) - middle);
        const double left = static_cast<double>(signal[n]) - c * std::cos(angle) - s * std::sin(angle) - offset;
        residual += left * left;
    }
    SineFit fit;
    fit.frequency_hz = omega * sample_rate_hz / kTwoPi;
    fit.amplitude = std::hypot(c, s);
    fit.phase_rad = std::remainder(std::atan2(c, s) - omega * middle, kTwoPi);
    fit.offset = offset;
    fit.residual_rms = std::sqrt(residual / static_cast<double>(signal.size()));
    return fit;
}

double amplitude_at(std::span<const float> signal, double sample_rate_hz, double frequency_hz) {
    const auto coefficients = fit_known_frequency(signal, kTwoPi * frequency_hz / sample_rate_hz);
    return std::hypot(coefficients[0], coefficients[1]);
}

Finding largest_second_difference(std::span<const float> signal) {
    Finding largest;
    for (std::size_t n = 1; n + 1 < signal.size(); ++n) {
        const double size = second_difference(signal, n);
        if (size > largest.size) largest = {n, size};
    }
    return largest;
}

std::vector<Finding> find_discontinuities(std::span<const float> signal, double bound) {
    std::vector<Finding> findings;
    std::size_t last_frame = 0;
    for (std::size_t n = 1; n + 1 < signal.size(); ++n) {
        const double size = second_difference(signal, n);
        if (size > bound) note(findings, last_frame, {n, size});
    }
    return findings;
}

std::vector<Finding> find_gain_steps(std::span<const float> input, std::span<const float> output, double largest_slope,
                                     double floor) {
    std::vector<Finding> findings;
    std::size_t last_frame = 0;
    std::optional<std::size_t> previous;
    double previous_gain = 0.0;
    for (std::size_t n = 0; n < std::min(input.size(), output.size()); ++n) {
        if (std::abs(static_cast<double>(input[n])) < floor) continue;
        const double gain = static_cast<double>(output[n]) / static_cast<double>(input[n]);
        if (previous) {
            const double change = std::abs(gain - previous_gain);
            if (!(change <= largest_slope * static_cast<double>(n - *previous)))
                note(findings, last_frame, {n, change});
        }
        previous = n;
        previous_gain = gain;
    }
    return findings;
}

std::size_t find_delay(std::span<const float> part, std::span<const float> whole) {
    if (part.empty() || part.size() > whole.size()) {
        throw std::invalid_argument("find_delay: the part must not be empty and must fit into the whole");
    }
    // Correlation by means of the spectrum; padded so that it does not wrap around.
    const std::size_t size = std::bit_ceil(whole.size() + part.size());
    std::vector<std::complex<double>> a(size);
    std::vector<std::complex<double>> b(size);
    std::copy(whole.begin(), whole.end(), a.begin());
    std::copy(part.begin(), part.end(), b.begin());
    fft(a);
    fft(b);
    // The inverse transform of a * conj(b), as the conjugate of the transform of its conjugate.
    for (std::size_t k = 0; k < size; ++k) a[k] = std::conj(a[k] * std::conj(b[k]));
    fft(a);
    std::size_t best = 0;
    for (std::size_t lag = 0; lag + part.size() <= whole.size(); ++lag) {
        if (a[lag].real() > a[best].real()) best = lag;
    }
    return best;
}

std::optional<std::size_t> first_difference(std::span<const float> a, std::span<const float> b) {
    for (std::size_t n = 0; n < std::min(a.size(), b.size()); ++n) {
        if (std::bit_cast<std::uint32_t>(a[n]) != std::bit_cast<std::uint32_t>(b[n])) return n;
    }
    return std::nullopt;
}

}  // namespace rta::test
