// SPDX-License-Identifier: MIT
// Compares the K-weighting with the table of BS.1770, steps with direct sums, and meters with the definitions.
#include "dsp/loudness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/biquad.h"
#include "support/loudness.h"

namespace rta::dsp::loudness_test {
namespace {

double weighting_db(double frequency_hz, double sample_rate_hz) {
    const KWeighting weighting{sample_rate_hz};
    std::complex<double> response;
    cascade_response(weighting.sections, sample_rate_hz, {&frequency_hz, 1}, {&response, 1});
    return 20.0 * std::log10(KWeighting::kGain * std::abs(response));
}

TEST(KWeighting, IsThatOfTheTableAt48Khz) {
    for (double frequency_hz = 10.0; frequency_hz < 23'900.0; frequency_hz *= 1.05) {
        EXPECT_NEAR(weighting_db(frequency_hz, 48'000.0), test::k_weighting_db(frequency_hz), 0.01) << frequency_hz;
    }
}

TEST(KWeighting, HasTheSameResponseAtEveryRate) {
    for (const double rate_hz : {22'050.0, 32'000.0, 44'100.0, 88'200.0, 96'000.0, 192'000.0}) {
        for (double frequency_hz = 10.0; frequency_hz < std::min(0.4 * rate_hz, 20'000.0); frequency_hz *= 1.2) {
            EXPECT_NEAR(weighting_db(frequency_hz, rate_hz), test::k_weighting_db(frequency_hz), 0.1)
                << frequency_hz << " Hz at " << rate_hz;
        }
    }
}

TEST(LoudnessWeight, IsThatOfTheLayoutsThatAreKnown) {
    EXPECT_EQ(loudness_weight(0, 1), 1.0);
    EXPECT_EQ(loudness_weight(1, 2), 1.0);
    const double five[] = {1.0, 1.0, 1.0, 1.41, 1.41};
    const double six[] = {1.0, 1.0, 1.0, 0.0, 1.41, 1.41};
    for (std::uint32_t channel = 0; channel < 5; ++channel) EXPECT_EQ(loudness_weight(channel, 5), five[channel]);
    for (std::uint32_t channel = 0; channel < 6; ++channel) EXPECT_EQ(loudness_weight(channel, 6), six[channel]);
    for (const std::uint32_t count : {3U, 4U, 7U, 8U, 64U}) EXPECT_EQ(loudness_weight(count - 1, count), 1.0) << count;
}

std::vector<LoudnessStep> steps_of(const std::vector<float>& signal, double rate_hz, std::uint32_t block_size,
                                   std::uint64_t first_frame) {
    LoudnessFilter filter{1, rate_hz, block_size};
    AudioBuffer in{1, block_size};
    std::vector<LoudnessStep> steps;
    for (std::size_t n = 0; n + block_size <= signal.size(); n += block_size) {
        std::copy_n(signal.begin() + static_cast<std::ptrdiff_t>(n), block_size, in.write().channel(0).begin());
        for (const LoudnessStep& step : filter.process(first_frame + n, in.read())) steps.push_back(step);
    }
    return steps;
}

std::vector<float> noise(std::size_t frames) {
    std::mt19937 random{3};
    std::uniform_real_distribution<float> uniform{-0.5F, 0.5F};
    std::vector<float> signal(frames);
    for (float& sample : signal) sample = uniform(random);
    return signal;
}

TEST(LoudnessFilter, GivesTheSameStepsWhateverTheBlockSize) {
    for (const double rate_hz : {22'050.0, 44'100.0, 48'000.0, 96'000.0}) {
        const auto signal = noise(1'024 * 40);
        const auto reference = steps_of(signal, rate_hz, 16, 1'024);
        const auto frames_per_step = rate_hz / kLoudnessStepsPerSecond;
        EXPECT_EQ(reference.front().index, static_cast<std::uint64_t>(std::ceil(1'024 / frames_per_step)))
            << "the first complete step";
        for (const std::uint32_t block_size : {64U, 1'024U}) {
            const auto steps = steps_of(signal, rate_hz, block_size, 1'024);
            ASSERT_EQ(steps.size(), reference.size()) << block_size;
            for (std::size_t i = 0; i < steps.size(); ++i) {
                EXPECT_EQ(steps[i].index, reference[0].index + i);
                EXPECT_NEAR(steps[i].power / reference[i].power, 1.0, 1e-4) << rate_hz << ", step " << i;
            }
        }
    }
}

TEST(LoudnessFilter, AStepIsTheMeanSquareOfItsFrames) {
    const auto signal = noise(48'000);
    const std::span<const float> channels[] = {signal};
    const test::LoudnessReference reference{channels};
    for (const LoudnessStep& step : steps_of(signal, 48'000.0, 64, 0)) {
        const double lufs = reference.window_lufs((step.index + 1) * 480, 480);
        ASSERT_NEAR(-0.691 + 10.0 * std::log10(step.power), lufs, 0.005) << step.index;
    }
}

TEST(LoudnessFilter, RecoversFromWhatIsNoSound) {
    auto signal = noise(48'000);
    signal[100] = std::numeric_limits<float>::quiet_NaN();
    signal[101] = std::numeric_limits<float>::infinity();
    for (std::size_t n = 200; n < 300; ++n) signal[n] = std::numeric_limits<float>::max();
    const auto steps = steps_of(signal, 48'000.0, 64, 0);
    for (const LoudnessStep& step : steps) ASSERT_TRUE(std::isfinite(step.power)) << step.index;
}

/// Adds consecutive steps from `index` on.
void add(LoudnessMeter& meter, std::uint64_t& index, double lufs, double seconds) {
    const double power = std::pow(10.0, (lufs + 0.691) / 10.0);
    for (int i = 0; i < std::lround(seconds * kLoudnessStepsPerSecond); ++i) meter.add({index++, power});
}

TEST(LoudnessMeter, TellsNothingBeforeItHasHeardEnough) {
    LoudnessMeter meter;
    std::uint64_t index = 17;
    add(meter, index, -20.0, 0.39);
    EXPECT_FALSE(meter.loudness().momentary_lufs);
    EXPECT_FALSE(meter.loudness().integrated_lufs);
    add(meter, index, -20.0, 0.01);
    EXPECT_NEAR(meter.loudness().momentary_lufs.value(), -20.0, 1e-4);
    EXPECT_NEAR(meter.loudness().integrated_lufs.value(), -20.0, 1e-4);
    EXPECT_FALSE(meter.loudness().short_term_lufs);
    add(meter, index, -20.0, 2.6);
    EXPECT_NEAR(meter.loudness().short_term_lufs.value(), -20.0, 1e-4);
    EXPECT_NEAR(meter.loudness().measured_s, 3.0, 1e-9);
}

TEST(LoudnessMeter, AGapBeginsTheWindowsAnewAndTakesNothingFromTheProgramme) {
    LoudnessMeter meter;
    std::uint64_t index = 0;
    add(meter, index, -20.0, 10.0);
    index += 1'000;
    add(meter, index, -30.0, 0.3);
    EXPECT_FALSE(meter.loudness().momentary_lufs);
    EXPECT_FALSE(meter.loudness().short_term_lufs);
    EXPECT_NEAR(meter.loudness().integrated_lufs.value(), -20.0, 1e-4);
    EXPECT_NEAR(meter.loudness().measured_s, 10.3, 1e-9);
    add(meter, index, -30.0, 0.1);
    EXPECT_NEAR(meter.loudness().momentary_lufs.value(), -30.0, 1e-4) << "without the steps before the gap";
}

TEST(LoudnessMeter, ARestartForgetsTheProgrammeAndNotTheWindows) {
    LoudnessMeter meter;
    std::uint64_t index = 0;
    add(meter, index, -10.0, 10.0);
    meter.restart(index + 5);
    EXPECT_FALSE(meter.loudness().integrated_lufs);
    EXPECT_FALSE(meter.loudness().maximum_momentary_lufs);
    EXPECT_EQ(meter.loudness().measured_s, 0.0);
    EXPECT_NEAR(meter.loudness().short_term_lufs.value(), -10.0, 1e-4);
    add(meter, index, -10.0, 0.05);
    add(meter, index, -40.0, 5.0);
    EXPECT_NEAR(meter.loudness().integrated_lufs.value(), -40.0, 1e-3) << "without the steps before the restart";
    EXPECT_NEAR(meter.loudness().maximum_momentary_lufs.value(), -40.0, 1e-3);
    EXPECT_NEAR(meter.loudness().maximum_short_term_lufs.value(), -40.0, 1e-3);
    EXPECT_NEAR(meter.loudness().measured_s, 5.0, 1e-9);
}

TEST(LoudnessMeter, SilenceIsSilenceAtOnceAndDoesNotCount) {
    LoudnessMeter meter;
    std::uint64_t index = 0;
    add(meter, index, 0.0, 20.0);
    add(meter, index, -1'000.0, 6.0);
    EXPECT_EQ(meter.loudness().momentary_lufs.value(), -150.0F);
    EXPECT_EQ(meter.loudness().short_term_lufs.value(), -150.0F);
    EXPECT_NEAR(meter.loudness().integrated_lufs.value(), 0.0, 0.05) << "except for the blocks at the boundary";
}

/// EBU Tech 3342, minimum requirements 1 to 4.
TEST(LoudnessMeter, NothingIsBelowItsFloor) {
    LoudnessMeter meter;
    // -150.65 LUFS.
    for (std::uint64_t index = 0; index < 40; ++index) meter.add({index, 1.01e-15});
    EXPECT_EQ(meter.loudness().momentary_lufs, static_cast<float>(LoudnessMeter::kFloorLufs));
}

TEST(LoudnessMeter, HasTheLoudnessRangeOfTheEbusTestSignals) {
    struct Case {
        std::vector<double> levels_lufs;  ///< 20 s each
        double range_lu;
    };
    for (const Case& tried :
         {Case{{-20, -30}, 10}, Case{{-20, -15}, 5}, Case{{-40, -20}, 20}, Case{{-50, -35, -20, -35, -50}, 15}}) {
        LoudnessMeter meter;
        std::uint64_t index = 0;
        for (const double level : tried.levels_lufs) add(meter, index, level, 20.0);
        EXPECT_NEAR(meter.loudness().range_lu.value(), tried.range_lu, 1.0) << tried.levels_lufs[0];
    }
}

TEST(LoudnessMeter, OfManyHoursIsThatOfEveryMinute) {
    LoudnessMeter meter;
    std::uint64_t index = 0;
    for (int minute = 0; minute < 24 * 60; ++minute) {
        add(meter, index, -36.0, 10.0);
        add(meter, index, -23.0, 50.0);
    }
    // Of the blocks of a minute above the gate, 497 contain only the loud part. Six overlap its ends and contain 1/4,
    // 1/2 and 3/4 of it; the rest of them is the quiet part, 13 LU below.
    const double quiet = std::pow(10.0, -1.3);
    const double expected = -23.0 + 10.0 * std::log10((497.0 + 3.0 + 3.0 * quiet) / 503.0);
    EXPECT_NEAR(meter.loudness().integrated_lufs.value(), expected, 0.001);
    EXPECT_NEAR(meter.loudness().measured_s, 86'400.0, 1e-6);
}

}  // namespace
}  // namespace rta::dsp::loudness_test
