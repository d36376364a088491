// SPDX-License-Identifier: MIT
// Compares with the definition of the delay in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::delay_line_test {
namespace {

using test::NodeBench;

constexpr double kRateHz = 48'000.0;
/// Frames of a crossfade at 48 kHz, see dsp/delay_line.h.
constexpr std::uint32_t kFadeFrames = 960;

const NodeType& delay_line() { return *builtin_nodes().find("delay_line"); }

float time_ms(double frames, double rate_hz = kRateHz) { return static_cast<float>(frames * 1'000.0 / rate_hz); }

/// White noise below half of full scale.
float noise(std::uint32_t channel, std::uint64_t frame) {
    std::uint64_t hash = (frame + 1) * 0x9E37'79B9'7F4A'7C15ULL + channel * 7'919ULL;
    hash ^= hash >> 29U;
    hash *= 0xBF58'476D'1CE4'E5B9ULL;
    hash ^= hash >> 32U;
    return static_cast<float>(static_cast<std::int32_t>(hash & 0xFFFF'FFFFU)) / 0x1p32F;
}

NodeBench::Signal noises() {
    return [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) { return noise(channel, frame); };
}

NodeBench::Signal impulse() {
    return [](std::uint32_t, std::uint32_t, std::uint64_t frame) { return frame == 0 ? 1.0F : 0.0F; };
}

NodeBench::Options with(const std::map<std::string, float, std::less<>>& parameters, const NodeBench::Signal& signal) {
    NodeBench::Options options;
    options.parameters = parameters;
    options.signal = signal;
    return options;
}

TEST(DelayLineNode, DelaysByWholeFramesBitForBit) {
    for (const double rate_hz : {44'100.0, 48'000.0, 96'000.0}) {
        for (const std::uint32_t frames : {0U, 1U, 2U, 15U, 16U, 17U, 63U, 64U, 65U, 1'000U, 12'345U, 44'099U}) {
            NodeBench::Options options = with({{"time_ms", time_ms(frames, rate_hz)}}, noises());
            options.sample_rate_hz = rate_hz;
            NodeBench bench{delay_line(), {}, options};
            const std::vector<float> out = bench.render_channel(frames + 2'048);
            for (std::size_t n = 0; n < out.size(); ++n) {
                ASSERT_EQ(out[n], n < frames ? 0.0F : noise(0, n - frames)) << frames << " frames, frame " << n;
            }
        }
    }
}

TEST(DelayLineNode, GoesRoundAndRoundWithoutASeam) {
    // A short line that wraps many times, at every position within the window of a block.
    NodeBench bench{delay_line(), {{"max_time_ms", 10.0}}, with({{"time_ms", time_ms(477)}}, noises())};
    const std::vector<float> out = bench.render_channel(20'000);
    for (std::size_t n = 0; n < out.size(); ++n) ASSERT_EQ(out[n], n < 477 ? 0.0F : noise(0, n - 477)) << n;
}

/// Compares a delayed sine with the sine of the delayed time.
double largest_error(double frames, double frequency_hz) {
    const double step = 2.0 * std::numbers::pi * frequency_hz / kRateHz;
    const auto sine = [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return static_cast<float>(std::sin(step * static_cast<double>(frame)));
    };
    const float time = time_ms(frames);
    const double exact_frames = static_cast<double>(time) * kRateHz / 1'000.0;
    NodeBench bench{delay_line(), {}, with({{"time_ms", time}}, sine)};
    const auto settled = static_cast<std::size_t>(frames) + 64;
    const std::vector<float> out = bench.render_channel(settled + 1'024);
    double largest = 0.0;
    for (std::size_t n = settled; n < out.size(); ++n) {
        largest = std::max(largest, std::fabs(out[n] - std::sin(step * (static_cast<double>(n) - exact_frames))));
    }
    return largest;
}

TEST(DelayLineNode, DelaysByFractionsWithinTheStatedError) {
    // The error documented in dsp/delay_line.h, plus the rounding errors of 32 float products.
    constexpr double kRounding = 32 * 0x1p-24;
    const double below_18_khz = std::pow(10.0, -85.0 / 20.0) + kRounding;
    const double below_20_khz = std::pow(10.0, -60.0 / 20.0) + kRounding;
    for (const double whole : {16.0, 40.0, 100.0, 3'000.0}) {
        for (const double fraction : {0.01, 0.125, 0.3, 0.5, 0.77, 0.99}) {
            for (const double frequency_hz : {20.0, 997.0, 5'000.0, 12'000.0, 15'000.0, 17'999.0}) {
                ASSERT_LT(largest_error(whole + fraction, frequency_hz), below_18_khz)
                    << whole + fraction << " frames, " << frequency_hz << " Hz";
            }
            for (const double frequency_hz : {18'500.0, 19'000.0, 19'500.0, 20'000.0}) {
                ASSERT_LT(largest_error(whole + fraction, frequency_hz), below_20_khz)
                    << whole + fraction << " frames, " << frequency_hz << " Hz";
            }
        }
    }
}

/// Returns the gain and phase of the node at a frequency, from its impulse response.
std::complex<double> response_at(const std::vector<float>& impulse_response, double frequency_hz, double rate_hz) {
    std::complex<double> sum = 0.0;
    for (std::size_t n = 0; n < impulse_response.size(); ++n) {
        const double turns = frequency_hz / rate_hz * static_cast<double>(n);
        sum += static_cast<double>(impulse_response[n]) * std::polar(1.0, -2.0 * std::numbers::pi * turns);
    }
    return sum;
}

/// Largest deviations from an ideal delay.
struct Deviations {
    double gain_db = 0.0;      ///< up to 5/12 of the sample rate
    double excess = 0.0;       ///< of the gain over 1, at any frequency
    double frames_low = 0.0;   ///< phase delay, up to 5/24 of the sample rate (10 kHz at 48 kHz)
    double frames_high = 0.0;  ///< phase delay, up to 5/12 of the sample rate
};

Deviations deviations_of(double frames, double rate_hz) {
    const float time = time_ms(frames, rate_hz);
    const double exact_frames = static_cast<double>(time) * rate_hz / 1'000.0;
    NodeBench::Options options = with({{"time_ms", time}}, impulse());
    options.sample_rate_hz = rate_hz;
    NodeBench bench{delay_line(), {}, options};
    const std::vector<float> out = bench.render_channel(128);
    Deviations largest;
    constexpr int kSteps = 120;  // up to half the sample rate
    for (int step = 1; step <= kSteps; ++step) {
        const double frequency_hz = 0.5 * rate_hz * step / kSteps;
        const std::complex<double> heard = response_at(out, frequency_hz, rate_hz);
        largest.excess = std::max(largest.excess, std::abs(heard) - 1.0);
        if (12 * step > 10 * kSteps) continue;
        largest.gain_db = std::max(largest.gain_db, std::fabs(20.0 * std::log10(std::abs(heard))));
        const double turn = 2.0 * std::numbers::pi * frequency_hz / rate_hz;
        const double late = std::fabs(std::arg(heard * std::polar(1.0, turn * exact_frames)) / turn);
        largest.frames_high = std::max(largest.frames_high, late);
        if (24 * step <= 10 * kSteps) largest.frames_low = std::max(largest.frames_low, late);
    }
    return largest;
}

TEST(DelayLineNode, IsFlatAtEveryDelayAndNeverAmplifies) {
    Deviations worst;
    double worst_below_two = 0.0;
    for (const double rate_hz : {44'100.0, 48'000.0, 192'000.0}) {
        for (const double whole : {0., 1., 2., 3., 5., 7., 10., 11., 12., 13., 14., 15., 16., 17., 31., 40.}) {
            for (const double fraction :
                 {0.0005, 0.004, 0.02, 0.06, 0.11, 0.18, 0.25, 0.35, 0.49, 0.51, 0.62, 0.75, 0.88, 0.97, 0.999}) {
                const double frames = whole + fraction;
                const Deviations found = deviations_of(frames, rate_hz);
                EXPECT_LT(found.gain_db, 0.09) << frames << " frames at " << rate_hz << " Hz";
                EXPECT_LT(found.excess, 0.0015) << frames << " frames at " << rate_hz << " Hz";
                EXPECT_LT(found.frames_low, frames < 2.0 ? 0.07 : frames < 12.0 ? 0.2 : 0.001) << frames << " frames";
                EXPECT_LT(found.frames_high, frames < 12.0 ? 0.45 : 0.001) << frames << " frames";
                worst.gain_db = std::max(worst.gain_db, found.gain_db);
                worst.excess = std::max(worst.excess, found.excess);
                worst.frames_low = std::max(worst.frames_low, found.frames_low);
                worst.frames_high = std::max(worst.frames_high, found.frames_high);
                if (frames < 2.0) worst_below_two = std::max(worst_below_two, found.frames_low);
            }
        }
    }
    RecordProperty("gain_db", std::to_string(worst.gain_db));
    RecordProperty("excess", std::to_string(worst.excess));
    RecordProperty("frames_up_to_10_khz", std::to_string(worst.frames_low));
    RecordProperty("frames_up_to_10_khz_below_two", std::to_string(worst_below_two));
    RecordProperty("frames_up_to_20_khz", std::to_string(worst.frames_high));
}

TEST(DelayLineNode, GlidesFromLongToShortDelaysWithoutAClick) {
    // A tone of 997 Hz at full scale has a curvature of (2 pi 997 / 48000)^2 per frame. The slope of a crossfade of 960
    // frames between two phases of it has corners of at most 2 / 960 per frame.
    const double step = 2.0 * std::numbers::pi * 997.0 / kRateHz;
    const auto tone = [=](std::uint64_t frame) {
        return static_cast<float>(std::sin(step * static_cast<double>(frame)));
    };
    for (const float feedback : {0.0F, 0.5F}) {
        NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(20.3)}, {"feedback", feedback}}, tone)};
        bench.pass(4'096);
        const double loudest = 1.0 / (1.0 - static_cast<double>(feedback));
        float before = 0.0F;
        float last = 0.0F;
        double largest = 0.0;
        for (const double frames :
             {16.5, 13.2, 12.0, 11.99, 11.4, 6.5, 2.01, 1.5, 1.02, 1.0, 0.99, 0.4, 0.02, 0.0, 0.7, 40.5}) {
            bench.set("time_ms", time_ms(frames));
            for (const float sample : bench.render_channel(1'024)) {
                const auto bend = static_cast<double>(before - 2.0F * last + sample);
                if (before != 0.0F) largest = std::max(largest, std::fabs(bend));
                before = last;
                last = sample;
            }
        }
        EXPECT_LT(largest, loudest * (step * step + 4.0 / kFadeFrames)) << feedback;
    }
}

TEST(DelayLineNode, FeedsBackShortFractionsWithoutGainOverItsSeries) {
    // Peaks of the loop: 1 / (1 - feedback) at most, whatever the frequency.
    for (const float feedback : {-0.99F, 0.5F, 0.99F}) {
        for (const double frames : {0.3, 1.1, 1.5, 2.6, 7.5, 11.2, 12.4}) {
            NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(frames)}, {"feedback", feedback}}, impulse())};
            const std::vector<float> out = bench.render_channel(65'536);
            const double most = 1.001'5 / (1.0 - std::fabs(static_cast<double>(feedback)) * 1.001'5);
            for (double frequency_hz = 50.0; frequency_hz < 24'000.0; frequency_hz += 1'331.0)
                ASSERT_LT(std::abs(response_at(out, frequency_hz, kRateHz)), most) << frames << ", " << frequency_hz;
        }
    }
}

/// Output of the definition in double precision for a noise input.
class Reference {
 public:
    explicit Reference(std::uint32_t frames) : frames_{frames} {}

    double next(double in, double feedback, double mix) {
        const std::size_t n = line_.size();
        const std::size_t loop = std::max(frames_, 1U);
        line_.push_back(in + feedback * (n >= loop ? line_[n - loop] : 0.0));
        return (1.0 - mix) * in + mix * (n >= frames_ ? line_[n - frames_] : 0.0);
    }

 private:
    std::uint32_t frames_;
    std::vector<double> line_;
};

TEST(DelayLineNode, FeedsBackAndMixesByItsDefinition) {
    for (const std::uint32_t frames : {0U, 1U, 3U, 15U, 16U, 17U, 40U, 63U, 64U, 65U, 500U}) {
        for (const float feedback : {-0.9F, -0.5F, 0.3F, 0.9F}) {
            for (const float mix : {0.0F, 0.35F, 1.0F}) {
                NodeBench bench{delay_line(),
                                {},
                                with({{"time_ms", time_ms(frames)}, {"feedback", feedback}, {"mix", mix}}, noises())};
                const std::vector<float> out = bench.render_channel(4'096);
                Reference reference{frames};
                for (std::size_t n = 0; n < out.size(); ++n) {
                    // Each round trip adds rounding errors of values below 5; 90% of the previous errors remain.
                    ASSERT_NEAR(out[n], reference.next(noise(0, n), feedback, mix), 10 * 5 * 3 * 0x1p-24)
                        << frames << " frames, feedback " << feedback << ", mix " << mix << ", frame " << n;
                }
            }
        }
    }
}

TEST(DelayLineNode, FollowsRampsOfFeedbackAndMixFrameByFrame) {
    for (const std::uint32_t frames : {3U, 100U}) {
        NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(frames)}, {"mix", 0.0F}}, noises())};
        bench.set("feedback", 0.8F, 960);
        bench.set("mix", 1.0F, 960);
        const std::vector<float> out = bench.render_channel(2'048);
        Reference reference{frames};
        for (std::size_t n = 0; n < out.size(); ++n) {
            const double part = std::min(1.0, static_cast<double>(n) / 960.0);
            ASSERT_NEAR(out[n], reference.next(noise(0, n), 0.8 * part, part), 5 * 5 * 3 * 0x1p-24) << n;
        }
    }
}

TEST(DelayLineNode, StaysStableAtTheEndsOfItsRange) {
    // A loop with a gain of 0.99 sums a geometric series; interpolation adds at most 0.0015 per round trip.
    const double bound = 0.5 * 1.5 / (1.0 - 0.99 * 1.001'5);
    for (const float feedback : {-0.99F, 0.99F}) {
        for (const double frames :
             {0.0, 0.5, 1.0, 1.001, 1.05, 1.5, 4.6, 11.9, 12.1, 15.9, 16.5, 30.2, 31.5, 64.4, 333.3}) {
            NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(frames)}, {"feedback", feedback}}, noises())};
            (void)bench.render_channel(96'000);
            bench.feed([](auto, auto, auto) { return 0.0F; });
            const std::vector<float> early = bench.render_channel(4'800);
            (void)bench.render_channel(static_cast<std::uint64_t>(400.0 * std::max(frames, 1.0)));
            const std::vector<float> late = bench.render_channel(4'800);
            const auto magnitude = [](const std::vector<float>& samples) {
                double largest = 0.0;
                for (const float sample : samples) largest = std::max(largest, std::fabs(static_cast<double>(sample)));
                return largest;
            };
            EXPECT_LT(magnitude(early), bound) << frames << " frames, feedback " << feedback;
            // 400 round trips later: 0.99^400 is 0.018.
            EXPECT_LT(magnitude(late), 0.1 * magnitude(early)) << frames << " frames, feedback " << feedback;
        }
    }
}

TEST(DelayLineNode, DecaysToExactlyNothing) {
    for (const double frames : {0.0, 3.5, 20.0, 40.5}) {
        NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(frames)}, {"feedback", 0.5F}}, impulse())};
        const std::vector<float> out = bench.render_channel(16'384);
        for (const float sample : out) ASSERT_TRUE(sample == 0.0F || std::fabs(sample) > 1e-38F) << sample;
        EXPECT_EQ(out.back(), 0.0F) << frames;
    }
}

double between(double a, double b, double part) { return a * (1.0 - part) + b * part; }

double delayed(std::size_t frame, std::size_t by) { return frame < by ? 0.0 : noise(0, frame - by); }

TEST(DelayLineNode, CrossFadesFromOneDelayToTheNext) {
    for (const std::uint32_t to : {0U, 5U, 70U, 3'000U}) {
        NodeBench bench{delay_line(), {}, with({{"time_ms", time_ms(400)}}, noises())};
        bench.pass(4'096);
        bench.set("time_ms", time_ms(to), 0);
        const std::vector<float> out = bench.render_channel(2'048);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t n = 4'096 + i;
            const double part = std::min(1.0, static_cast<double>(i) / kFadeFrames);
            ASSERT_NEAR(out[i], between(delayed(n, 400), delayed(n, to), part), 0x1p-23)
                << to << " frames, frame " << i;
        }
        ASSERT_EQ(out.back(), delayed(4'096 + 2'047, to)) << "bit-exact after the crossfade";
    }
}

TEST(DelayLineNode, AChangeDuringAFadeWaitsForItsEndWhereverInABlock) {
    for (const std::uint32_t block_size : {16U, 64U, 256U}) {
        NodeBench::Options options = with({{"time_ms", time_ms(100)}}, noises());
        options.block_size = block_size;
        NodeBench bench{delay_line(), {}, options};
        bench.pass(1'024);
        bench.set("time_ms", time_ms(200), 0);
        std::vector<float> out = bench.render_channel(256);
        bench.set("time_ms", time_ms(250), 0);  // superseded before it takes effect
        const auto more = [&](std::uint64_t frames) {
            const std::vector<float> rest = bench.render_channel(frames);
            out.insert(out.end(), rest.begin(), rest.end());
        };
        more(256);
        bench.set("time_ms", time_ms(300), 0);
        more(3'072 - 512);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t n = 1'024 + i;
            const double part = static_cast<double>(i % kFadeFrames) / kFadeFrames;
            const double exact = i < kFadeFrames       ? between(delayed(n, 100), delayed(n, 200), part)
                                 : i < 2 * kFadeFrames ? between(delayed(n, 200), delayed(n, 300), part)
                                                       : delayed(n, 300);
            ASSERT_NEAR(out[i], exact, 0x1p-23) << "frame " << i << ", blocks of " << block_size;
        }
    }
}

TEST(DelayLineNode, AChangeTakes20MsAtEveryRate) {
    for (const double rate_hz : {8'000.0, 16'000.0, 44'100.0, 48'000.0, 96'000.0, 192'000.0}) {
        for (const std::uint32_t block_size : {16U, 64U, 1'024U}) {
            NodeBench::Options options =
                with({{"time_ms", 10.0F}}, [](auto, auto, std::uint64_t frame) { return frame < 4'096 ? 0.0F : 1.0F; });
            options.sample_rate_hz = rate_hz;
            options.block_size = block_size;
            NodeBench bench{delay_line(), {}, options};
            bench.pass(4'096);
            bench.set("time_ms", 0.0F, 0);
            const std::vector<float> out = bench.render_channel(8'192);
            // Until the old position also reads 1, the output equals the progress of the crossfade.
            const double fade_frames = std::round(0.02 * rate_hz / 16.0) * 16.0;
            for (std::size_t n = 0; n < static_cast<std::size_t>(0.01 * rate_hz); ++n)
                ASSERT_NEAR(out[n], static_cast<double>(n) / fade_frames, 1e-6) << rate_hz << " Hz, frame " << n;
            for (auto n = static_cast<std::size_t>(fade_frames); n < out.size(); ++n) ASSERT_EQ(out[n], 1.0F);
        }
    }
}

TEST(DelayLineNode, SoundsTheSameWhateverTheBlockSizeInTheMiddleOfFades) {
    for (const float feedback : {0.0F, 0.7F}) {
        NodeBench::Recording reference;
        for (const std::uint32_t block_size : {1'024U, 256U, 64U, 16U}) {
            NodeBench::Options options = with({{"time_ms", time_ms(700)}, {"feedback", feedback}}, noises());
            options.block_size = block_size;
            NodeBench bench{delay_line(), {}, options};
            NodeBench::Recording recording = bench.render(2'048);
            for (const double frames : {3.0, 1'000.5, 20.25, 0.0, 5'000.0, 40.0}) {
                bench.set("time_ms", time_ms(frames));
                bench.set("mix", frames > 100.0 ? 0.5F : 1.0F);
                const NodeBench::Recording more = bench.render(1'024);
                recording[0].insert(recording[0].end(), more[0].begin(), more[0].end());
            }
            if (reference.empty()) reference = recording;
            for (std::size_t n = 0; n < recording[0].size(); ++n)
                ASSERT_NEAR(recording[0][n], reference[0][n], 1e-5) << "blocks of " << block_size << ", frame " << n;
        }
    }
}

TEST(DelayLineNode, KeepsItsChannelsApart) {
    NodeBench bench{delay_line(), {{"channels", 3.0}}, with({{"time_ms", time_ms(77)}}, noises())};
    const NodeBench::Recording out = bench.render(1'024);
    ASSERT_EQ(out.size(), 3U);
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
        for (std::size_t n = 77; n < 1'024; ++n) ASSERT_EQ(out[channel][n], noise(channel, n - 77));
    }
}

TEST(DelayLineNode, RefusesATimeThatItHasNoMemoryFor) {
    const auto echo = NodeDescription::make(delay_line(), "echo", {{"max_time_ms", 50.0}});
    ASSERT_TRUE(echo);
    EXPECT_EQ((*echo)->parameter_values({}).value()[0], 50.0F) << "the default is 100 where there is room for it";
    const auto values = (*echo)->parameter_values({{"time_ms", 60.0F}});
    ASSERT_FALSE(values);
    EXPECT_EQ(values.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(values.error().sentence, R"(node "echo": parameter time_ms = 60 is out of range: 0 to 50 ms)");
}

}  // namespace
}  // namespace rta::test::delay_line_test
