// SPDX-License-Identifier: MIT
// Tests the real FFT on every SIMD target that the CPU supports, and for every size, against transforms in double.
#include "dsp/real_fft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsp/simd.h"

namespace rta::dsp::real_fft_test {
namespace {

using Bins = std::vector<std::complex<double>>;

/// Bound of the error of a transform, RMS relative to the result. A level computes a +- w c. With u = 2^-24, rounding of w
/// contributes at most u / sqrt(2), the complex product sqrt(5) u, and the sum u, relative to what is rounded: less than
/// 4 u together. A level is a unitary matrix times sqrt(2), so the errors of the levels add up, at most.
double bound(std::size_t size) { return 4.0 * 0x1p-24 * std::log2(static_cast<double>(size)); }

/// Rounding errors of noise are independent: those of the levels add up as squares. Each value is rounded about three times
/// in a level, with an error of u / sqrt(3) at most.
double bound_of_noise(std::size_t size) { return 0x1p-24 * std::sqrt(std::log2(static_cast<double>(size))); }

std::vector<std::size_t> sizes(std::size_t last = RealFft::kLargest) {
    std::vector<std::size_t> sizes;
    for (std::size_t size = RealFft::kSmallest; size <= last; size *= 2) sizes.push_back(size);
    return sizes;
}

std::vector<float> noise(std::size_t count, std::uint32_t seed = 1) {
    std::mt19937 random{seed};
    std::normal_distribution<float> sample;
    std::vector<float> samples(count);
    for (float& value : samples) value = sample(random);
    return samples;
}

std::complex<double> turned(std::size_t k, std::size_t n, std::size_t size) {
    const double angle = -2.0 * std::numbers::pi * static_cast<double>(k * n % size) / static_cast<double>(size);
    return std::polar(1.0, angle);
}

/// Returns bins 0 to size / 2 of the transform, by its definition.
Bins by_definition(std::span<const float> in) {
    Bins bins(in.size() / 2 + 1);
    std::vector<std::complex<double>> turns(in.size());
    for (std::size_t n = 0; n < in.size(); ++n) turns[n] = turned(1, n, in.size());
    for (std::size_t k = 0; k < bins.size(); ++k) {
        for (std::size_t n = 0; n < in.size(); ++n) bins[k] += static_cast<double>(in[n]) * turns[k * n % in.size()];
    }
    return bins;
}

/// Computes the transform of samples[first], samples[first + step], ...
Bins recursive(std::span<const float> in, std::size_t first, std::size_t step) {
    const std::size_t count = in.size() / step;
    if (count == 1) return {static_cast<double>(in[first])};
    const Bins even = recursive(in, first, 2 * step);
    const Bins odd = recursive(in, first + step, 2 * step);
    Bins bins(count);
    for (std::size_t k = 0; k < count / 2; ++k) {
        const std::complex<double> turned_odd = turned(k, 1, count) * odd[k];
        bins[k] = even[k] + turned_odd;
        bins[k + count / 2] = even[k] - turned_odd;
    }
    return bins;
}

/// Returns bins 0 to size / 2 of the transform, with a textbook FFT.
Bins reference(std::span<const float> in) {
    Bins bins = recursive(in, 0, 1);
    bins.resize(in.size() / 2 + 1);
    return bins;
}

/// Spectrum with memory.
struct Spectrum {
    explicit Spectrum(std::size_t bins) : re(bins), im(bins) {}

    SplitSpectrum view() { return {re, im}; }
    /// Returns the bins of a spectrum in natural order.
    [[nodiscard]] Bins natural_bins() const {
        Bins bins(re.size() + 1);
        bins.front() = static_cast<double>(re[0]);
        bins.back() = static_cast<double>(im[0]);
        for (std::size_t k = 1; k < re.size(); ++k) bins[k] = {re[k], im[k]};
        return bins;
    }

