// SPDX-License-Identifier: MIT
// Ten minutes of signals that are difficult to limit, measured with an interpolator other than that of the limiter.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::limiter_test {
namespace {

using test::NodeBench;
using Values = std::map<std::string, float, std::less<>>;

constexpr double kRateHz = 48'000.0;
constexpr std::uint32_t kLatency = 144 + 39;  // 3 ms, plus the latency stated in the help

const NodeType& limiter() { return *builtin_nodes().find("limiter"); }

double gain(double db) { return std::pow(10.0, db / 20.0); }
double db(double gain) { return 20.0 * std::log10(gain); }

/// True peak by 16 times oversampling; each sample is interpolated with a centred, Kaiser-windowed sinc.
class Interpolator {
 public:
    Interpolator(int taps, double beta) : taps_{taps} {
        for (int phase = 0; phase < kPhases; ++phase) {
            std::vector<float> factors;
            for (int k = 0; k < taps; ++k) {
                const double t = k + 1 - taps / 2 - static_cast<double>(phase) / kPhases;
                const double u = t / (taps / 2);
                const double window = std::fabs(u) < 1.0 ? std::cyl_bessel_i(0.0, beta * std::sqrt(1.0 - u * u)) /
                                                               std::cyl_bessel_i(0.0, beta)
                                                         : 0.0;
                const double x = std::numbers::pi * t;
                factors.push_back(static_cast<float>(window * (t == 0.0 ? 1.0 : std::sin(x) / x)));
            }
            phases_.push_back(factors);
        }
    }

    /// Returns the highest magnitude, without half of the taps at the beginning and at the end.
    [[nodiscard]] double peak(const std::vector<float>& samples) const {
        constexpr std::size_t kRun = 64;
        Four largest{};
        const auto taps = static_cast<std::size_t>(taps_);
        for (std::size_t first = 0; first + taps + kRun <= samples.size(); first += kRun) {
            for (const std::vector<float>& phase : phases_) {
                for (std::size_t part = 0; part < kRun; part += 32) {
                    const float* const run = samples.data() + first + part;
                    const float* const factors = phase.data();
                    Four a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{};
                    for (std::size_t k = 0; k < taps; ++k) {
                        const float factor = factors[k];
                        const float* const at = run + k;
                        a += factor * load(at);
                        b += factor * load(at + 4);
                        c += factor * load(at + 8);
                        d += factor * load(at + 12);
                        e += factor * load(at + 16);
                        f += factor * load(at + 20);
                        g += factor * load(at + 24);
                        h += factor * load(at + 28);
                    }
                    for (const Four& sums : {a, b, c, d, e, f, g, h}) {
                        const Four magnitudes = sums < 0.0F ? -sums : sums;
                        largest = magnitudes > largest ? magnitudes : largest;
                    }
                }
            }
        }
        return static_cast<double>(std::max({largest[0], largest[1], largest[2], largest[3]}));
    }

    [[nodiscard]] std::size_t overlap() const { return static_cast<std::size_t>(taps_) + 64; }

 private:
    // Written as vectors: sanitizers are built with -O1, which does not vectorize, and check each access.
    using Four = float __attribute__((vector_size(16)));
    [[gnu::always_inline]] static Four load(const float* samples) {
        Four four;
        std::memcpy(&four, samples, sizeof four);
        return four;
    }

