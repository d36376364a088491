// SPDX-License-Identifier: MIT
// Feeds a meter node with the test signals that EBU Tech 3341 (v3) specifies for loudness meters, at several sample
// rates. Compares other signals with BS.1770 in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "support/effort.h"
#include "support/loudness.h"
#include "support/offline_engine.h"

namespace rta::test::engine_loudness_test {
namespace {

constexpr double kTone1 = 1'000.0;

/// A meter in an engine, fed from the device.
class Programme {
 public:
    explicit Programme(std::uint32_t channels = 2, double sample_rate_hz = 48'000.0, std::uint32_t block_size = 64)
        : offline_{{.sample_rate_hz = sample_rate_hz, .block_size = block_size}, builtin_nodes(), 1, channels},
          sample_rate_hz_{sample_rate_hz} {
        const Settings settings{{"channels", static_cast<double>(channels)}};
        offline_.edit({AddNode{"input", "in", settings, {}}, AddNode{"meter", "m", settings, {}},
                       AddNode{"meter", "other", {}, {}}, Connect{"in", "m", {}}});
        offline_.engine.watch_levels(true);
    }

    [[nodiscard]] Engine& engine() { return offline_.engine; }
    [[nodiscard]] OfflineEngine& offline() { return offline_; }
    [[nodiscard]] std::uint64_t frame() const { return offline_.frame(); }
    [[nodiscard]] const MeasuredLevels::Source& now() const { return levels_.meters.at(0); }
    [[nodiscard]] const dsp::Loudness& loudness() const { return now().loudness; }
    [[nodiscard]] double true_peak_db() const {
        return 20.0 * std::log10(static_cast<double>(now().maximum_true_peak));
    }

    /// Plays sines of the same phase with these peaks in dB, one per channel, until `seconds` after the start.
    void play_until(double seconds, const std::vector<double>& peaks_db, double frequency_hz = kTone1) {
        std::vector<double> peaks;
        for (const double db : peaks_db) peaks.push_back(std::pow(10.0, db / 20.0));
        double sine = 0.0;
        play_until(seconds, [&](std::uint32_t channel, std::uint64_t n) {
            if (channel == 0) {
                const double cycles = frequency_hz * static_cast<double>(n) / sample_rate_hz_;
                sine = std::sin(2.0 * std::numbers::pi * cycles);
            }
            return peaks[channel] * sine;
        });
    }
    void rest_until(double seconds) {
        play_until(seconds, [](std::uint32_t, std::uint64_t) { return 0.0; });
    }
    /// Plays signal(channel, frame), which is called for the channels in turn. Fills blocks up to the last frame, which
    /// need not be at the end of a block.
    template <class Signal>
    void play_until(double seconds, const Signal& signal) {
        const auto end = static_cast<std::uint64_t>(std::llround(seconds * sample_rate_hz_));
        const std::uint32_t block = offline_.inputs.read().frame_count();
        std::vector<float*> inputs;
        for (std::uint32_t channel = 0; channel < offline_.inputs.channel_count(); ++channel) {
            inputs.push_back(offline_.inputs.write().channel(channel).data());
        }
        for (; filled_ < end; ++filled_) {
            const std::size_t at = filled_ % block;
            for (std::uint32_t channel = 0; channel < inputs.size(); ++channel) {
                inputs[channel][at] = static_cast<float>(signal(channel, filled_));
            }
            if (at != block - 1) continue;
            offline_.render_block();
            levels_ = offline_.engine.take_levels();
            seen();
        }
    }

    /// Extremes of momentary and short-term loudness since forget().
    void forget() { lowest_m_ = lowest_s_ = 1'000.0, highest_m_ = highest_s_ = -1'000.0; }
    void expect_momentary(double lufs) const {
        EXPECT_NEAR(lowest_m_, lufs, 0.1);
        EXPECT_NEAR(highest_m_, lufs, 0.1);
    }
    void expect_short_term(double lufs) const {
        EXPECT_NEAR(lowest_s_, lufs, 0.1);
        EXPECT_NEAR(highest_s_, lufs, 0.1);
    }
    [[nodiscard]] double highest_momentary() const { return highest_m_; }
    [[nodiscard]] double highest_short_term() const { return highest_s_; }

 private:
    void seen() {
        if (const auto m = loudness().momentary_lufs) {
            lowest_m_ = std::min(lowest_m_, static_cast<double>(*m));
            highest_m_ = std::max(highest_m_, static_cast<double>(*m));
        }
        if (const auto s = loudness().short_term_lufs) {
            lowest_s_ = std::min(lowest_s_, static_cast<double>(*s));
            highest_s_ = std::max(highest_s_, static_cast<double>(*s));
        }
    }

    OfflineEngine offline_;
    double sample_rate_hz_;
    std::uint64_t filled_ = 0;
    MeasuredLevels levels_;
    double lowest_m_ = 1'000.0;
    double highest_m_ = -1'000.0;
    double lowest_s_ = 1'000.0;
    double highest_s_ = -1'000.0;
};

/// A part of a sequence: its length in seconds, and the peaks of the channels in dB.
struct Part {
    double seconds;
    std::vector<double> peaks_db;
};

double integrated_lufs(const std::vector<Part>& parts, double sample_rate_hz) {
    Programme programme{static_cast<std::uint32_t>(parts[0].peaks_db.size()), sample_rate_hz};
    double end_s = 0.0;
    for (const Part& part : parts) programme.play_until(end_s += part.seconds, part.peaks_db);
    return static_cast<double>(programme.loudness().integrated_lufs.value());
}

struct Tech3341 : testing::TestWithParam<double> {};

TEST_P(Tech3341, Signals1And2AreAsLoudAsTheyAre) {
    for (const double level : {-23.0, -33.0}) {
        Programme programme{2, GetParam()};
        programme.play_until(3.0, {level, level});
        programme.forget();
        programme.play_until(20.0, {level, level});
        programme.expect_momentary(level);
        programme.expect_short_term(level);
        EXPECT_NEAR(programme.loudness().integrated_lufs.value(), level, 0.1);
        EXPECT_NEAR(programme.loudness().range_lu.value(), 0.0, 0.11);
    }
}

TEST_P(Tech3341, Signals3To5AreGated) {
    const double rate = GetParam();
    const std::vector<double> soft{-36, -36};
    const std::vector<double> loud{-23, -23};
    const std::vector<double> silent{-72, -72};
    EXPECT_NEAR(integrated_lufs({{10, soft}, {60, loud}, {10, soft}}, rate), -23.0, 0.1);
    EXPECT_NEAR(integrated_lufs({{10, silent}, {10, soft}, {60, loud}, {10, soft}, {10, silent}}, rate), -23.0, 0.1);
    EXPECT_NEAR(integrated_lufs({{20, {-26, -26}}, {20.1, {-20, -20}}, {20, {-26, -26}}}, rate), -23.0, 0.1);
}

TEST_P(Tech3341, Signal6HasFiveChannelsAndMayHaveALoudSubwoofer) {
    EXPECT_NEAR(integrated_lufs({{20, {-28, -28, -24, -30, -30}}}, GetParam()), -23.0, 0.1);
    EXPECT_NEAR(integrated_lufs({{20, {-28, -28, -24, 0, -30, -30}}}, GetParam()), -23.0, 0.1);
}

TEST_P(Tech3341, Signal9HasAConstantShortTermLoudness) {
    Programme programme{2, GetParam()};
    for (int i = 0; i < 5; ++i) {
        programme.play_until(3.0 * i + 1.34, {-20, -20});
        programme.play_until(3.0 * i + 3.0, {-30, -30});
        if (i == 0) programme.forget();
    }
    programme.expect_short_term(-23.0);
}

TEST_P(Tech3341, Signal10IsCaughtWhereverItBegins) {
    for (int i = 0; i < 20; i += cases(1, 6)) {
        Programme programme{2, GetParam()};
        programme.rest_until(0.15 * i);
        programme.play_until(0.15 * i + 3.0, {-23, -23});
        programme.rest_until(0.15 * i + 4.0);
        EXPECT_NEAR(programme.loudness().maximum_short_term_lufs.value(), -23.0, 0.1) << i;
    }
}

TEST_P(Tech3341, Signal11IsFollowed) {
    Programme programme{2, GetParam()};
    double end_s = 0.0;
    for (int i = 0; i < 20; i += cases(1, 6)) {
        const double level = -38.0 + i;
        programme.rest_until(end_s += 0.15 * i);
        programme.play_until(end_s += 3.0, {level, level});
        programme.rest_until(end_s += 3.0);
        EXPECT_NEAR(programme.highest_short_term(), level, 0.1) << i;
    }
}

TEST_P(Tech3341, Signal12HasAConstantMomentaryLoudness) {
    Programme programme{2, GetParam()};
    for (int i = 0; i < 25; ++i) {
        programme.play_until(0.4 * i + 0.18, {-20, -20});
        programme.play_until(0.4 * i + 0.4, {-30, -30});
        if (i == 2) programme.forget();
    }
    programme.expect_momentary(-23.0);
}

TEST_P(Tech3341, Signal13IsCaughtWhereverItBegins) {
    // The silences of the EBU increase in steps of 20 ms; those of 7 ms fall between the steps of the meter.
    for (const double silence_s : {0.02, 0.007}) {
        for (int i = 0; i < 20; i += cases(1, 6)) {
            Programme programme{2, GetParam()};
            programme.rest_until(silence_s * i);
            programme.play_until(silence_s * i + 0.4, {-23, -23});
            programme.rest_until(silence_s * i + 1.4);
            EXPECT_NEAR(programme.loudness().maximum_momentary_lufs.value(), -23.0, 0.1) << i << " x " << silence_s;
        }
    }
}

TEST_P(Tech3341, Signal14IsFollowed) {
    Programme programme{2, GetParam()};
    double end_s = 0.0;
    for (int i = 0; i < 20; ++i) {
        const double level = -38.0 + i;
        programme.rest_until(end_s += 0.02 * i);
        programme.play_until(end_s += 0.4, {level, level});
        programme.rest_until(end_s += 0.4);
        EXPECT_NEAR(programme.highest_momentary(), level, 0.1) << i;
    }
}

TEST_P(Tech3341, Signals15To19AreReadBetweenTheirSamples) {
    struct Case {
        double frames_per_cycle;
        double phase_degrees;
        double amplitude;
        double expected_db;
    };
    for (const Case& tried : {Case{4, 0, 0.5, -6}, Case{4, 45, 0.5, -6}, Case{6, 60, 0.5, -6}, Case{8, 67.5, 0.5, -6},
                              Case{4, 45, 1.41, 3}}) {
        Programme programme{2, GetParam()};
        programme.play_until(5.0, [&](std::uint32_t, std::uint64_t n) {
            // Fades in, because an edge would overshoot.
            const double fade = std::min(1.0, static_cast<double>(n) / 4'800.0);
            const double cycles = static_cast<double>(n) / tried.frames_per_cycle + tried.phase_degrees / 360.0;
            return tried.amplitude * fade * std::sin(2.0 * std::numbers::pi * cycles);
        });
        EXPECT_LT(programme.true_peak_db(), tried.expected_db + 0.2) << tried.phase_degrees;
        EXPECT_GT(programme.true_peak_db(), tried.expected_db - 0.4) << tried.phase_degrees;
    }
}

INSTANTIATE_TEST_SUITE_P(Rates, Tech3341, testing::Values(44'100.0, 48'000.0, 96'000.0),
                         [](const auto& rate) { return std::to_string(static_cast<int>(rate.param)); });

/// Returns noise with a level that varies by 30 dB, and with occasional pauses.
double wandering(std::mt19937& random, std::uint64_t n) {
    const double t = static_cast<double>(n) / 48'000.0;
    const double level_db = -25.0 + 15.0 * std::sin(0.7 * t) * std::sin(0.23 * t + 1.0);
    const bool rests = std::fmod(t, 17.0) > 14.0;
    return (rests ? 0.0 : 1.0) * std::pow(10.0, level_db / 20.0) *
           std::uniform_real_distribution<double>{-1.0, 1.0}(random);
}

struct Wandering : testing::Test {
    void play_until(double seconds) {
        programme.play_until(seconds, [&](std::uint32_t channel, std::uint64_t n) {
            fed[channel].push_back(static_cast<float>(wandering(random, n)));
            return fed[channel].back();
        });
    }
    [[nodiscard]] LoudnessReference reference() const {
        const std::span<const float> channels[] = {fed[0], fed[1]};
        return LoudnessReference{channels};
    }

    Programme programme;
    std::mt19937 random{11};
    std::vector<float> fed[2];
};

TEST_F(Wandering, LoudnessIsWhatTheDefinitionsGive) {
    play_until(64.0);
    const auto reference = this->reference();
    const dsp::Loudness& loudness = programme.loudness();
    const std::size_t end = 64 * 48'000;
    EXPECT_NEAR(loudness.momentary_lufs.value(), reference.window_lufs(end, LoudnessReference::kMomentaryFrames), 0.01);
    EXPECT_NEAR(loudness.short_term_lufs.value(), reference.window_lufs(end, LoudnessReference::kShortTermFrames),
                0.01);
    EXPECT_TRUE(reference.fits(loudness.integrated_lufs.value(), 0, end)) << *loudness.integrated_lufs;
    EXPECT_NEAR(loudness.range_lu.value(), reference.range_lu(0, end), 0.2);
    for (const auto& channel : fed) {
        EXPECT_GE(programme.now().maximum_true_peak, *std::ranges::max_element(channel)) << "of all channels";
    }
}

TEST_F(Wandering, ARestartCountsFromTheFrameThatItTells) {
    play_until(20.0);
    const std::string names[] = {"m"};
    const auto frame = programme.engine().restart_loudness(names);
    ASSERT_TRUE(frame);
    EXPECT_EQ(*frame, programme.frame());
    EXPECT_EQ(programme.engine().take_levels().meters[0].maximum_true_peak, 0.0F);
    play_until(60.0);
    // Starts at the next whole step.
    const std::size_t begin = (*frame + 479) / 480 * 480;
    const auto integrated = static_cast<double>(programme.loudness().integrated_lufs.value());
    EXPECT_TRUE(reference().fits(integrated, begin, std::size_t{60} * 48'000)) << integrated;
    EXPECT_NEAR(programme.loudness().measured_s, 60.0 - static_cast<double>(begin) / 48'000.0, 1e-6);
}

TEST_F(Wandering, MeasurementPausesWhileUnwatchedAndContinuesAfterwards) {
    play_until(20.0);
    const dsp::Loudness before = programme.loudness();
    programme.engine().watch_levels(false);
    play_until(30.0);
    EXPECT_EQ(programme.loudness().integrated_lufs, before.integrated_lufs);
    programme.engine().watch_levels(true);
    play_until(30.2);
    EXPECT_FALSE(programme.loudness().momentary_lufs) << "400 ms have not been heard yet";
    EXPECT_EQ(programme.loudness().integrated_lufs, before.integrated_lufs);
    play_until(50.0);
    EXPECT_NEAR(programme.loudness().measured_s, 40.0, 0.03);
    const double end =
        static_cast<double>(reference().window_lufs(std::size_t{50} * 48'000, LoudnessReference::kShortTermFrames));
    EXPECT_NEAR(programme.loudness().short_term_lufs.value(), end, 0.01);
}

TEST_F(Wandering, AControlThreadThatIsLateLosesNothing) {
    play_until(10.0);
    // Two seconds without reading the meter.
    for (int i = 0; i < 1'500; ++i) {
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
            for (float& sample : programme.offline().inputs.write().channel(channel)) {
                sample = static_cast<float>(wandering(random, fed[channel].size()));
                fed[channel].push_back(sample);
            }
        }
        programme.offline().render_block();
    }
    const MeasuredLevels levels = programme.engine().take_levels();
    const auto integrated = static_cast<double>(levels.meters[0].loudness.integrated_lufs.value());
    EXPECT_TRUE(reference().fits(integrated, 0, fed[0].size())) << integrated;
    EXPECT_NEAR(levels.meters[0].loudness.measured_s, 12.0, 1e-6);
}

TEST(Restart, RejectsNodesThatAreNotMeters) {
    Programme programme;
    const std::string unknown[] = {"m", "mm"};
    EXPECT_EQ(programme.engine().restart_loudness(unknown).error().code, ErrorCode::not_found);
    const std::string input[] = {"in"};
    const auto refused = programme.engine().restart_loudness(input);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_EQ(refused.error().sentence, "node \"in\" of type input does not measure loudness: expected a meter");
}

TEST(Restart, ProcessorResetRestartsTheMeasurement) {
    Programme programme;
    programme.play_until(5.0, {-10, -10});
    ASSERT_TRUE(programme.engine().mute_output(true));
    programme.offline().settle();
    ASSERT_TRUE(programme.offline().reset());
    programme.play_until(10.0, {-30, -30});
    EXPECT_NEAR(programme.loudness().integrated_lufs.value(), -30.0, 0.1);
    EXPECT_LE(programme.loudness().measured_s, 5.0);
}

}  // namespace
}  // namespace rta::test::engine_loudness_test
