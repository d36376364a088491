// SPDX-License-Identifier: MIT
// Tests the kernels of FIR filters and of the soft clipper on every SIMD target of the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "dsp/kernels.h"
#include "dsp/oversampling.h"
#include "dsp/simd.h"
#include "dsp/soft_clip.h"
#include "dsp/windowed_sinc.h"

namespace rta::dsp::fir_test {
namespace {

/// Restores the target after every test.
class FirTest : public testing::Test {
 protected:
    void TearDown() override { ASSERT_TRUE(use_simd_target(before_)); }

 private:
    std::string before_{simd_target()};
};

float sample(std::size_t n) { return static_cast<float>(std::sin(0.7 * static_cast<double>(n * n))); }

TEST_F(FirTest, IsTheSumOfProductsFromLeftToRightOnEveryTarget) {
    std::vector<float> in;
    for (std::size_t n = 0; n < 1'024 + 100; ++n) in.push_back(sample(n));
    for (const std::string_view target : simd_targets()) {
        ASSERT_TRUE(use_simd_target(target));
        for (const std::size_t count : {1UZ, 2UZ, 7UZ, 44UZ, 87UZ}) {
            std::vector<float> taps;
            for (std::size_t i = 0; i < count; ++i) taps.push_back(sample(i + 5'000));
            for (const std::size_t frames : {16UZ, 48UZ, 64UZ, 1'024UZ}) {
                std::vector<float> out(frames + 1, NAN);
                kernels().fir(in.data(), taps.data(), count, out.data(), frames);
                for (std::size_t n = 0; n < frames; ++n) {
                    float sum = taps[0] * in[n];
                    for (std::size_t i = 1; i < count; ++i) sum += taps[i] * in[n + i];
                    ASSERT_EQ(out[n], sum) << target << ", " << count << " taps, frame " << n << " of " << frames;
                }
                ASSERT_TRUE(std::isnan(out[frames])) << "wrote beyond the end";
            }
        }
    }
}

double clipped(double x, double knee) {
    const double beyond = std::fabs(x) - knee;
    if (beyond <= 0.0) return x;
    return std::copysign(knee + beyond / std::hypot(1.0, beyond / (1.0 - knee)), x);
}

/// Returns the mean of the clipping curve from a to b: Simpson's rule on each piece between the knees.
double mean_clipped(double a, double b, double knee) {
    if (a == b) return clipped(a, knee);
    std::vector<double> ends{a, b};
    for (const double corner : {-knee, knee}) {
        if ((a < corner) != (b < corner)) ends.push_back(corner);
    }
    std::ranges::sort(ends);
    constexpr int kSteps = 512;
    double sum = 0.0;
    for (std::size_t i = 1; i < ends.size(); ++i) {
        const double step = (ends[i] - ends[i - 1]) / kSteps;
        for (int k = 0; k <= kSteps; ++k) {
            const double weight = k == 0 || k == kSteps ? 1.0 : k % 2 == 1 ? 4.0 : 2.0;
            sum += weight * step / 3.0 * clipped(ends[i - 1] + k * step, knee);
        }
    }
    return sum / std::fabs(b - a);
}

TEST_F(FirTest, ClipsByTheMeanOfItsCurveAlikeOnEveryTarget) {
    for (const float knee : {0.063F, 0.5F, 0.891F}) {
        // Large steps, then steps that are small compared to the rounding of the samples, and pairs of equal samples at
        // and around the knee.
        std::vector<float> in{0.0F};
        for (std::size_t n = 0; n < 128; ++n) in.push_back(4.0F * sample(n));
        for (std::size_t n = 0; n < 64; ++n) in.push_back(knee + 1e-7F * static_cast<float>(n % 7) * sample(n));
        for (std::size_t n = 0; n < 64; ++n) in.push_back(-1.5F - 1e-6F * static_cast<float>(n % 5) * sample(n));
        for (const float x : {0.0F, knee, knee, -knee, -knee, knee, 0.1F, 0.1F, 1.2F, 1.2F, -1.2F, 0.0F})
            in.push_back(x);
        while (in.size() % kKernelFrames != 1) in.push_back(0.0F);
        std::vector<float> first;
        for (const std::string_view target : simd_targets()) {
            ASSERT_TRUE(use_simd_target(target));
            std::vector<float> out(in.size() - 1, NAN);
            soft_clip(in, knee, out);
            if (first.empty()) first = out;
            for (std::size_t n = 0; n < out.size(); ++n) {
                ASSERT_EQ(out[n], first[n]) << target;
                ASSERT_NEAR(out[n], mean_clipped(in[n], in[n + 1], knee), 1e-6)
                    << "knee " << knee << ", from " << in[n] << " to " << in[n + 1];
                ASSERT_LE(std::fabs(out[n]), 1.0F);
            }
        }
    }
}

TEST_F(FirTest, ClipsAnythingToFullScale) {
    std::vector<float> in{0.0F};
    for (const float x : {1e18F, 1e18F, -1e18F, 3e38F, -3e38F, 0.0F, INFINITY, -INFINITY}) in.push_back(x);
    in.resize(1 + kKernelFrames);
    for (const std::string_view target : simd_targets()) {
        ASSERT_TRUE(use_simd_target(target));
        std::vector<float> out(kKernelFrames, NAN);
        soft_clip(in, 0.5F, out);
        for (const float x : out) ASSERT_LE(std::fabs(x), 1.0F) << target;
        EXPECT_NEAR(out[1], 1.0F, 1e-6F);
    }
}

TEST(WindowedSinc, IsAtItsCutoffAndItsStopbandWhatItsDesignSays) {
    // Half of the amplitude at the cutoff, and -80 dB at the end of the transition band.
    constexpr double kHalfWidth = 24.0;
    constexpr double kCutoff = 0.2;
    constexpr double kAttenuationDb = 80.0;
    constexpr double kTransition = (kAttenuationDb - 8.0) / (28.7 * kHalfWidth);
    const auto magnitude = [&](double cycles_per_sample) {
        constexpr double kStep = 1.0 / 16.0;
        double sum = 0.0;
        for (double time = -kHalfWidth; time <= kHalfWidth; time += kStep) {
            sum += kStep * windowed_sinc(time, kCutoff, kHalfWidth, kaiser_beta(kAttenuationDb)) *
                   std::cos(2.0 * 3.141592653589793 * cycles_per_sample * time);
        }
        return std::fabs(sum);
    };
    EXPECT_NEAR(magnitude(0.0), 1.0, 2e-4);
    EXPECT_NEAR(magnitude(kCutoff), 0.5, 2e-4);
    for (double away = 0.5 * kTransition; away < 2.0; away += 0.003) {
        ASSERT_LT(20.0 * std::log10(magnitude(kCutoff + away)), -kAttenuationDb + 1.0) << away;
        if (away < kCutoff) {
            ASSERT_NEAR(magnitude(kCutoff - away), 1.0, 2e-4) << away;
        }
    }
}

TEST(Oversampler8, GivesBackWhatWentInAsLateAsItSays) {
    // A sine in the passband, in blocks of all sizes.
    for (const std::size_t block : {16UZ, 64UZ, 1'024UZ}) {
        Oversampler8 oversampler{block};
        const auto tone = [](std::size_t n) { return std::sin(0.31 * static_cast<double>(n)); };
        std::vector<float> out(4'096);
        for (std::size_t done = 0; done < out.size(); done += block) {
            for (std::size_t i = 0; i < block; ++i) oversampler.input()[i] = static_cast<float>(tone(done + i));
            const std::span<const float> raised = oversampler.up(block);
            const std::span<float> processed = oversampler.processed(block);
            ASSERT_EQ(raised.size(), processed.size() + 1);
            for (std::size_t i = 0; i < processed.size(); ++i) processed[i] = 0.5F * (raised[i] + raised[i + 1]);
            oversampler.down({out.data() + done, block});
        }
        for (std::size_t n = 256; n < out.size(); ++n) {
            ASSERT_NEAR(out[n], tone(n - Oversampler8::kLatencyFrames), 5e-4) << block << ", frame " << n;
        }
    }
}

}  // namespace
}  // namespace rta::dsp::fir_test
