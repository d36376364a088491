// SPDX-License-Identifier: MIT
#include "dsp/level.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace rta::dsp::level_test {
namespace {

TEST(Level, IsThePeakAndTheSumOfSquares) {
    std::mt19937 random{5};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
    for (const std::size_t length : {16U, 64U, 1024U}) {
        std::vector<float> samples(length);
        for (float& sample : samples) sample = uniform(random);
        double peak = 0;
        double sum = 0;
        for (const double sample : samples) {
            peak = std::max(peak, std::abs(sample));
            sum += sample * sample;
        }
        const Level level = measure_level(samples);
        EXPECT_EQ(level.peak, static_cast<float>(peak));
        // The narrowest target has 4 sums of length / 4 squares, each with at most that number of rounding errors.
        EXPECT_NEAR(level.sum_of_squares / sum, 1.0, static_cast<double>(length / 4 + 8) * 0x1p-24);
    }
}

TEST(Level, APeakIsFoundInEveryPlaceWithEitherSign) {
    for (std::size_t place = 0; place < 64; ++place) {
        std::vector<float> samples(64, 0.25F);
        samples[place] = place % 2 == 0 ? -0.75F : 0.75F;
        EXPECT_EQ(measure_level(samples).peak, 0.75F) << place;
    }
}

TEST(Level, WhatIsNoNumberCountsAsSilence) {
    std::vector<float> samples(16, 0.5F);
    samples[3] = std::numeric_limits<float>::quiet_NaN();
    samples[4] = std::numeric_limits<float>::infinity();
    const Level level = measure_level(samples);
    EXPECT_EQ(level.peak, 0.5F);
    EXPECT_EQ(level.sum_of_squares, 14 * 0.25F);
}

}  // namespace
}  // namespace rta::dsp::level_test
