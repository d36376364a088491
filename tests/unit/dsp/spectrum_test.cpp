// SPDX-License-Identifier: MIT
// Spectra against a discrete Fourier transform in double, and against sines of known levels.
#include "dsp/spectrum.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <random>
#include <vector>

#include "dsp/math.h"
#include "dsp/sample_history.h"

namespace rta::dsp {
namespace {

constexpr std::size_t kFrames = Spectrum::kFrames;

std::vector<float> magnitudes(const std::vector<float>& samples) {
    std::vector<float> result(Spectrum::kBands);
    Spectrum{}.magnitudes(std::span<const float, kFrames>{samples}, std::span<float, Spectrum::kBands>{result});
    return result;
}

double db(float magnitude) { return 20.0 * std::log10(static_cast<double>(magnitude)); }

TEST(Spectrum, ASineInTheMiddleOfABandHasItsLevel) {
    for (const std::size_t band : {1UZ, 2UZ, 40UZ, 511UZ, 1'000UZ, 1'023UZ}) {
        for (const double level_db : {0.0, -20.0, -100.0}) {
            std::vector<float> samples(kFrames);
            for (std::size_t i = 0; i < kFrames; ++i) {
                const double turns = static_cast<double>(band * i) / kFrames + 0.13;
                samples[i] = static_cast<float>(std::pow(10.0, level_db / 20.0) * sine_of_turns(turns));
            }
            const std::vector<float> found = magnitudes(samples);
            // In the first and the last band, the image at the negative frequency overlaps.
            if (band > 1 && band < 1'023) {
                EXPECT_NEAR(db(found[band]), level_db, 0.01) << band;
            }
            for (std::size_t other = 0; other < found.size(); ++other) {
                if (other + 2 >= band && other <= band + 2) continue;
                EXPECT_LT(db(found[other]), level_db - 90.0) << band << " at " << other;
            }
        }
    }
}

TEST(Spectrum, IsTheWindowedFourierTransform) {
    std::mt19937 random{5};
    std::uniform_real_distribution<float> sample{-1.0F, 1.0F};
    std::vector<float> samples(kFrames);
    for (float& value : samples) value = sample(random);
    const std::vector<float> found = magnitudes(samples);
    for (std::size_t band = 0; band < Spectrum::kBands; band += 37) {
        std::complex<double> sum;
        for (std::size_t i = 0; i < kFrames; ++i) {
            const double window = 0.5 - 0.5 * std::cos(2.0 * kPi * static_cast<double>(i) / kFrames);
            sum += window * static_cast<double>(samples[i]) *
                   std::polar(1.0, -2.0 * kPi * static_cast<double>(band * i) / kFrames);
        }
        const double expected = std::abs(sum) * (band == 0 ? 2.0 : 4.0) / kFrames;
        EXPECT_NEAR(static_cast<double>(found[band]), expected, 1e-6) << band;
    }
}

TEST(Spectrum, AConstantHasItsLevelAtZeroHertz) {
    EXPECT_NEAR(magnitudes(std::vector<float>(kFrames, 0.5F))[0], 0.5F, 1e-6F);
    for (const float band : magnitudes(std::vector<float>(kFrames, 0.0F))) EXPECT_EQ(band, 0.0F);
}

TEST(SampleHistory, HasTheLatestSamplesWithoutAGap) {
    SampleHistory history{2};
    std::vector<float> left(64);
    std::vector<float> right(64);
    const std::array<const float*, 2> channels{left.data(), right.data()};
    std::uint64_t frame = 640;
    const auto add = [&](int blocks) {
        for (int block = 0; block < blocks; ++block, frame += 64) {
            for (std::size_t i = 0; i < 64; ++i) {
                left[i] = static_cast<float>(frame + i);
                right[i] = -left[i];
            }
            history.add(frame, {channels.data(), 2, 64});
        }
    };
    std::vector<float> latest(2'048);
    add(31);
    EXPECT_EQ(history.copy_latest(0, latest), 0U) << "too few";
    add(1);
    ASSERT_EQ(history.copy_latest(0, latest), frame);
    EXPECT_EQ(latest.front(), static_cast<float>(frame - 2'048));
    EXPECT_EQ(latest.back(), static_cast<float>(frame - 1));
    add(1'000);
    ASSERT_EQ(history.copy_latest(1, latest), frame);
    EXPECT_EQ(latest.front(), -static_cast<float>(frame - 2'048));
    EXPECT_EQ(latest.back(), -static_cast<float>(frame - 1));
    frame += 64;
    add(1);
    EXPECT_EQ(history.copy_latest(0, latest), 0U) << "across the gap";
    add(31);
    EXPECT_EQ(history.copy_latest(0, latest), frame);
}

}  // namespace
}  // namespace rta::dsp
