// SPDX-License-Identifier: MIT
#include "dsp/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

#include "support/analysis.h"

namespace rta::dsp::noise_test {
namespace {

TEST(PinkFilter, Falls3DbAnOctaveAndKeepsTheRms) {
    constexpr std::size_t kCount = 1U << 18U;  // the slowest pole has decayed after 2^16 frames
    std::vector<float> response(kCount, 0.0F);
    response[0] = 1.0F;
    PinkFilter filter;
    filter.process(response);

    double energy = 0.0;
    for (const float sample : response) energy += static_cast<double>(sample) * static_cast<double>(sample);
    EXPECT_NEAR(energy, 1.0, 1e-4) << "the power of white noise changes by this";

    std::vector<std::complex<double>> lines(response.begin(), response.end());
    test::fft(lines);
    double lowest_db = 1e9;
    double highest_db = -1e9;
    for (std::size_t i = static_cast<std::size_t>(1e-4 * kCount); i < static_cast<std::size_t>(0.454 * kCount); ++i) {
        const double level_db = 10.0 * std::log10(std::norm(lines[i]) * static_cast<double>(i));
        lowest_db = std::min(lowest_db, level_db);
        highest_db = std::max(highest_db, level_db);
    }
    EXPECT_LT(highest_db - lowest_db, 2.0 * 0.11);
}

TEST(WhiteNoise, GivesAnotherStreamForEachNumber) {
    WhiteNoise first{1, 0};
    WhiteNoise second{1, 1};
    WhiteNoise third{2, 0};
    std::vector<float> a(64);
    std::vector<float> b(64);
    std::vector<float> c(64);
    first.render(1.0F, a);
    second.render(1.0F, b);
    third.render(1.0F, c);
    EXPECT_NE(a, b);
    EXPECT_NE(a, c);
    first.restart(1, 1);
    first.render(1.0F, a);
    EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace rta::dsp::noise_test