    static constexpr int kPhases = 16;
    int taps_;
    std::vector<std::vector<float>> phases_;
};

/// White, -1 to 1.
double noise(std::uint64_t frame) {
    std::uint64_t hash = (frame + 1) * 0x9E37'79B9'7F4A'7C15ULL;
    hash ^= hash >> 29U;
    hash *= 0xBF58'476D'1CE4'E5B9ULL;
    hash ^= hash >> 32U;
    return static_cast<double>(static_cast<std::int32_t>(hash & 0xFFFF'FFFFU)) / 0x1p31;
}

double sine(double cycles) { return std::sin(2.0 * std::numbers::pi * (cycles - std::floor(cycles))); }

using Hostile = double (*)(std::uint64_t);
struct Case {
    const char* name;
    Hostile signal;
};

/// Signals of one minute each. All of them are measured with an interpolator of the usual length, some parts with a
/// long one.
constexpr std::array kHostile{
    Case{"WhiteNoise", [](std::uint64_t n) { return 8.0 * noise(n); }},
    Case{"NoiseBursts", [](std::uint64_t n) { return (n / 3'001 % 2 == 0 ? 0.05 : 16.0) * noise(n); }},
    Case{"ShortNoiseBursts", [](std::uint64_t n) { return (n % 701 < 20 ? 10.0 : 0.1) * noise(n); }},
    Case{"RandomSquare", [](std::uint64_t n) { return noise(n) > 0.0 ? 2.0 : -2.0; }},
    Case{"SquareOfGlidingPitch",
         [](std::uint64_t n) {
             const double t = static_cast<double>(n) / kRateHz;
             return sine(50.0 * t + 60.0 * t * t) > 0.0 ? 3.0 : -3.0;
         }},
    Case{"QuarterRateInWorstPhase",
         [](std::uint64_t n) {
             const double level = n / 997 % 3 == 0 ? 4.0 : 0.3;
             return level * sine(static_cast<double>(n % 4) / 4.0 + 0.125);
         }},
    Case{"NearAQuarterOfTheRate",
         [](std::uint64_t n) {
             // A tone that passes slowly through all phases, with steps of the level.
             return (n % 20'000 < 11'000 ? 2.5 : 0.9) * sine(static_cast<double>(n) * 0.250'003);
         }},
    Case{"GlidingTones",
         [](std::uint64_t n) {
             const double t = static_cast<double>(n) / kRateHz;
             return 1.5 * sine(100.0 * t + 180.0 * t * t) + 1.5 * sine(20'000.0 * t - 150.0 * t * t);
         }},
    Case{"StepsAndClicks",
         [](std::uint64_t n) {
             const double step = 2.5 * noise(n / 777);
             return n % 1'009 < 2 ? (n % 2 == 0 ? 30.0 : -30.0) : step;
         }},
    Case{"LoudTonesWithNoise",
         [](std::uint64_t n) {
             const double t = static_cast<double>(n) / kRateHz;
             return 4.0 * sine(60.0 * t) + 2.0 * sine(997.0 * t) * (n / 9'000 % 2 == 0 ? 1.0 : 0.1) + 0.5 * noise(n);
         }},
};

void PrintTo(const Case& hostile, std::ostream* stream) { *stream << hostile.name; }

class HostileTest : public testing::TestWithParam<Case> {};

/// Compares samples and true peaks over a minute with the ceiling of -1 dB.
TEST_P(HostileTest, StaysBelowItsCeilingBetweenSamplesToo) {
    constexpr std::uint64_t kSeconds = 60;
    constexpr double kCeilingDb = -1.0;
    const auto ceiling = static_cast<float>(gain(kCeilingDb));
    NodeBench::Options options;
    options.block_size = 1'024;
    options.parameters = {{"ceiling_db", static_cast<float>(kCeilingDb)}, {"release_ms", 60.0F}};
    options.signal = [hostile = GetParam().signal](std::uint64_t frame) { return static_cast<float>(hostile(frame)); };
    NodeBench bench{limiter(), {}, options};

    const Interpolator usual{48, 8.0};
    const Interpolator long_one{256, 9.0};
    std::vector<float> usual_part;
    std::vector<float> long_part;
    double usual_peak = 0.0;
    double long_peak = 0.0;
    for (std::uint64_t second = 0; second < kSeconds; ++second) {
        const std::vector<float> out = bench.render_channel(48'128);
        bool below = true;
        for (const float sample : out) below = below && std::fabs(sample) <= ceiling;
        ASSERT_TRUE(below) << "in second " << second;
        const auto measure = [&](const Interpolator& interpolator, std::vector<float>& part, double& peak) {
            part.insert(part.end(), out.begin(), out.end());
            peak = std::max(peak, interpolator.peak(part));
            part.erase(part.begin(), part.end() - static_cast<std::ptrdiff_t>(interpolator.overlap()));
        };
        measure(usual, usual_part, usual_peak);
        if (second % 10 != 0) continue;
        measure(long_one, long_part, long_peak);
        long_part.clear();  // the next part is at another position
    }
    EXPECT_LE(db(usual_peak), kCeilingDb + 0.1);
    EXPECT_LE(db(long_peak), kCeilingDb + 0.1);
    EXPECT_GE(db(usual_peak), kCeilingDb - 3.0) << "limited, not just quiet";
    RecordProperty("usual_peak_db", std::to_string(db(usual_peak)));
    RecordProperty("long_peak_db", std::to_string(db(long_peak)));
}

INSTANTIATE_TEST_SUITE_P(LimiterNode, HostileTest, testing::ValuesIn(kHostile),
                         [](const auto& test) { return std::string{test.param.name}; });

NodeBench::Options with(const Values& parameters, const NodeBench::Signal& signal) {
    NodeBench::Options options;
    options.parameters = parameters;
    options.signal = signal;
    return options;
}

NodeBench::Signal tone(double frequency_hz, double level) {
    return [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return static_cast<float>(level * sine(frequency_hz * static_cast<double>(frame) / kRateHz));
    };
}

TEST(LimiterNode, IsADelayBitForBitBelowItsCeiling) {
    for (const float ceiling_db : {-12.0F, -1.0F, 0.0F}) {
        const auto signal = [=](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
            const double t = static_cast<double>(frame) / kRateHz;
            // Without a corner at the start, whose content near half the sample rate would count.
            const double fade = std::min(1.0, static_cast<double>(frame) / 480.0);
            return static_cast<float>(fade * gain(static_cast<double>(ceiling_db) - 0.05) *
                                      (0.6 * sine(997.0 * t) + 0.4 * sine((5'000.0 + channel) * t)));
        };
        NodeBench bench{limiter(), {{"channels", 2.0}}, with({{"ceiling_db", ceiling_db}}, signal)};
        const NodeBench::Recording out = bench.render(48'000);
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
            for (std::size_t n = 0; n < out[channel].size(); ++n) {
                ASSERT_EQ(out[channel][n], n < kLatency ? 0.0F : signal(0, channel, n - kLatency)) << n;
            }
        }
    }
}

TEST(LimiterNode, DeclaresItsLatency) {
    for (const double look_ahead_ms : {0.5, 3.0, 20.0}) {
        const ResolvedSettings settings =
            ResolvedSettings::resolve(limiter().settings, {{"look_ahead_ms", look_ahead_ms}}, "node").value();
        EXPECT_EQ(limiter().create({kRateHz, 64, settings}).value()->latency_frames(),
                  static_cast<std::uint32_t>(look_ahead_ms * 48.0) + 39U);
    }
}

TEST(LimiterNode, BringsALoudToneToItsCeiling) {
    for (const double frequency_hz : {997.0, 5'000.0, 12'000.0, 17'000.0, 19'201.0, 20'163.0, 21'101.0}) {
        NodeBench bench{limiter(), {}, with({{"ceiling_db", -3.0F}}, tone(frequency_hz, 4.0))};
        bench.pass(9'600);
        EXPECT_NEAR(db(Interpolator(256, 9.0).peak(bench.render_channel(9'600))), -3.0, 0.1) << frequency_hz;
    }
}

/// A signal near half the sample rate. Between samples with alternating signs that change sign at intervals, the signal is
/// the higher the longer they alternate.
struct Pattern {
    const char* name;
    double (*signal)(std::uint64_t);
};
constexpr std::array kPatterns{
    Pattern{"alternating signs, turned every 7 frames",
            [](std::uint64_t n) { return (n + n / 7) % 2 == 0 ? 2.0 : -2.0; }},
    Pattern{"alternating signs, turned every 33 frames",
            [](std::uint64_t n) { return (n + n / 33) % 2 == 0 ? 2.0 : -2.0; }},
    Pattern{"alternating signs, turned every 101 frames",
            [](std::uint64_t n) { return (n + n / 101) % 2 == 0 ? 2.0 : -2.0; }},
    Pattern{"alternating signs, turned every 1000 frames",
            [](std::uint64_t n) { return (n + n / 1'000) % 2 == 0 ? 2.0 : -2.0; }},
    Pattern{"bursts of alternating signs",
            [](std::uint64_t n) { return n % 2'048 > 1'023                ? 0.0
                                         : (n + n % 2'048 / 512) % 2 == 0 ? 2.0
                                                                          : -2.0; }},
    Pattern{"a gated tone just below half the rate",
            [](std::uint64_t n) { return (n % 5'000 < 2'500 ? 4.0 : 0.1) * sine(0.499'9 * static_cast<double>(n)); }},
    Pattern{"random bits", [](std::uint64_t n) { return noise(n) > 0.0 ? 2.0 : -2.0; }},
    Pattern{"white noise", [](std::uint64_t n) { return 8.0 * noise(n); }},
};

std::vector<float> limited(const std::vector<float>& samples, double ceiling_db) {
    const auto signal = [&](std::uint32_t, std::uint32_t, std::uint64_t frame) { return samples.at(frame); };
    NodeBench bench{limiter(), {}, with({{"ceiling_db", static_cast<float>(ceiling_db)}}, signal)};
    return bench.render_channel(samples.size());
}

constexpr std::size_t kPatternFrames = 24'576;

TEST(LimiterNode, HoldsItsCeilingOnPatternsNearHalfTheRate) {
    // An interpolator that is sixteen times as long as that of the limiter: flat up to 0.49 of the sample rate.
    const Interpolator interpolator{1'024, 12.0};
    double highest = -100.0;
    for (const Pattern& pattern : kPatterns) {
        std::vector<float> samples;
        for (std::uint64_t n = 0; n < kPatternFrames; ++n) samples.push_back(static_cast<float>(pattern.signal(n)));
        const double over_db = db(interpolator.peak(limited(samples, -1.0))) + 1.0;
        EXPECT_LT(over_db, 0.05) << pattern.name;
        highest = std::max(highest, over_db);
    }
    RecordProperty("highest_over_ceiling_db", std::to_string(highest));
}

TEST(LimiterNode, HoldsItsCeilingUpTo45HundredthsOfTheRate) {
    // The same patterns through a sharp low-pass: every interpolator that is flat up to 0.45 of the sample rate reads the
    // same peaks.
    std::vector<double> low_pass;
    constexpr int kHalf = 800;
    constexpr double kCutoff = 0.4477;  // (100 - 8) / (28.7 * 800) wide, up to 0.45
    constexpr double kBeta = 0.1102 * (100.0 - 8.7);
    for (int k = -kHalf; k <= kHalf; ++k) {
        const double u = static_cast<double>(k) / (kHalf + 1);
        const double x = 2.0 * std::numbers::pi * kCutoff * k;
        low_pass.push_back(2.0 * kCutoff * std::cyl_bessel_i(0.0, kBeta * std::sqrt(1.0 - u * u)) /
                           std::cyl_bessel_i(0.0, kBeta) * (k == 0 ? 1.0 : std::sin(x) / x));
    }
    const Interpolator interpolator{1'024, 12.0};
    double highest = -100.0;
    for (const Pattern& pattern : kPatterns) {
        std::vector<double> raw;
        for (std::uint64_t n = 0; n < kPatternFrames + low_pass.size(); ++n) raw.push_back(pattern.signal(n));
        std::vector<float> samples;
        for (std::size_t n = 0; n < kPatternFrames; ++n) {
            double sum = 0.0;
            for (std::size_t k = 0; k < low_pass.size(); ++k) sum += low_pass[k] * raw[n + k];
            samples.push_back(static_cast<float>(sum));
        }
        const double over_db = db(interpolator.peak(limited(samples, -1.0))) + 1.0;
        EXPECT_LT(over_db, 0.05) << pattern.name;
        EXPECT_GT(over_db, -4.0) << pattern.name << ": limited, not just quiet";
        highest = std::max(highest, over_db);
    }
    RecordProperty("highest_over_ceiling_db", std::to_string(highest));
}

TEST(LimiterNode, ReleasesWithItsTimeConstantAndComesBackToTheBit) {
    // A burst, then a quiet tone that shows the gain.
    const auto signal = [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return frame >= 4'800 && frame < 9'600 ? 2.0F : 0.25F;
    };
    for (const float release_ms : {20.0F, 100.0F, 400.0F}) {
        NodeBench bench{limiter(), {}, with({{"ceiling_db", 0.0F}, {"release_ms", release_ms}}, signal)};
        const std::vector<float> out = bench.render_channel(480'000);
        // Once the gain is rising, the reduction decays by 1/e in the release time.
        const std::size_t begin = 9'600 + 2 * kLatency + 64;
        const auto left = [&](std::size_t frame) { return 1.0 - static_cast<double>(out[frame]) * 4.0; };
        const auto frames = static_cast<std::size_t>(release_ms * 48.0F);
        EXPECT_NEAR(left(begin + frames) / left(begin), std::exp(-1.0), 1e-4) << release_ms;
        EXPECT_EQ(out.back(), 0.25F);
        EXPECT_NEAR(out[9'599], 1.0, 1e-6) << "the burst at the ceiling";
    }
}

TEST(LimiterNode, KeepsTheImageOfItsChannels) {
    const auto signal = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        return static_cast<float>((channel == 0 ? 3.0 : 0.5) * sine(440.0 * static_cast<double>(frame) / kRateHz));
    };
    NodeBench bench{limiter(), {{"channels", 2.0}}, with({}, signal)};
    const NodeBench::Recording out = bench.render(9'600);
    for (std::size_t n = kLatency; n < out[0].size(); ++n) ASSERT_NEAR(out[0][n], 6.0F * out[1][n], 1e-6) << n;
}

TEST(LimiterNode, FollowsARampOfItsCeiling) {
    NodeBench bench{limiter(), {}, with({{"ceiling_db", 0.0F}, {"release_ms", 10.0F}}, tone(997.0, 2.0))};
    bench.pass(9'600);
    bench.set("ceiling_db", -20.0F, 960);
    const std::vector<float> out = bench.render_channel(9'600);
    for (std::size_t n = 960 + kLatency; n < out.size(); ++n) ASSERT_LE(std::fabs(out[n]), 0.1F) << n;
    double highest = 0.0;
    for (std::size_t n = 4'800; n < out.size(); ++n)
        highest = std::max(highest, std::fabs(static_cast<double>(out[n])));
    EXPECT_NEAR(db(highest), -20.0, 0.1);
}

TEST(LimiterNode, StaysAtItsCeilingHoweverLoudTheSoundIs) {
    for (const double look_ahead_ms : {0.5, 3.0, 20.0}) {
        for (const float ceiling_db : {-60.0F, -1.0F, 0.0F}) {
            const auto ceiling = static_cast<float>(gain(static_cast<double>(ceiling_db)));
            for (const double level : {1e3, 1e6, 1e9, 3e9, 1e15, 1e20, 1e30, 3.4e38}) {
                for (const double frequency_hz : {0.0, 997.0, 5'000.0}) {
                    const auto signal = [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
                        // A short burst, then 20 dB below the ceiling.
                        const double now = frame >= 4'800 && frame < 9'600 ? level : 0.1 * static_cast<double>(ceiling);
                        return static_cast<float>(now *
                                                  sine(frequency_hz * static_cast<double>(frame) / kRateHz + 0.25));
                    };
                    NodeBench bench{limiter(),
                                    {{"look_ahead_ms", look_ahead_ms}},
                                    with({{"ceiling_db", ceiling_db}, {"release_ms", 5.0F}}, signal)};
                    const std::vector<float> out = bench.render_channel(48'000);
                    const std::string what = std::to_string(level) + " at " + std::to_string(frequency_hz) + " Hz, " +
                                             std::to_string(look_ahead_ms) + " ms ahead, ceiling " +
                                             std::to_string(ceiling_db);
                    for (const float sample : out) ASSERT_LE(std::fabs(sample), ceiling * 1.000'001F) << what;
                    const auto loudest = [&](std::size_t begin, std::size_t end) {
                        float largest = 0.0F;
                        for (std::size_t n = begin; n < end; ++n) largest = std::max(largest, std::fabs(out[n]));
                        return db(static_cast<double>(largest / ceiling));
                    };
                    EXPECT_NEAR(loudest(6'400, 9'600), 0.0, 0.1) << what;
                    EXPECT_NEAR(loudest(43'200, 48'000), -20.0, 0.1) << what;
                }
            }
        }
    }
}

}  // namespace
}  // namespace rta::test::limiter_test
