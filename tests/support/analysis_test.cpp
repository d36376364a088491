// SPDX-License-Identifier: MIT
// Verifies the measurements with known signals: sines of exact parameters, distortion of known size, and inserted
// clicks.
#include "support/analysis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>

#include "support/spectrogram.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {
namespace {

constexpr double kRate = 48'000.0;
constexpr double kTwoPi = 2.0 * std::numbers::pi;

std::vector<float> sine(double frequency_hz, double amplitude, std::size_t frames, double phase = 0.0) {
    std::vector<float> signal(frames);
    for (std::size_t n = 0; n < frames; ++n) {
        signal[n] =
            static_cast<float>(amplitude * std::sin(phase + kTwoPi * frequency_hz / kRate * static_cast<double>(n)));
    }
    return signal;
}

std::vector<float> noise(std::size_t frames, std::uint32_t seed, float amplitude) {
    std::mt19937 random{seed};
    std::uniform_real_distribution<float> value{-amplitude, amplitude};
    std::vector<float> signal(frames);
    for (float& sample : signal) sample = value(random);
    return signal;
}

TEST(Analysis, FitsTheFrequencyLevelAndPhaseOfASine) {
    for (const double frequency : {31.25, 440.0, 997.0, 7'919.3, 19'000.1}) {
        const SineFit fit = fit_sine(sine(frequency, 0.1, 48'000, 0.7), kRate);
        EXPECT_NEAR(fit.frequency_hz, frequency, 1e-6) << frequency;
        EXPECT_NEAR(fit.level_db(), -20.0, 1e-6) << frequency;
        EXPECT_NEAR(fit.phase_rad, 0.7, 1e-5) << frequency;
        EXPECT_NEAR(fit.offset, 0.0, 1e-9) << frequency;
        // The limit of float32: rounding errors of at most half of 2^-27 at amplitudes below 2^-3.
        EXPECT_LT(fit.thd_plus_noise_db(), -140.0) << frequency;
    }
}

TEST(Analysis, MeasuresDistortionOfAKnownSize) {
    std::vector<float> signal = sine(997.0, 0.5, 96'000);
    const std::vector<float> third = sine(2'991.0, 0.5e-4, 96'000);
    for (std::size_t n = 0; n < signal.size(); ++n) signal[n] += third[n];
    EXPECT_NEAR(fit_sine(signal, kRate).thd_plus_noise_db(), -80.0, 0.01);
    EXPECT_NEAR(amplitude_at(signal, kRate, 2'991.0), 0.5e-4, 1e-7);
}

TEST(Analysis, FitsASineInNoiseAndOffset) {
    std::vector<float> signal = noise(96'000, 1, 0.01F);
    const std::vector<float> tone = sine(440.0, 0.25, signal.size());
    for (std::size_t n = 0; n < signal.size(); ++n) signal[n] += tone[n] + 0.125F;
    const SineFit fit = fit_sine(signal, kRate);
    EXPECT_NEAR(fit.frequency_hz, 440.0, 1e-3);
    EXPECT_NEAR(fit.amplitude, 0.25, 1e-4);
    EXPECT_NEAR(fit.offset, 0.125, 1e-4);
    EXPECT_NEAR(fit.residual_rms, 0.01 / std::sqrt(3.0), 1e-4);
}

TEST(Analysis, SecondDifferenceOfASteadySineIsItsCurvature) {
    const double omega = kTwoPi * 100.0 / kRate;
    const double expected = 0.5 * 2.0 * (1.0 - std::cos(omega));
    EXPECT_NEAR(largest_second_difference(sine(100.0, 0.5, 48'000)).size, expected, 1e-7);
    EXPECT_TRUE(find_discontinuities(sine(100.0, 0.5, 48'000), expected + 1e-6).empty());
}

TEST(Analysis, FindsAPlantedClick) {
    std::vector<float> signal = sine(100.0, 0.5, 48'000);
    for (std::size_t n = 12'345; n < signal.size(); ++n) signal[n] *= 0.9F;  // a step of the gain
    signal[30'000] += 0.01F;                                                 // one wrong sample
    const std::vector<Finding> found = find_discontinuities(signal, 0.001);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NEAR(static_cast<double>(found[0].frame), 12'345.0, 1.0);
    EXPECT_EQ(found[1].frame, 30'000U);
    EXPECT_NEAR(found[1].size, 0.02, 2e-4);
}

TEST(Analysis, FindsALostFrame) {
    std::vector<float> signal = sine(100.0, 0.5, 48'000);
    signal.erase(signal.begin() + 20'000);
    const std::vector<Finding> found = find_discontinuities(signal, 2e-4);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(static_cast<double>(found[0].frame), 20'000.0, 1.0);
}

TEST(Analysis, CountsNanAsADiscontinuity) {
    std::vector<float> signal = sine(100.0, 0.5, 4'800);
    signal[1'000] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(find_discontinuities(signal, 0.001).size(), 1U);
    EXPECT_GT(largest_second_difference(signal).size, 1.0);
}

TEST(Analysis, ARampIsNoDiscontinuityButItsAbsenceIs) {
    std::vector<float> ramped = sine(100.0, 0.5, 48'000);
    std::vector<float> stepped = ramped;
    for (std::size_t n = 20'000; n < ramped.size(); ++n) {
        const double along = std::min(1.0, static_cast<double>(n - 20'000) / 480.0);
        ramped[n] *= static_cast<float>(1.0 - 0.5 * along);
        stepped[n] *= 0.5F;
    }
    EXPECT_TRUE(find_discontinuities(ramped, 0.002).empty());
    EXPECT_EQ(find_discontinuities(stepped, 0.002).size(), 1U);
}

TEST(Analysis, FollowsTheGainOfAPathThroughSpeech) {
    const std::vector<float> input = speech();
    std::vector<float> ramped = input;
    std::vector<float> stepped = input;
    for (std::size_t n = 0; n < input.size(); ++n) {
        const double along = n < 15'000 ? 0.0 : std::min(1.0, static_cast<double>(n - 15'000) / 480.0);
        ramped[n] *= static_cast<float>(1.0 - 0.5 * along);
        stepped[n] *= n < 15'000 ? 1.0F : 0.5F;
    }
    EXPECT_TRUE(find_gain_steps(input, ramped, 0.5 / 480.0 + 1e-6, 1e-3).empty());
    const std::vector<Finding> found = find_gain_steps(input, stepped, 0.01, 1e-3);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(static_cast<double>(found[0].frame), 15'000.0, 100.0);
    EXPECT_NEAR(found[0].size, 0.5, 1e-6);
}

TEST(Analysis, FindsADelayAndComparesBits) {
    const std::vector<float> part = noise(10'000, 2, 0.5F);
    std::vector<float> whole(30'000);
    std::copy(part.begin(), part.end(), whole.begin() + 7'777);
    const std::size_t delay = find_delay(part, whole);
    EXPECT_EQ(delay, 7'777U);
    const std::span<const float> found = std::span{whole}.subspan(delay, part.size());
    EXPECT_EQ(first_difference(part, found), std::nullopt);
    whole[7'777 + 5'000] = std::nextafter(whole[7'777 + 5'000], 1.0F);
    EXPECT_EQ(first_difference(part, found), 5'000U);
    EXPECT_EQ(first_difference(std::vector<float>{0.0F}, std::vector<float>{-0.0F}), 0U) << "bits, not values";
}

TEST(Analysis, SpectrumShowsEachSineAtItsLevel) {
    // Frequencies at the centre of lines: 65536 frames at 48 kHz.
    std::vector<float> signal = sine(1'000.0 * 48'000.0 / 65'536.0, 0.5, 131'072);
    const std::vector<float> other = sine(10'000.0 * 48'000.0 / 65'536.0, 0.0005, signal.size());
    for (std::size_t n = 0; n < signal.size(); ++n) signal[n] += other[n];
    const std::vector<SpectrumLine> lines = spectrum(signal, kRate, 65'536);
    ASSERT_EQ(lines.size(), 32'769U);
    EXPECT_NEAR(lines[1'000].level_db, db_from_gain(0.5), 1e-3);
    EXPECT_NEAR(lines[10'000].level_db, db_from_gain(0.0005), 1e-2);
    EXPECT_NEAR(lines[1'000].frequency_hz, 732.421875, 1e-9);
    EXPECT_LT(lines[5'000].level_db, -130.0);
    EXPECT_NEAR(lines.back().frequency_hz, 24'000.0, 1e-9);
}

TEST(Analysis, FourierTransformOfAnImpulseIsFlatAndAWrongSizeIsRefused) {
    std::vector<std::complex<double>> values(256);
    values[3] = 1.0;
    fft(values);
    for (std::size_t k = 0; k < values.size(); ++k) {
        const std::complex<double> expected = std::polar(1.0, -kTwoPi * 3.0 * static_cast<double>(k) / 256.0);
        EXPECT_LT(std::abs(values[k] - expected), 1e-12);
    }
    std::vector<std::complex<double>> wrong(100);
    EXPECT_THROW(fft(wrong), std::invalid_argument);
}

TEST(WavFile, FloatsComeBackBitForBit) {
    const TemporaryDirectory directory;
    const Wav written{44'100, {noise(1'000, 3, 1.0F), noise(1'000, 4, 1.0F)}, true};
    write_wav(directory / "a.wav", written);
    const Wav read = read_wav(directory / "a.wav");
    EXPECT_EQ(read.sample_rate_hz, 44'100U);
    EXPECT_TRUE(read.float32);
    ASSERT_EQ(read.channels.size(), 2U);
    ASSERT_EQ(read.frames(), 1'000U);
    EXPECT_EQ(first_difference(read.channels[0], written.channels[0]), std::nullopt);
    EXPECT_EQ(first_difference(read.channels[1], written.channels[1]), std::nullopt);
    EXPECT_THROW(static_cast<void>(read_wav(directory / "missing.wav")), std::runtime_error);
}

TEST(WavFile, SpeechIsSixteenBitSamplesOfARealRecording) {
    const std::vector<float> samples = speech();
    EXPECT_GT(samples.size(), 48'000U);
    EXPECT_GT(peak(samples), 0.1);
    EXPECT_GT(rms(samples), 0.01);
    for (const float sample : samples) ASSERT_EQ(sample * 32'768.0F, std::round(sample * 32'768.0F));
}

TEST(SpectrogramOf, ShowsWhichSineSoundsWhen) {
    // Half a second at 440 Hz and -6 dB, then half a second at 3520 Hz and -20 dB: 3 octaves.
    std::vector<float> signal = sine(440.0, gain_from_db(-6.0), 24'000);
    const std::vector<float> second = sine(3'520.0, gain_from_db(-20.0), 24'000);
    signal.insert(signal.end(), second.begin(), second.end());
    // 24 rows to an octave; row 36 is 1.5 octaves above 110 Hz.
    const Spectrogram::Shape shape{
        .columns = 100, .rows = 145, .lowest_hz = 110.0, .highest_hz = 7'040.0, .length = 4'096};
    const Spectrogram found = spectrogram(signal, kRate, shape);
    ASSERT_EQ(found.levels_db.size(), 14'500U);
    const auto loudest_row = [&](std::size_t column) {
        std::size_t loudest = 0;
        for (std::size_t row = 0; row < shape.rows; ++row) {
            if (found.at(row, column) > found.at(loudest, column)) loudest = row;
        }
        return loudest;
    };
    for (const std::size_t column : {10U, 25U, 40U}) {
        EXPECT_NEAR(static_cast<double>(loudest_row(column)), 48.0, 1.0);
        EXPECT_NEAR(found.at(loudest_row(column), column), -6.0, 1.5) << "at most 1.42 dB between two lines";
        EXPECT_LT(found.at(120, column), -90.0);
    }
    for (const std::size_t column : {60U, 75U, 90U}) {
        EXPECT_NEAR(static_cast<double>(loudest_row(column)), 120.0, 1.0);
        EXPECT_NEAR(found.at(loudest_row(column), column), -20.0, 1.5);
        EXPECT_LT(found.at(48, column), -90.0);
    }
    EXPECT_THROW(static_cast<void>(spectrogram(
                     signal, kRate, {.columns = 1, .rows = 2, .lowest_hz = 10.0, .highest_hz = 20.0, .length = 1'000})),
                 std::invalid_argument);
}

}  // namespace
}  // namespace rta::test
