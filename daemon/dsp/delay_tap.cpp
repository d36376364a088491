// SPDX-License-Identifier: MIT
#include "dsp/delay_tap.h"

#include <algorithm>
#include <numbers>
#include <span>

namespace rta::dsp {

namespace {

constexpr std::uint32_t kCount = DelayTap::kMaximumCount;
constexpr std::uint32_t kHalf = kCount / 2;
constexpr std::uint32_t kCentred = DelayTap::kCentredFrames;
/// Maximum order of the all-pass filter.
constexpr std::uint32_t kMaximumOrder = kCentred - 1;

using Factors = std::array<double, kCount>;

/// Returns the modified Bessel function of order 0 at beta * sqrt(rest): its series.
constexpr double bessel_i0(double beta, double rest) {
    double sum = 0.0;
    double term = 1.0;
    for (int m = 1; m < 40; ++m) {
        sum += term;
        term *= beta * beta * rest / 4.0 / (m * m);
    }
    return sum;
}

/// Halves of unnormalised Kaiser windows, outermost value first, for kCentred to kHalf samples on each side. Each beta
/// is the largest with an error below 0.03 dB up to 5/12 of the sample rate: the larger, the less the gain above that
/// exceeds 1.
constexpr auto kCentredWindows = [] {
    constexpr std::array kBetas{6.5, 7.0, 7.5, 8.5, 9.0};
    std::array<std::array<double, kHalf>, kHalf - kCentred + 1> windows{};
    static_assert(kBetas.size() == windows.size());
    for (std::uint32_t i = 0; i < windows.size(); ++i) {
        const std::uint32_t half = kCentred + i;
        for (std::uint32_t k = 0; k < half; ++k) {
            const double u = (k + 0.5) / half - 1.0;
            windows[i][k] = bessel_i0(kBetas[i], 1.0 - u * u);
        }
    }
    return windows;
}();

/// The second half of a Kaiser window, which ends an impulse response.
constexpr auto kTail = [] {
    constexpr double kBeta = 5.5;
    Factors window{};
    for (std::uint32_t n = 0; n < kCount; ++n) {
        const double u = static_cast<double>(n) / kCount;
        window[n] = bessel_i0(kBeta, 1.0 - u * u) / bessel_i0(kBeta, 1.0);
    }
    return window;
}();

/// Coefficients of the denominator of Thiran's all-pass filter, from power 0 on; those of the numerator are the same in
/// reverse order.
std::array<double, kMaximumOrder + 1> thiran(double delay_frames, std::uint32_t order) RTA_NONBLOCKING {
    std::array<double, kMaximumOrder + 1> coefficients{1.0};
    const double more = delay_frames - static_cast<double>(order);
    double binomial = 1.0;
    for (std::uint32_t k = 1; k <= order; ++k) {
        binomial *= -static_cast<double>(order + 1 - k) / static_cast<double>(k);
        double product = binomial;
        for (std::uint32_t n = 0; n <= order; ++n) {
            product *= (more + static_cast<double>(n)) / (more + static_cast<double>(k + n));
        }
        coefficients[k] = product;
    }
    return coefficients;
}

/// Factors below the rounding error of the others are 0: their products with samples close to kTiny would be denormal.
bool is_nothing(double factor) RTA_NONBLOCKING { return factor < 0x1p-24 && factor > -0x1p-24; }

/// Returns the impulse response of the all-pass filter, newest sample first.
Factors all_pass(double delay_frames) RTA_NONBLOCKING {
    const std::uint32_t order = std::max(static_cast<std::uint32_t>(delay_frames + 0.5), 1U);
    const auto coefficients = thiran(delay_frames, order);
    Factors response{};
    for (std::uint32_t n = 0; n < kCount; ++n) {
        double value = n <= order ? coefficients[order - n] : 0.0;
        for (std::uint32_t k = 1; k <= std::min(n, order); ++k) value -= coefficients[k] * response[n - k];
        response[n] = value;
    }
    // From one frame on it has decayed, and the window would only change it.
    if (delay_frames < 1.0) {
        for (std::uint32_t n = 0; n < kCount; ++n) response[n] *= kTail[n];
    }
    return response;
}

/// Returns the factors of a windowed sinc, oldest sample first.
Factors centred_sinc(double fraction, std::uint32_t half) RTA_NONBLOCKING {
    const auto& window = kCentredWindows[half - kCentred];
    Factors factors{};
    for (std::uint32_t k = 0; k < 2 * half; ++k) {
        const double distance = static_cast<double>(k) - static_cast<double>(half) + fraction;
        const double weight = window[std::min(k, 2 * half - 1 - k)];
        factors[k] = (k % 2 == 0 ? weight : -weight) / distance;
    }
    return factors;
}

}  // namespace

DelayTap DelayTap::at(double delay_frames) RTA_NONBLOCKING {
    const auto whole_frames = static_cast<std::uint32_t>(delay_frames);
    const double fraction = delay_frames - static_cast<double>(whole_frames);
    DelayTap tap;
    tap.nearest = whole_frames;
    if (fraction == 0.0) return tap;

    Factors factors{};
    if (whole_frames < kCentredFrames) {
        tap.nearest = std::min(whole_frames, 1U);
        factors = all_pass(delay_frames - static_cast<double>(tap.nearest));
        tap.count = kMaximumCount;
        while (tap.count > 2 && is_nothing(factors[tap.count - 1]) && is_nothing(factors[tap.count - 2])) {
            tap.count -= 2;
        }
        std::ranges::reverse(std::span{factors}.first(tap.count));
    } else {
        const std::uint32_t half = std::min(whole_frames, kHalf);
        tap.nearest = whole_frames + 1 - half;
        tap.count = 2 * half;
        factors = centred_sinc(fraction, half);
    }
    double sum = 0.0;
    for (std::uint32_t k = 0; k < tap.count; ++k) sum += factors[k];
    for (std::uint32_t k = 0; k < tap.count; ++k) {
        tap.factors[k] = is_nothing(factors[k]) ? 0.0F : static_cast<float>(factors[k] / sum);
    }
    return tap;
}

std::complex<double> DelayTap::response(double frequency) const {
    const double turn = -2.0 * std::numbers::pi * frequency;
    if (whole()) return std::polar(1.0, turn * nearest);
    std::complex<double> sum = 0.0;
    for (std::uint32_t k = 0; k < count; ++k) {
        sum += static_cast<double>(factors[k]) * std::polar(1.0, turn * static_cast<double>(farthest() - k));
    }
    return sum;
}

}  // namespace rta::dsp
