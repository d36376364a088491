// SPDX-License-Identifier: MIT
// Statistics of a fixed seed, each within five standard deviations of the estimate. tests/unit/dsp measures the
// response of the pink filter.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/analysis.h"
#include "support/node_bench.h"

namespace rta::test::noise_test {
namespace {

using test::NodeBench;

constexpr double kSigmas = 5.0;

NodeBench noise(const std::string& color, double seed = 1, double channels = 1, std::uint32_t block_size = 64) {
    NodeBench::Options options;
    options.block_size = block_size;
    return NodeBench{
        *builtin_nodes().find("noise"), {{"color", color}, {"seed", seed}, {"channels", channels}}, options};
}

double correlation(const std::vector<float>& a, const std::vector<float>& b, std::size_t lag) {
    double product = 0.0;
    const float* const x = a.data();  // with sanitizers, operator[] takes longer than the sums
    const float* const y = b.data() + lag;
    for (std::size_t n = 0; n + lag < a.size(); ++n) product += static_cast<double>(x[n]) * y[n];
    return product / (static_cast<double>(a.size()) * test::rms(a) * test::rms(b));
}

/// Returns |spectrum|^2 of each line up to half the sample rate.
std::vector<double> power(const std::vector<float>& signal) {
    std::vector<std::complex<double>> values(signal.begin(), signal.end());
    test::fft(values);
    std::vector<double> lines;
    for (std::size_t i = 0; i < values.size() / 2; ++i) lines.push_back(std::norm(values[i]));
    return lines;
}

TEST(NoiseNode, IsTheSameForTheSameSeedWhateverTheBlockSize) {
    for (const std::string color : {"white", "pink"}) {
        NodeBench reference = noise(color, 7, 2);
        const NodeBench::Recording expected = reference.render(4'096);
        for (const std::uint32_t block_size : {16U, 1'024U}) {
            NodeBench bench = noise(color, 7, 2, block_size);
            EXPECT_EQ(bench.render(4'096), expected) << color << ", blocks of " << block_size;
        }
    }
}

TEST(NoiseNode, IsIndependentForEachSeedAndChannel) {
    constexpr std::size_t kCount = 1U << 16U;
    std::vector<std::vector<float>> all;
    for (const double seed : {0.0, 1.0, 2.0, 4'294'967'295.0}) {
        NodeBench bench = noise("white", seed, 3);
        for (std::vector<float>& channel : bench.render(kCount)) all.push_back(std::move(channel));
    }
    // The correlation of independent noises has a standard deviation of 1/sqrt(count).
    const double tolerance = kSigmas / std::sqrt(static_cast<double>(kCount));
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            for (std::size_t lag = i == j ? 1 : 0; lag <= 33; ++lag) {
                ASSERT_LT(std::fabs(correlation(all[i], all[j], lag)), tolerance)
                    << "noises " << i << " and " << j << ", " << lag << " frames apart";
            }
        }
    }
}

TEST(NoiseNode, HasTheRmsOfASineOfThatLevel) {
    constexpr std::size_t kCount = 1U << 20U;
    NodeBench white = noise("white");
    const std::vector<float> samples = white.render_channel(kCount);
    const double expected = 0.1 / std::sqrt(2.0);
    // The square of a uniform distribution has a relative variance of 4/5; the root halves the deviation.
    EXPECT_NEAR(test::rms(samples) / expected, 1.0, kSigmas * std::sqrt(0.8 / kCount) / 2.0);
    EXPECT_LT(test::peak(samples), 0.1 * std::sqrt(1.5) * 1.000'001);

    // Pink: the relative variance of the mean square is 2 / count * sum(S^2) / sum(S)^2 over the spectrum S, which is
    // 1/f down to 6e-5 of the rate and level below: 2 * 2 / 6e-5 / (2 * ln(0.5 / 6e-5))^2 / count, and half as much for
    // the root.
    NodeBench pink = noise("pink");
    const double integral = 2.0 * (std::log(0.5 / 6e-5) + 1.0);
    const double variance = 2.0 * (2.0 * 2.0 / 6e-5) / (integral * integral) / kCount;
    EXPECT_NEAR(test::rms(pink.render_channel(kCount)) / expected, 1.0, kSigmas * std::sqrt(variance) / 2.0);
}

TEST(NoiseNode, HasNoDcAndAnEvenDistribution) {
    constexpr std::size_t kCount = 1U << 20U;
    NodeBench bench = noise("white");
    const std::vector<float> samples = bench.render_channel(kCount);
    const double limit = 0.1 * std::sqrt(1.5);
    constexpr std::size_t kBins = 64;
    std::vector<double> counts(kBins);
    double sum = 0.0;
    for (const float sample : samples) {
        sum += static_cast<double>(sample);
        const double part = (static_cast<double>(sample) / limit + 1.0) / 2.0;
        counts[std::min(kBins - 1, static_cast<std::size_t>(part * kBins))] += 1.0;
    }
    EXPECT_LT(std::fabs(sum / kCount), kSigmas * 0.1 / std::sqrt(2.0 * kCount));
    double chi_squared = 0.0;
    constexpr double kExpected = static_cast<double>(kCount) / kBins;
    for (const double count : counts) chi_squared += (count - kExpected) * (count - kExpected) / kExpected;
    EXPECT_NEAR(chi_squared, kBins - 1.0, kSigmas * std::sqrt(2.0 * (kBins - 1.0)));
}

/// Expects equal power in each third of an octave from 20 Hz to 20 kHz, per line or per band, relative to the mean.
void expect_even_thirds(const std::string& color, double bias_db) {
    constexpr std::size_t kCount = 1U << 20U;
    constexpr double kRate = 48'000.0;
    NodeBench bench = noise(color);
    const std::vector<double> lines = power(bench.render_channel(kCount));
    const auto line_of = [](double hz) { return static_cast<std::size_t>(hz / kRate * kCount); };
    // Reference level for the bands, in dB: 2 to 4 kHz, the average of 40,000 lines.
    const auto level_db = [&](std::size_t first, std::size_t last) {
        double sum = 0.0;
        for (std::size_t i = first; i < last; ++i) sum += lines[i] * (color == "pink" ? static_cast<double>(i) : 1.0);
        return 10.0 * std::log10(sum / static_cast<double>(last - first));
    };
    const double reference_db = level_db(line_of(2'000.0), line_of(4'000.0));
    for (double low_hz = 20.0; low_hz < 19'000.0; low_hz *= std::cbrt(2.0)) {
        const std::size_t first = line_of(low_hz);
        const std::size_t last = line_of(std::min(20'000.0, low_hz * std::cbrt(2.0)));
        // Each line's power has a relative standard deviation of 1.
        const double tolerance_db =
            bias_db + 10.0 / std::log(10.0) * kSigmas / std::sqrt(static_cast<double>(last - first));
        EXPECT_NEAR(level_db(first, last), reference_db, tolerance_db) << color << ", from " << low_hz << " Hz";
    }
}

TEST(NoiseNode, IsFlatIfWhiteAndFalls3DbAnOctaveIfPink) {
    expect_even_thirds("white", 0.03);  // includes five deviations of the reference, 0.11 dB at the narrowest
    expect_even_thirds("pink", 0.25);   // plus the ripple of the filter, +-0.11 dB
}

TEST(NoiseNode, IsSilentAtMinus120DbAndFollowsARamp) {
    NodeBench still = noise("white");
    NodeBench moving = noise("white");
    moving.set("gain_db", -120.0F, 960);
    const std::vector<float> full = still.render_channel(1'280);
    const std::vector<float> fading = moving.render_channel(1'280);
    for (std::size_t n = 0; n < full.size(); ++n) {
        const double gain = 1.0 - std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(fading[n], full[n] * gain, 1e-7) << n;
    }
    for (const float sample : moving.render_channel(256)) ASSERT_EQ(sample, 0.0F);
}

}  // namespace
}  // namespace rta::test::noise_test
