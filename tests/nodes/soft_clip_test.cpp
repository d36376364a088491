// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/analysis.h"
#include "support/node_bench.h"

namespace rta::test::soft_clip_test {
namespace {

using test::NodeBench;

constexpr double kRate = 48'000.0;
constexpr std::size_t kCount = 1U << 14U;
constexpr std::uint32_t kLatency = 44;
const double kKnee = std::pow(10.0, -6.0 / 20.0);

/// Sine with an integer number of periods in kCount frames.
NodeBench::Signal tone(std::size_t line, double amplitude) {
    return [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        const double cycles = static_cast<double>(frame * line % kCount) / kCount;
        return static_cast<float>(amplitude * std::sin(2.0 * std::numbers::pi * cycles));
    };
}

std::size_t line_of(double frequency_hz) { return static_cast<std::size_t>(frequency_hz / kRate * kCount) | 1U; }

NodeBench soft_clip(std::map<std::string, float, std::less<>> parameters, const NodeBench::Signal& signal,
                    Settings settings = {}) {
    NodeBench::Options options;
    options.parameters = std::move(parameters);
    options.signal = signal;
    return NodeBench{*builtin_nodes().find("soft_clip"), std::move(settings), options};
}

/// Returns the spectrum of the steady state.
std::vector<std::complex<double>> spectrum_of(NodeBench& bench) {
    bench.pass(1'024);
    const std::vector<float> out = bench.render_channel(kCount);
    std::vector<std::complex<double>> lines(out.begin(), out.end());
    test::fft(lines);
    for (std::complex<double>& line : lines) line *= 2.0 / kCount;
    lines.resize(kCount / 2);
    return lines;
}

double curve(double x) {
    const double magnitude = std::fabs(x);
    if (magnitude <= kKnee) return x;
    const double beyond = magnitude - kKnee;
    return std::copysign(kKnee + beyond / std::hypot(1.0, beyond / (1.0 - kKnee)), x);
}

TEST(SoftClipNode, FollowsItsCurve) {
    // Constant levels, which no filter changes.
    for (const double level : {-20.0, -1.3, -0.6, -0.5, -0.1, 0.0, 0.4, 0.5012, 0.51, 0.7, 1.0, 2.0, 10.0}) {
        NodeBench bench =
            soft_clip({}, [=](std::uint32_t, std::uint32_t, std::uint64_t) { return static_cast<float>(level); });
        bench.pass(256);
        for (const float sample : bench.render_channel(64)) ASSERT_NEAR(sample, curve(level), 2e-6) << level;
    }
}

TEST(SoftClipNode, IsTransparentBelowItsKnee) {
    for (const double frequency_hz : {20.0, 1'000.0, 10'000.0, 18'300.0}) {
        for (const auto& [amplitude, drive_db, gain_db] :
             {std::tuple{0.49, 0.0F, 0.0F}, std::tuple{0.1, 12.0F, 3.0F}, std::tuple{0.01, 24.0F, -10.0F}}) {
            const std::size_t line = line_of(frequency_hz);
            NodeBench bench = soft_clip({{"drive_db", drive_db}, {"gain_db", gain_db}}, tone(line, amplitude));
            const auto lines = spectrum_of(bench);
            EXPECT_NEAR(test::db_from_gain(std::abs(lines[line]) / amplitude), drive_db + gain_db, 0.01)
                << frequency_hz << " Hz";
            double rest = 0.0;
            for (std::size_t i = 0; i < lines.size(); ++i) {
                if (i != line) rest = std::max(rest, std::abs(lines[i]));
            }
            EXPECT_LT(test::db_from_gain(rest / std::abs(lines[line])), -120.0) << frequency_hz << " Hz";
        }
    }
}

TEST(SoftClipNode, IsAsLateAsItSays) {
    const NodeType& type = *builtin_nodes().find("soft_clip");
    const auto description = NodeDescription::make(type, "node", {});
    const auto processor = type.create({kRate, 64, (*description)->settings});
    EXPECT_EQ((*processor)->latency_frames(), kLatency);
    // A pulse within the passband is unchanged.
    const auto pulse = [](std::uint64_t frame) {
        const double time = (static_cast<double>(frame) - 200.0) / 8.0;
        return static_cast<float>(0.4 * std::exp(-time * time));
    };
    NodeBench bench = soft_clip({}, [&](std::uint32_t, std::uint32_t, std::uint64_t frame) { return pulse(frame); });
    const std::vector<float> out = bench.render_channel(1'024);
    for (std::uint64_t frame = 0; frame + kLatency < out.size(); ++frame) {
        ASSERT_NEAR(out[frame + kLatency], pulse(frame), 1e-4) << frame;  // 0.002 dB of ripple
    }
}

/// Returns the strongest line that is no odd harmonic of a tone at full scale, relative to the tone, in dB.
double alias_db(double frequency_hz, float drive_db, double knee_db) {
    const std::size_t line = line_of(frequency_hz);
    NodeBench bench = soft_clip({{"drive_db", drive_db}}, tone(line, 1.0), {{"knee_db", knee_db}});
    const auto lines = spectrum_of(bench);
    double alias = 0.0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i % line != 0 || i / line % 2 == 0) alias = std::max(alias, std::abs(lines[i]));
    }
    return test::db_from_gain(alias / std::abs(lines[line]));
}

TEST(SoftClipNode, HasNoAliasesAtTheEndsOfItsRanges) {
    struct Range {
        float drive_db;
        double bound_db;        ///< up to 9 kHz
        double bound_above_db;  ///< up to 20 kHz
    };
    for (const auto& [drive_db, bound_db, bound_above_db] : {Range{-24.0F, -80.0, -76.0}, Range{0.0F, -80.0, -76.0},
                                                             Range{12.0F, -80.0, -76.0}, Range{24.0F, -70.0, -57.0}}) {
        double worst = -200.0;
        double worst_above = -200.0;
        for (const double knee_db : {-24.0, -6.0, -1.0}) {
            for (const double frequency_hz : {80.0, 440.0, 997.0, 2'500.0, 3'777.0, 5'000.0, 6'100.0, 7'333.0, 8'000.0,
                                              9'000.0, 11'000.0, 13'500.0, 16'000.0, 18'300.0, 20'000.0}) {
                double& highest = frequency_hz <= 9'000.0 ? worst : worst_above;
                highest = std::max(highest, alias_db(frequency_hz, drive_db, knee_db));
                const double bound = frequency_hz <= 9'000.0 ? bound_db : bound_above_db;
                EXPECT_LT(alias_db(frequency_hz, drive_db, knee_db), bound)
                    << frequency_hz << " Hz, drive " << drive_db << " dB, knee " << knee_db << " dB";
            }
        }
        const std::string drive = std::to_string(static_cast<int>(drive_db));
        RecordProperty("alias_db_up_to_9_khz_at_drive_" + drive, std::to_string(worst));
        RecordProperty("alias_db_up_to_20_khz_at_drive_" + drive, std::to_string(worst_above));
    }
}

TEST(SoftClipNode, MakesTheHarmonicsOfItsCurve) {
    const std::size_t line = line_of(1'000.0);
    NodeBench bench = soft_clip({{"drive_db", 12.0F}}, tone(line, 1.0));
    const auto lines = spectrum_of(bench);
    const double drive = std::pow(10.0, 12.0 / 20.0);
    for (std::size_t k = 1; k * 1'000 < 18'000; ++k) {
        constexpr int kPoints = 8'192;
        double expected = 0.0;
        for (int n = 0; n < kPoints; ++n) {
            const double angle = 2.0 * std::numbers::pi * n / kPoints;
            expected += curve(drive * std::sin(angle)) * std::sin(static_cast<double>(k) * angle) * 2.0 / kPoints;
        }
        EXPECT_NEAR(std::abs(lines[k * line]), std::fabs(expected), 1e-4 + 0.001 * std::fabs(expected)) << k;
    }
}

TEST(SoftClipNode, StaysWithinWhatASquareOfFullScaleCanHold) {
    // With high drive a tone becomes a square. Nothing above half the sample rate remains: only the fundamental, whose
    // amplitude is 4/pi.
    for (const std::size_t line : {3UZ, 301UZ, 1'111UZ, 1'707UZ}) {
        NodeBench bench = soft_clip({{"drive_db", 24.0F}}, tone(line, 16.0));
        bench.pass(1'024);
        EXPECT_LT(test::peak(bench.render_channel(4'096)), 4.0 / std::numbers::pi + 0.001) << line;
    }
}

TEST(SoftClipNode, TreatsItsChannelsApart) {
    const auto signal = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        return channel == 1 ? 0.0F : tone(101, channel == 0 ? 0.9 : 0.2)(0, 0, frame);
    };
    NodeBench all = soft_clip({}, signal, {{"channels", 3.0}});
    NodeBench first = soft_clip({}, tone(101, 0.9));
    NodeBench third = soft_clip({}, tone(101, 0.2));
    const NodeBench::Recording recording = all.render(1'024);
    EXPECT_EQ(recording[0], first.render_channel(1'024));
    EXPECT_EQ(recording[1], std::vector<float>(1'024, 0.0F));
    EXPECT_EQ(recording[2], third.render_channel(1'024));
}

}  // namespace
}  // namespace rta::test::soft_clip_test