    std::vector<float> re;
    std::vector<float> im;
};

Bins natural_bins(const RealFft& fft, Spectrum& own) {
    Spectrum natural{fft.bins()};
    NaturalOrder{fft}.to_natural(own.view(), natural.view());
    return natural.natural_bins();
}
Spectrum transformed(const RealFft& fft, std::span<const float> in) {
    Spectrum spectrum{fft.bins()};
    fft.forward(in, spectrum.view());
    return spectrum;
}
Bins transform(const RealFft& fft, std::span<const float> in) {
    Spectrum own = transformed(fft, in);
    return natural_bins(fft, own);
}
std::vector<float> inverse(const RealFft& fft, Spectrum spectrum) {
    std::vector<float> out(fft.size());
    fft.inverse(spectrum.view(), out);
    for (float& sample : out) sample /= static_cast<float>(fft.bins());
    return out;
}

/// Returns the energy of a spectrum, with that of negative frequencies.
double energy(const Bins& bins) {
    double sum = -std::norm(bins.front()) - std::norm(bins.back());
    for (const std::complex<double>& bin : bins) sum += 2.0 * std::norm(bin);
    return sum;
}
double relative_error(const Bins& bins, const Bins& expected) {
    Bins difference(bins.size());
    for (std::size_t k = 0; k < bins.size(); ++k) difference[k] = bins[k] - expected[k];
    return std::sqrt(energy(difference) / energy(expected));
}
double relative_error(std::span<const float> samples, std::span<const float> expected) {
    double difference = 0.0;
    double whole = 0.0;
    for (std::size_t n = 0; n < samples.size(); ++n) {
        difference += std::pow(static_cast<double>(samples[n]) - static_cast<double>(expected[n]), 2);
        whole += std::pow(static_cast<double>(expected[n]), 2);
    }
    return std::sqrt(difference / whole);
}

class RealFftTest : public testing::TestWithParam<std::string_view> {
 protected:
    RealFftTest() { EXPECT_TRUE(use_simd_target(GetParam())); }
    ~RealFftTest() override { EXPECT_TRUE(use_simd_target(simd_targets().front())); }
};

TEST_P(RealFftTest, EqualsTheDefinition) {
    for (const std::size_t size : sizes(1'024)) {
        const std::vector<float> in = noise(size);
        const Bins expected = by_definition(in);
        ASSERT_LT(relative_error(reference(in), expected), 1e-13) << size;
        EXPECT_LT(relative_error(transform(RealFft{size}, in), expected), bound_of_noise(size)) << size;
    }
}

TEST_P(RealFftTest, EqualsATransformInDouble) {
    for (const std::size_t size : sizes()) {
        const std::vector<float> in = noise(size);
        const Bins bins = transform(RealFft{size}, in);
        const Bins expected = reference(in);
        EXPECT_LT(relative_error(bins, expected), bound_of_noise(size)) << size;
        // The bound of the RMS error, for each bin.
        for (std::size_t k = 0; k < bins.size(); ++k) {
            const double scale = std::sqrt(static_cast<double>(size));
            ASSERT_LT(std::abs(bins[k] - expected[k]), scale * bound(size)) << "bin " << k << " of " << size;
        }
    }
}

TEST_P(RealFftTest, AnImpulseHasEqualMagnitudesAndALinearPhase) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        for (const std::size_t at : {std::size_t{0}, std::size_t{1}, size / 2 + 3, size - 1}) {
            std::vector<float> in(size);
            in[at] = 1.0F;
            Bins expected(size / 2 + 1);
            for (std::size_t k = 0; k < expected.size(); ++k) expected[k] = turned(k, at, size);
            EXPECT_LT(relative_error(transform(fft, in), expected), bound(size)) << at << " of " << size;
        }
    }
}

TEST_P(RealFftTest, ConstantsAndHalfTheSampleRateAreExact) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        std::vector<float> constant(size, 0.5F);
        Bins expected(size / 2 + 1);
        expected.front() = 0.5 * static_cast<double>(size);
        EXPECT_EQ(transform(fft, constant), expected) << size;
        for (std::size_t n = 1; n < size; n += 2) constant[n] = -0.5F;
        std::swap(expected.front(), expected.back());
        EXPECT_EQ(transform(fft, constant), expected) << size;
    }
}

