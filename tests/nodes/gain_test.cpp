// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::gain_test {
namespace {

using test::NodeBench;

/// Returns a sample with 24 significant bits that differs from channel to channel and from frame to frame.
float sample_at(std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
    const auto value = static_cast<std::int32_t>((frame * 2'654'435'761ULL + channel * 40'503ULL) & 0xFF'FFFFU);
    return static_cast<float>(value - 0x80'0000) / 0x1p23F;
}

NodeBench gain_node(std::map<std::string, float, std::less<>> parameters, std::uint32_t channels = 1,
                    bool in_place = false) {
    NodeBench::Options options;
    options.parameters = std::move(parameters);
    options.in_place = in_place;
    options.signal = sample_at;
    return NodeBench{*builtin_nodes().find("gain"), {{"channels", static_cast<double>(channels)}}, options};
}

/// Expects every sample to be the input times the factor of its frame. `tolerance` is relative to a factor of 1.
template <class Factor>
void expect_factor(const NodeBench::Recording& recording, std::uint64_t first_frame, const Factor& factor,
                   double tolerance) {
    for (std::uint32_t channel = 0; channel < recording.size(); ++channel) {
        for (std::size_t n = 0; n < recording[channel].size(); ++n) {
            const double in = static_cast<double>(sample_at(0, channel, first_frame + n));
            ASSERT_NEAR(recording[channel][n], in * factor(n), tolerance) << "channel " << channel << ", frame " << n;
        }
    }
}

TEST(GainNode, IsBitExactAtZeroDb) {
    for (const bool in_place : {false, true}) {
        NodeBench bench = gain_node({}, 3, in_place);
        const NodeBench::Recording recording = bench.render(1'024);
        ASSERT_EQ(recording.size(), 3U);
        for (std::uint32_t channel = 0; channel < 3; ++channel) {
            for (std::size_t n = 0; n < 1'024; ++n) {
                ASSERT_EQ(std::bit_cast<std::uint32_t>(recording[channel][n]),
                          std::bit_cast<std::uint32_t>(sample_at(0, channel, n)));
            }
        }
    }
}

TEST(GainNode, MultipliesByItsGain) {
    for (const float gain_db : {-119.0F, -60.0F, -6.0F, 0.1F, 24.0F}) {
        NodeBench bench = gain_node({{"gain_db", gain_db}}, 2);
        const double factor = std::pow(10.0, static_cast<double>(gain_db) / 20.0);
        // Two float rounding errors: the factor and the product.
        expect_factor(bench.render(256), 0, [&](std::size_t) { return factor; }, factor * 0x1p-23);
    }
}

TEST(GainNode, IsSilentAtMinus120DbAndWhenMuted) {
    for (const auto& parameters : {std::map<std::string, float, std::less<>>{{"gain_db", -120.0F}},
                                   std::map<std::string, float, std::less<>>{{"gain_db", 12.0F}, {"mute", 1.0F}}}) {
        NodeBench bench = gain_node(parameters);
        for (const float sample : bench.render_channel(256)) ASSERT_EQ(sample, 0.0F);
    }
}

TEST(GainNode, InvertsExactly) {
    NodeBench bench = gain_node({{"invert", 1.0F}});
    expect_factor(bench.render(256), 0, [](std::size_t) { return -1.0; }, 0.0);
}

TEST(GainNode, RampsItsGainInEqualSteps) {
    NodeBench bench = gain_node({{"gain_db", -120.0F}}, 2);
    bench.pass(64);
    bench.set("gain_db", 0.0F, 960);
    expect_factor(
        bench.render(1'280), 64, [](std::size_t n) { return std::min(1.0, static_cast<double>(n) / 960.0); }, 0x1p-23);
}

TEST(GainNode, MutesAndUnmutesWithAFade) {
    NodeBench bench = gain_node({});
    bench.pass(64);
    bench.set("mute", 1.0F, 960);
    const auto out = [](std::size_t n) { return 1.0 - std::min(1.0, static_cast<double>(n) / 960.0); };
    expect_factor(bench.render(1'280), 64, out, 0x1p-22);
    bench.set("mute", 0.0F, 960);
    expect_factor(bench.render(1'280), 64 + 1'280, [&](std::size_t n) { return 1.0 - out(n); }, 0x1p-22);
}

TEST(GainNode, InvertsThroughSilence) {
    NodeBench bench = gain_node({});
    bench.pass(64);
    bench.set("invert", 1.0F, 960);
    expect_factor(
        bench.render(1'280), 64,
        [](std::size_t n) { return 1.0 - 2.0 * std::min(1.0, static_cast<double>(n) / 960.0); }, 0x1p-22);
}

TEST(GainNode, CombinesAllThreeWhileOneMoves) {
    NodeBench bench = gain_node({{"gain_db", 6.0F}, {"invert", 1.0F}});
    const double gain = std::pow(10.0, 6.0 / 20.0);
    bench.pass(64);
    bench.set("mute", 1.0F, 480);
    expect_factor(
        bench.render(960), 64,
        [&](std::size_t n) { return -gain * (1.0 - std::min(1.0, static_cast<double>(n) / 480.0)); }, 0x1p-21);
}

}  // namespace
}  // namespace rta::test::gain_test
