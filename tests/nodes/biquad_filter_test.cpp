// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/biquad.h"
#include "dsp/filter_names.h"
#include "dsp/ramp.h"
#include "nodes/filter_reference.h"

namespace rta::test::biquad_filter_test {
namespace {

using namespace test;

constexpr std::array kKinds{"lowpass",    "highpass",  "bandpass_skirt", "bandpass_peak", "notch",
                            "allpass",    "peaking",   "low_shelf",      "high_shelf",    "lowpass_1",
                            "highpass_1", "allpass_1", "low_shelf_1",    "high_shelf_1"};

bool has_gain_of(std::string_view kind) { return kind.find("shelf") != std::string_view::npos || kind == "peaking"; }

using Values = std::map<std::string, float, std::less<>>;

const NodeType& type() { return *builtin_nodes().find("biquad_filter"); }

NodeBench filter(std::string_view kind, const Values& values, double sample_rate_hz = 48'000.0,
                 const NodeBench::Signal& signal = impulse, Settings more = {}, std::uint32_t block_size = 64) {
    NodeBench::Options options;
    options.sample_rate_hz = sample_rate_hz;
    options.block_size = block_size;
    options.parameters = values;
    options.signal = signal;
    more.emplace("kind", std::string{kind});
    return NodeBench{type(), std::move(more), options};
}

Values values_of(const FilterPoint& point) {
    return {{"frequency_hz", point.frequency_hz}, {"q", point.q}, {"gain_db", point.gain_db}};
}

/// Compares magnitude (0.01 dB) and phase (0.1 degrees) where the response is above -80 dB.
void expect_cookbook(const std::vector<float>& impulse_response, const CookbookSection& section) {
    int compared = 0;
    for (const double at_hz : frequencies(10.0, 0.49 * section.sample_rate_hz, 40)) {
        const Complex expected = cookbook_response(section, at_hz);
        if (db(std::abs(expected)) < -80.0) continue;
        const Complex ratio = transform(impulse_response, at_hz, section.sample_rate_hz) / expected;
        ASSERT_NEAR(db(std::abs(ratio)), 0.0, 0.01)
            << section.kind << " of " << section.frequency_hz << " Hz at " << at_hz << " Hz";
        ASSERT_NEAR(degrees(std::arg(ratio)), 0.0, 0.1)
            << section.kind << " of " << section.frequency_hz << " Hz at " << at_hz << " Hz";
        ++compared;
    }
    EXPECT_GE(compared, 10);
}

class BiquadFilterKindTest : public testing::TestWithParam<const char*> {};

TEST_P(BiquadFilterKindTest, HasTheCookbooksResponseAtRandomSettings) {
    Dice dice{1};
    for (int i = 0; i < 20; ++i) {
        const double rate = std::array{44'100.0, 48'000.0, 192'000.0}[static_cast<std::size_t>(i) % 3];
        // Rounded to float, like the parameters of the node.
        const auto frequency_hz = static_cast<float>(i == 0 ? 20.0 : dice.by_ratio(20.0, 20'000.0));
        const auto q = static_cast<float>(i == 0 ? 20.0 : dice.by_ratio(0.25, 20.0));
        const auto gain_db = static_cast<float>(dice.between(-24.0, 24.0));
        NodeBench bench = filter(GetParam(), {{"frequency_hz", frequency_hz}, {"q", q}, {"gain_db", gain_db}}, rate);
        const CookbookSection section{GetParam(), frequency_hz, alpha_of_q(frequency_hz, q, rate), gain_db, rate};
        expect_cookbook(bench.render_channel(ringing_frames(cookbook_form(section))), section);
    }
}

TEST_P(BiquadFilterKindTest, TakesBandwidthAndSlopeAsTheCookbookDoes) {
    Dice dice{2};
    const bool has_gain = has_gain_of(GetParam());
    for (int i = 0; i < 8; ++i) {
        const auto frequency_hz = static_cast<float>(dice.by_ratio(50.0, 16'000.0));
        const auto octaves = static_cast<float>(dice.by_ratio(0.1, 6.0));
        const auto slope = static_cast<float>(dice.by_ratio(0.1, 1.0));
        const auto gain_db = static_cast<float>(dice.between(-24.0, 24.0));
        const Values values{{"frequency_hz", frequency_hz},
                            {"bandwidth_octaves", octaves},
                            {"slope", slope},
                            {"gain_db", gain_db},
                            {"q", 0.3F}};
        const double angle = angle_of(frequency_hz, 48'000.0);
        const double sine = std::sin(angle);
        const double widest = sine / (2.0 * 0.05);  // alpha for the minimum Q
        const double a = has_gain ? std::pow(10.0, gain_db / 40.0) : 1.0;
        const auto expect_width = [&](const char* width, double alpha) {
            const CookbookSection section{GetParam(), frequency_hz, std::min(widest, alpha), gain_db};
            NodeBench bench = filter(GetParam(), values, 48'000.0, impulse, {{"width", std::string{width}}});
            expect_cookbook(bench.render_channel(ringing_frames(cookbook_form(section))), section);
        };
        expect_width("bandwidth", sine * std::sinh(std::log(2.0) / 2.0 * octaves * angle / sine));
        expect_width("slope", sine / 2.0 * std::sqrt((a + 1.0 / a) * (1.0 / slope - 1.0) + 2.0));
    }
}

/// Simper's state-variable filter, frame by frame in double with libm. Driven with 1 / Q where he multiplies by 1 / Q;
/// those kinds and the high-pass keep the feed of the first integrator when parameters change.
class Reference {
 public:
    Reference(std::string_view kind, double sample_rate_hz) : kind_{kind}, sample_rate_hz_{sample_rate_hz} {}

    double next(double x, double frequency_hz, double q, double gain_db) {
        const double a = std::pow(10.0, gain_db / 40.0);
        double g = std::tan(std::numbers::pi * std::min(frequency_hz / sample_rate_hz_, 0.495));
        double k = 1.0 / q;
        const bool driven = kind_ == "bandpass_peak" || kind_ == "notch" || kind_ == "allpass" || kind_ == "peaking";
        if (kind_ == "peaking") k /= a;
        const double drive = driven ? k : 1.0;
        if (kind_.ends_with("_1")) k = 2.0;
        if (kind_ == "low_shelf_1") g /= a;
        if (kind_ == "high_shelf_1") g *= a;
        if (kind_ == "low_shelf") g /= std::sqrt(a);
        if (kind_ == "high_shelf") g *= std::sqrt(a);
        const double a1 = 1.0 / (1.0 + g * (g + k));
        if ((driven || kind_ == "highpass") && drive_ != 0.0) ic2_ += (drive - drive_) * x - (k - k_) * ic1_;
        drive_ = drive;
        k_ = k;
        const double v3 = drive * x - ic2_;
        const double v1 = a1 * ic1_ + g * a1 * v3;
        const double v2 = ic2_ + g * a1 * ic1_ + g * g * a1 * v3;
        ic1_ = 2.0 * v1 - ic1_;
        ic2_ = 2.0 * v2 - ic2_;
        if (kind_ == "lowpass") return v2;
        if (kind_ == "highpass") return x - k * v1 - v2;
        if (kind_ == "bandpass_skirt") return v1;
        if (kind_ == "bandpass_peak") return v1;
        if (kind_ == "notch") return x - v1;
        if (kind_ == "allpass") return x - 2.0 * v1;
        if (kind_ == "peaking") return x + (a * a - 1.0) * v1;
        if (kind_ == "low_shelf") return x + k * (a - 1.0) * v1 + (a * a - 1.0) * v2;
        if (kind_ == "high_shelf") return a * a * x + k * (1.0 - a) * a * v1 + (1.0 - a * a) * v2;
        if (kind_ == "lowpass_1") return v1 + v2;
        if (kind_ == "highpass_1") return x - v1 - v2;
        if (kind_ == "allpass_1") return 2.0 * (v1 + v2) - x;
        if (kind_ == "low_shelf_1") return x + (a * a - 1.0) * (v1 + v2);
        return a * a * x + (1.0 - a * a) * (v1 + v2);
    }

 private:
    std::string_view kind_;
    double sample_rate_hz_;
    double ic1_ = 0.0;
    double ic2_ = 0.0;
    double drive_ = 0.0;  ///< of the previous frame
    double k_ = 0.0;
};

/// Power of the difference from the reference, relative to the power of the reference, in dB.
struct Difference {
    double error = 0.0;
    double power = 0.0;
    void add(double sample, double expected) {
        error += (sample - expected) * (sample - expected);
        power += expected * expected;
    }
    [[nodiscard]] double in_db() const { return 10.0 * std::log10(error / power); }
};

// Rounding a coefficient to float changes frequency and Q by a relative 6e-8, and the phase at Q = 100 by at most 200
// times that: -98 dB in the worst case. While sweeping over all settings, the filter is rarely near its resonance.
constexpr double kModulatedErrorDb = -112.0;

TEST_P(BiquadFilterKindTest, FollowsItsParametersFrameByFrame) {
    for_each_target([](std::string_view target) {
        for (const double rate : {48'000.0, 192'000.0}) {
            Dice dice{3};
            dsp::Ramp frequency_hz{1'000.0F, dsp::Ramp::Shape::logarithmic};
            dsp::Ramp q{1.0F, dsp::Ramp::Shape::logarithmic};
            dsp::Ramp gain_db{0.0F};
            NodeBench bench =
                filter(GetParam(), {{"frequency_hz", 1'000.0F}, {"q", 1.0F}, {"gain_db", 0.0F}}, rate, white_noise);
            Reference reference{GetParam(), rate};
            Difference difference;
            std::uint64_t frame = 0;
            for (int leg = 0; leg < 60; ++leg) {
                const auto length = static_cast<std::uint32_t>(dice.by_ratio(100.0, 10'000.0));
                const auto aim = [&](const char* name, dsp::Ramp& ramp, double target_value) {
                    bench.set(name, static_cast<float>(target_value), length);
                    ramp.retarget(static_cast<float>(target_value), frame, length);
                };
                aim("frequency_hz", frequency_hz, dice.by_ratio(5.0, 23'000.0));
                aim("q", q, dice.by_ratio(0.05, 100.0));
                aim("gain_db", gain_db, dice.between(-60.0, 40.0));
                for (const float sample : bench.render_channel(static_cast<std::uint64_t>(dice.between(640, 12'000)))) {
                    difference.add(sample, reference.next(white_noise(0, 0, frame), frequency_hz.value_at(frame),
                                                          q.value_at(frame), gain_db.value_at(frame)));
                    ++frame;
                }
            }
            EXPECT_LT(difference.in_db(), kModulatedErrorDb) << GetParam() << " at " << rate << " Hz, " << target;
        }
    });
}

TEST_P(BiquadFilterKindTest, KeepsItsErrorBelowMinus100DbAt20HzAndQ20) {
    for_each_target([](std::string_view target) {
        for (const double rate : {48'000.0, 192'000.0}) {
            NodeBench bench =
                filter(GetParam(), {{"frequency_hz", 20.0F}, {"q", 20.0F}, {"gain_db", 12.0F}}, rate, white_noise);
            Reference reference{GetParam(), rate};
            Difference difference;
            std::uint64_t frame = 0;
            for (const float sample : bench.render_channel(static_cast<std::uint64_t>(4.0 * rate))) {
                difference.add(sample, reference.next(white_noise(0, 0, frame), 20.0, 20.0, 12.0));
                ++frame;
            }
            EXPECT_LT(difference.in_db(), -100.0) << GetParam() << " at " << rate << " Hz, " << target;
        }
    });
}

/// Corners at both ends of the range at each rate, with the ends of Q and gain.
struct End {
    double rate;
    FilterPoint point;
};

std::vector<End> ends_of(std::string_view kind) {
    std::vector<End> ends;
    const std::vector<float> gains = has_gain_of(kind) ? std::vector{-60.0F, -24.0F, 40.0F} : std::vector{0.0F};
    for (const double rate : {8'000.0, 48'000.0, 192'000.0, 768'000.0}) {
        for (const auto hz :
             {5.0F, 20.0F, 1'000.0F, static_cast<float>(0.25 * rate), static_cast<float>(0.49 * rate)}) {
            for (const float q : {dsp::kLeastQ, 0.707107F, dsp::kGreatestQ}) {
                for (const float gain_db : gains) ends.push_back({rate, {hz, q, gain_db}});
            }
        }
    }
    return ends;
}

std::ostream& operator<<(std::ostream& stream, const End& end) {
    return stream << end.point.frequency_hz << " Hz, Q " << end.point.q << ", " << end.point.gain_db << " dB at "
                  << end.rate << " Hz";
}

/// From the float coefficients that the kernels use.
TEST_P(BiquadFilterKindTest, HasTheCookbooksResponseAtTheEndsOfItsRanges) {
    const auto settings = ResolvedSettings::resolve(type().settings, {{"kind", std::string{GetParam()}}}, "test");
    ASSERT_TRUE(settings);
    for (const End& end : ends_of(GetParam())) {
        const FilterPoint& point = end.point;
        const CookbookSection section{GetParam(), point.frequency_hz, alpha_of_q(point.frequency_hz, point.q, end.rate),
                                      point.gain_db, end.rate};
        std::vector<double> all_hz = frequencies(1.0, 0.495 * end.rate, 40);
        all_hz.push_back(point.frequency_hz);
        for (const double at_hz : all_hz) {
            const Complex expected = cookbook_response(section, at_hz);
            if (db(std::abs(expected)) < -80.0) continue;
            const Complex ratio =
                told_response(type(), *settings, {point.frequency_hz, point.q, point.gain_db, 1.0F, 1.0F}, at_hz, 0,
                              end.rate) /
                expected;
            ASSERT_NEAR(db(std::abs(ratio)), 0.0, 0.01) << GetParam() << ", " << end << ", " << at_hz << " Hz";
            ASSERT_NEAR(degrees(std::arg(ratio)), 0.0, 0.1) << GetParam() << ", " << end << ", " << at_hz << " Hz";
        }
    }
}

/// Runs a section as the node does, but without the table's limit of the frequency.
std::vector<float> rendered(dsp::FilterKind kind, const End& end, std::size_t frames) {
    constexpr std::uint32_t kBlock = 64;
    const dsp::FilterShape shape{.kind = kind};
    dsp::BiquadCascade cascade{{&shape, 1}, 1, end.rate, kBlock};
    const dsp::FilterMotion motion{{end.point.frequency_hz}, {end.point.q}, {end.point.gain_db}};
    AudioBuffer buffer{1, kBlock};
    std::vector<float> out;
    for (std::uint64_t frame = 0; frame < frames; ++frame) {
        buffer.write().channel(0)[frame % kBlock] = white_noise(0, 0, frame);
        if ((frame + 1) % kBlock != 0) continue;
        cascade.process({&motion, 1}, buffer.read(), buffer.write());
        out.insert(out.end(), buffer.read().channel(0).begin(), buffer.read().channel(0).end());
    }
    return out;
}

/// 0.01 dB are an error of -59 dB.
TEST_P(BiquadFilterKindTest, KeepsItsErrorLowAtTheEndsOfItsRanges) {
    for_each_target([](std::string_view target) {
        for (const End& end : ends_of(GetParam())) {
            Reference reference{GetParam(), end.rate};
            Difference difference;
            std::uint64_t frame = 0;
            for (const float sample : rendered(dsp::filter_kind(GetParam()), end, 16'384)) {
                difference.add(sample, reference.next(white_noise(0, 0, frame), end.point.frequency_hz, end.point.q,
                                                      end.point.gain_db));
                ++frame;
            }
            EXPECT_LT(difference.in_db(), -80.0) << GetParam() << ", " << end << ", " << target;
        }
    });
}

/// The integrators add no energy. With noise within -1 to 1, each frame adds at most 2 to the norm of the states, and
/// the states decay within Q periods. The output is at most the states times 1 / Q (20) and the gain (100). A filter that
/// adds energy exceeds every bound within 4,000 blocks.
TEST_P(BiquadFilterKindTest, StaysBoundedWhateverItsParametersJumpTo) {
    const auto specs = NodeBench{type()}.layout().parameters;
    for (const double rate : {8'000.0, 48'000.0, 192'000.0}) {
        for (const char* width : {"q", "bandwidth", "slope"}) {
            Dice dice{4};
            NodeBench bench = filter(GetParam(), {}, rate, white_noise, {{"width", std::string{width}}}, 16);
            for (int block = 0; block < 4'000; ++block) {
                for (const ParameterSpec& spec : specs) {
                    const double chance = dice.between(0.0, 3.0);
                    const double value = chance < 1.0   ? spec.minimum
                                         : chance < 2.0 ? spec.maximum
                                                        : dice.between(spec.minimum, spec.maximum);
                    bench.set(spec.name, static_cast<float>(value), dice.between(0.0, 1.0) < 0.5 ? 0 : 8);
                }
                bench.render_block();
                for (const float sample : bench.output().channel(0)) {
                    ASSERT_TRUE(std::isfinite(sample));
                    ASSERT_LT(std::fabs(sample), 1e6F) << GetParam() << ", block " << block;
                }
            }
        }
    }
}

/// Widening a narrow resonance does not release its stored energy immediately.
TEST_P(BiquadFilterKindTest, IsNeverMuchLouderOnTheMoveThanAtRest) {
    const std::string_view kind = GetParam();
    const std::vector<float> gains = has_gain_of(kind) ? std::vector{-60.0F, -24.0F, 12.0F, 40.0F} : std::vector{0.0F};
    for (const float hz : {100.0F, 1'000.0F, 8'000.0F}) {
        const auto expect_no_burst = [&](const FilterPoint& from, const FilterPoint& to, bool at_any_frequency) {
            for (const auto& [begin, end] : {std::pair{from, to}, std::pair{to, from}}) {
                NodeBench bench = filter(kind, values_of(begin), 48'000.0, sine_of(hz));
                // Ten time constants of Q / (pi f).
                bench.pass(static_cast<std::uint64_t>(9'600.0F + 160'000.0F * begin.q / begin.frequency_hz));
                for (const auto& [name, value] : values_of(end)) bench.set(name, value);
                const double allowed = largest_response(kind, begin, end, hz, at_any_frequency);
                EXPECT_LT(peak_of(bench.render_channel(9'600)), kToneLevel * (3.0 * allowed + 0.01))
                    << kind << ", " << hz << " Hz: " << begin.frequency_hz << " Hz, Q " << begin.q << ", "
                    << begin.gain_db << " dB to " << end.frequency_hz << " Hz, Q " << end.q << ", " << end.gain_db
                    << " dB";
            }
        };
        for (const float gain_db : gains) {
            expect_no_burst({hz, 100.0F, gain_db}, {hz, 0.05F, gain_db}, false);
            expect_no_burst({hz, 40.0F, gain_db}, {hz, 0.25F, gain_db}, false);
            expect_no_burst({hz, 10.0F, gain_db}, {hz, 1.0F, gain_db}, false);
            for (const float q : {0.05F, 0.25F, 0.707107F, 40.0F, 100.0F}) {
                expect_no_burst({hz, q, gain_db}, {hz < 4'000.0F ? 8.0F * hz : hz / 8.0F, q, gain_db}, false);
                // The resonance of a shelf moves with the gain and crosses the tone.
                expect_no_burst({hz, q, gain_db}, {hz, q, std::min(-gain_db, 40.0F)}, true);
            }
        }
    }
}

/// A deep cut stays deep while its gain changes a little: the gain during the ramp is not much more
/// than the larger one at its ends.
TEST(BiquadFilterNode, LetsNothingThroughADeepCutThatChanges) {
    for (const float from_db : {-60.0F, -40.0F, -20.0F}) {
        for (const float hz : {80.0F, 1'000.0F}) {
            NodeBench bench =
                filter("peaking", values_of({hz, 0.707107F, from_db}), 48'000.0, sine_of(static_cast<double>(hz)));
            bench.pass(96'000);
            bench.set("gain_db", from_db + 2.0F);
            const double allowed = std::pow(10.0, (from_db + 2.0) / 20.0);
            EXPECT_LT(peak_of(bench.render_channel(9'600)), kToneLevel * 1.2 * allowed) << from_db << " dB, " << hz;
        }
    }
}

TEST_P(BiquadFilterKindTest, IsTheSameOnEveryTargetWithin1e5) {
    NodeBench::Recording reference;
    for_each_target([&](std::string_view target) {
        NodeBench bench = filter(GetParam(), {{"frequency_hz", 300.0F}, {"q", 4.0F}, {"gain_db", -9.0F}}, 48'000.0,
                                 [](std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
                                     return 0.1F * white_noise(port, channel, frame);
                                 },
                                 {{"channels", 5.0}});
        NodeBench::Recording recording = bench.render(4'096);
        bench.set("frequency_hz", 5'000.0F, 2'000);
        bench.set("gain_db", 12.0F, 1'000);
        const NodeBench::Recording moving = bench.render(4'096);
        recording.insert(recording.end(), moving.begin(), moving.end());
        if (reference.empty()) reference = recording;
        for (std::size_t channel = 0; channel < recording.size(); ++channel) {
            for (std::size_t n = 0; n < recording[channel].size(); ++n) {
                ASSERT_NEAR(recording[channel][n], reference[channel][n], 1e-5) << target << ", " << channel;
            }
        }
    });
}

TEST_P(BiquadFilterKindTest, MovesEachOfManyChannelsLikeASingleOne) {
    const Values values{{"frequency_hz", 300.0F}, {"q", 4.0F}, {"gain_db", -9.0F}};
    const auto move = [](NodeBench& bench) {
        bench.pass(64);
        bench.set("frequency_hz", 5'000.0F, 300);
        bench.set("q", 0.5F, 200);
        bench.set("gain_db", 12.0F, 100);
        return bench.render(512);
    };
    const auto signal = [](std::uint32_t channel_added) {
        return [channel_added](std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
            return white_noise(port, channel + channel_added, frame);
        };
    };
    for_each_target([&](std::string_view target) {
        NodeBench::Recording singles;
        for (std::uint32_t channel = 0; channel < 64; ++channel) {
            NodeBench bench = filter(GetParam(), values, 48'000.0, signal(channel));
            singles.push_back(move(bench).front());
        }
        for (const std::size_t channels : {2UZ, 3UZ, 4UZ, 7UZ, 8UZ, 13UZ, 37UZ, 64UZ}) {
            NodeBench bench =
                filter(GetParam(), values, 48'000.0, signal(0), {{"channels", static_cast<double>(channels)}});
            const NodeBench::Recording recording = move(bench);
            for (std::size_t channel = 0; channel < channels; ++channel) {
                ASSERT_EQ(recording[channel], singles[channel])
                    << target << ", channel " << channel << " of " << channels;
            }
        }
    });
}

TEST_P(BiquadFilterKindTest, TellsTheResponseThatItHas) {
    const auto settings = ResolvedSettings::resolve(type().settings, {{"kind", std::string{GetParam()}}}, "test");
    ASSERT_TRUE(settings);
    for_each_target([&](std::string_view target) {
        for (const double at_hz : frequencies(10.0, 23'000.0, 30)) {
            const Complex expected = cookbook_response({GetParam(), 30.0, alpha_of_q(30.0, 20.0), 9.0}, at_hz);
            const Complex told = told_response(type(), *settings, {30.0F, 20.0F, 9.0F, 1.0F, 1.0F}, at_hz);
            // 40 rounding errors at the resonance; elsewhere a rounding error of the largest term, 8.
            EXPECT_LT(std::abs(told - expected), 1e-5 * std::abs(expected) + 2e-6) << at_hz << " Hz, " << target;
        }
    });
}

TEST_P(BiquadFilterKindTest, FallsSilentAltogether) {
    NodeBench bench =
        filter(GetParam(), {{"frequency_hz", 200.0F}, {"q", 5.0F}, {"gain_db", 6.0F}}, 48'000.0, white_noise);
    bench.render(4'800);
    bench.feed({});
    bench.render(48'000);
    // Denormals would be detected here: only the filter itself flushes them in this program.
    for (const float sample : bench.render_channel(64)) ASSERT_EQ(sample, 0.0F);
}

INSTANTIATE_TEST_SUITE_P(Kinds, BiquadFilterKindTest, testing::ValuesIn(kKinds),
                         [](const auto& test) { return std::string{test.param}; });

TEST(BiquadFilterNode, FollowsTheFormulaUpToItsHighestFrequency) {
    for (const double rate : {8'000.0, 44'100.0, 48'000.0, 192'000.0}) {
        const double highest_hz = 0.49 * rate;
        NodeBench bench = filter("lowpass", {{"frequency_hz", static_cast<float>(highest_hz)}}, rate);
        expect_cookbook(bench.render_channel(1'024),
                        {"lowpass", highest_hz, alpha_of_q(highest_hz, 0.707107, rate), 0.0, rate});
    }
}

TEST(BiquadFilterNode, KeepsItsChannelsApart) {
    NodeBench bench = filter("lowpass", {}, 48'000.0,
                             [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
                                 return channel == 3 ? impulse(0, 0, frame) : 0.0F;
                             },
                             {{"channels", 6.0}});
    NodeBench mono = filter("lowpass", {});
    const auto alone = mono.render_channel(512);
    const auto recording = bench.render(512);
    for (std::size_t channel = 0; channel < 6; ++channel) {
        for (std::size_t n = 0; n < 512; ++n) ASSERT_EQ(recording[channel][n], channel == 3 ? alone[n] : 0.0F);
    }
}

TEST(GainNode, TellsItsResponse) {
    const NodeType& gain = *builtin_nodes().find("gain");
    const auto settings = ResolvedSettings::resolve(gain.settings, {}, "test");
    ASSERT_TRUE(settings);
    EXPECT_NEAR(std::abs(told_response(gain, *settings, {-6.0F, 0.0F, 1.0F}, 1'000.0) + std::pow(10.0, -6.0 / 20.0)),
                0.0, 1e-7);
    EXPECT_EQ(told_response(gain, *settings, {-6.0F, 1.0F, 0.0F}, 1'000.0), 0.0);
}

}  // namespace
}  // namespace rta::test::biquad_filter_test