TEST_P(RealFftTest, ASineIsInItsBinOnly) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        const std::size_t step = size <= 512 ? 1 : size / 20 + 1;
        for (std::size_t k = 1; k < size / 2; k += step) {
            constexpr double kPhase = 0.3;
            std::vector<float> in(size);
            for (std::size_t n = 0; n < size; ++n) {
                in[n] = static_cast<float>((turned(k, n, size) * std::polar(1.0, -kPhase)).real());
            }
            Bins expected(size / 2 + 1);
            expected[k] = std::polar(static_cast<double>(size) / 2.0, kPhase);
            // Samples are rounded, too.
            ASSERT_LT(relative_error(transform(fft, in), expected), bound(size)) << "bin " << k << " of " << size;
        }
    }
}

TEST_P(RealFftTest, KeepsTheEnergy) {
    for (const std::size_t size : sizes()) {
        const std::vector<float> in = noise(size);
        double sum = 0.0;
        for (const float sample : in) sum += std::pow(static_cast<double>(sample), 2);
        const double ratio = energy(transform(RealFft{size}, in)) / (sum * static_cast<double>(size));
        EXPECT_NEAR(ratio, 1.0, 2.0 * bound(size)) << size;
    }
}

TEST_P(RealFftTest, IsLinear) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        const std::vector<float> x = noise(size, 1);
        const std::vector<float> y = noise(size, 2);
        std::vector<float> both(size);
        for (std::size_t n = 0; n < size; ++n) both[n] = 2.0F * x[n] - 0.5F * y[n];  // rounded once
        const Spectrum of_x = transformed(fft, x);
        const Spectrum of_y = transformed(fft, y);
        Spectrum mixed{fft.bins()};
        for (std::size_t k = 0; k < fft.bins(); ++k) {
            mixed.re[k] = 2.0F * of_x.re[k] - 0.5F * of_y.re[k];
            mixed.im[k] = 2.0F * of_x.im[k] - 0.5F * of_y.im[k];
        }
        EXPECT_LT(relative_error(natural_bins(fft, mixed), transform(fft, both)), 2.0 * bound_of_noise(size)) << size;
    }
}

TEST_P(RealFftTest, TheInverseReturnsTheInput) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        const std::vector<float> in = noise(size);
        EXPECT_LT(relative_error(inverse(fft, transformed(fft, in)), in), 2.0 * bound_of_noise(size)) << size;
    }
}

