// SPDX-License-Identifier: MIT
// Tests the kernels of FIR filters and of the soft clipper on every SIMD target of the CPU.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "dsp/kernels.h"
#include "dsp/oversampling.h"
#include "dsp/simd.h"
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

TEST_F(FirTest, ClipsAlikeOnEveryTarget) {
    constexpr float kKnee = 0.5F;
    std::vector<float> in;
    for (std::size_t n = 0; n < 256; ++n) in.push_back(4.0F * sample(n));
    in[0] = 0.0F;
    in[1] = kKnee;
    in[2] = -kKnee;
    in[3] = 1e18F;
    for (const std::string_view target : simd_targets()) {
        ASSERT_TRUE(use_simd_target(target));
        std::vector<float> out(in.size(), NAN);
        kernels().soft_clip(in.data(), kKnee, out.data(), in.size());
        for (std::size_t n = 0; n < in.size(); ++n) {
            const float magnitude = std::fabs(in[n]);
            const float straight = std::fmin(magnitude, kKnee);
            const float beyond = magnitude - straight;
            const float way = beyond * (1.0F / (1.0F - kKnee));
            const float exact = straight + beyond / std::sqrt(1.0F + way * way);
            ASSERT_EQ(out[n], std::copysign(exact, in[n])) << target << ", " << in[n];
            ASSERT_LE(std::fabs(out[n]), 1.0F);
        }
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
            (void)oversampler.up(block);
            oversampler.down({out.data() + done, block});
        }
        for (std::size_t n = 256; n < out.size(); ++n) {
            ASSERT_NEAR(out[n], tone(n - Oversampler8::kLatencyFrames), 5e-4) << block << ", frame " << n;
        }
    }
}

}  // namespace
}  // namespace rta::dsp::fir_test