TEST_P(RealFftTest, TheInverseOfOneBinIsACosine) {
    for (const std::size_t size : sizes(2'048)) {
        const RealFft fft{size};
        const NaturalOrder order{fft};
        for (std::size_t k = 0; k <= size / 2; k += 1 + size / 128) {
            Spectrum natural{fft.bins()};
            (k == size / 2 ? natural.im[0] : natural.re[k]) = static_cast<float>(fft.bins());
            Spectrum own{fft.bins()};
            order.from_natural(natural.view(), own.view());
            std::vector<float> expected(size);
            const double amplitude = k == 0 || k == size / 2 ? 0.5 : 1.0;  // no negative frequency
            for (std::size_t n = 0; n < size; ++n) {
                expected[n] = static_cast<float>(amplitude * turned(k, n, size).real());
            }
            ASSERT_LT(relative_error(inverse(fft, own), expected), bound(size)) << "bin " << k << " of " << size;
        }
    }
}

TEST_P(RealFftTest, ProductsOfSpectraAreCircularConvolutions) {
    for (const std::size_t size : sizes(1'024)) {
        const RealFft fft{size};
        std::vector<double> expected(size);
        const std::vector<float> start = noise(size, 9);
        for (std::size_t n = 0; n < size; ++n) expected[n] = static_cast<double>(start[n]);
        std::vector<Spectrum> spectra;
        constexpr std::uint32_t kProducts = 3;
        for (std::uint32_t i = 0; i < kProducts; ++i) {
            const std::vector<float> a = noise(size, 2 * i);
            const std::vector<float> b = noise(size, 2 * i + 1);
            spectra.push_back(transformed(fft, a));
            spectra.push_back(transformed(fft, b));
            for (std::size_t n = 0; n < size; ++n) {
                for (std::size_t m = 0; m < size; ++m) {
                    expected[n] += static_cast<double>(a[m]) * static_cast<double>(b[(n + size - m) % size]);
                }
            }
        }
        std::vector<FftProduct> products;
        for (std::size_t i = 0; i < spectra.size(); i += 2) {
            products.push_back(product_of(spectra[i].view(), spectra[i + 1].view()));
        }
        Spectrum sum = transformed(fft, start);
        multiply_accumulate(std::span{products}.first(1), sum.view());
        multiply_accumulate(std::span{products}.subspan(1), sum.view());
        multiply_accumulate({}, sum.view());
        const std::vector<float> rounded(expected.begin(), expected.end());
        EXPECT_LT(relative_error(inverse(fft, sum), rounded), 4.0 * bound_of_noise(size)) << size;
    }
}

TEST_P(RealFftTest, OrdersAreInverse) {
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        const NaturalOrder order{fft};
        Spectrum own{fft.bins()};
        own.re = noise(fft.bins(), 1);
        own.im = noise(fft.bins(), 2);
        Spectrum natural{fft.bins()};
        order.to_natural(own.view(), natural.view());
        Spectrum again{fft.bins()};
        order.from_natural(natural.view(), again.view());
        EXPECT_EQ(again.re, own.re) << size;
        EXPECT_EQ(again.im, own.im) << size;
    }
}

TEST_P(RealFftTest, WorksInPlaceAndUnalignedAndWritesNothingElse) {
    constexpr float kUntouched = 12'345.0F;
    for (const std::size_t size : sizes()) {
        const RealFft fft{size};
        const std::vector<float> in = noise(size);
        Spectrum expected = transformed(fft, in);
        std::vector<float> memory(size + 34, kUntouched);
        const std::span<float> samples = std::span{memory}.subspan(17, size);
        std::ranges::copy(in, samples.begin());
        const SplitSpectrum spectrum{samples.first(size / 2), samples.last(size / 2)};
        fft.forward(samples, spectrum);
        EXPECT_TRUE(std::ranges::equal(spectrum.re, expected.re)) << size;
        EXPECT_TRUE(std::ranges::equal(spectrum.im, expected.im)) << size;
        fft.inverse(spectrum, samples);
        std::vector<float> out(size);
        fft.inverse(expected.view(), out);
        EXPECT_TRUE(std::ranges::equal(samples, out)) << size;
        const auto untouched = [](float value) { return value == kUntouched; };
        EXPECT_EQ(std::ranges::count_if(memory, untouched), 34) << size;
    }
}

TEST(RealFftSizes, ArePowersOfTwoInRange) {
    for (const std::size_t size : sizes()) {
        EXPECT_TRUE(RealFft::is_size(size));
        EXPECT_EQ(RealFft{size}.size(), size);
        EXPECT_EQ(RealFft{size}.bins(), size / 2);
    }
    for (const std::size_t size : {0U, 1U, 16U, 33U, 48U, 96U, 262'143U, 524'288U})
        EXPECT_FALSE(RealFft::is_size(size));
}

INSTANTIATE_TEST_SUITE_P(Targets, RealFftTest, testing::ValuesIn(simd_targets()),
                         [](const auto& parameter) { return std::string{parameter.param}; });

}  // namespace
}  // namespace rta::dsp::real_fft_test
