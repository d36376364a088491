// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "support/node_bench.h"

namespace rta::test::mixer_test {
namespace {

using test::NodeBench;

/// Each input and channel carries a different constant, so that sums identify their inputs.
float constant_of(std::uint32_t port, std::uint32_t channel, std::uint64_t) {
    return static_cast<float>(port + 1) + 0.125F * static_cast<float>(channel);
}

NodeBench bench_of(const char* type, Settings settings, std::map<std::string, float, std::less<>> parameters) {
    NodeBench::Options options;
    options.parameters = std::move(parameters);
    options.signal = constant_of;
    return NodeBench{*builtin_nodes().find(type), std::move(settings), options};
}

TEST(MixerNode, SumsItsInputsChannelByChannelWithTheirGains) {
    NodeBench bench = bench_of("mixer", {{"inputs", 5.0}, {"channels", 3.0}},
                               {{"gain_1_db", 6.0F}, {"gain_3_db", -120.0F}, {"mute_4", 1.0F}, {"gain_5_db", -20.0F}});
    const auto recording = bench.render(128);
    ASSERT_EQ(recording.size(), 3U);
    for (std::uint32_t channel = 0; channel < 3; ++channel) {
        const double expected = constant_of(0, channel, 0) * std::pow(10.0, 6.0 / 20.0) + constant_of(1, channel, 0) +
                                constant_of(4, channel, 0) * 0.1;
        for (const float sample : recording[channel]) ASSERT_NEAR(sample, expected, 1e-5);
    }
}

TEST(MixerNode, HasAsManyInputsAndParametersAsItsSettingSays) {
    const NodeBench bench{*builtin_nodes().find("mixer"), {{"inputs", 7.0}}};
    EXPECT_EQ(bench.layout().inputs.size(), 7U);
    EXPECT_EQ(bench.layout().inputs.back().name, "in_7");
    EXPECT_TRUE(bench.layout().find_parameter("gain_7_db"));
    EXPECT_FALSE(bench.layout().find_parameter("gain_8_db"));
}

TEST(MixerNode, MutesWithACrossFade) {
    NodeBench bench = bench_of("mixer", {{"inputs", 2.0}}, {});
    bench.render(64);
    bench.set("mute_2", 1.0F, 640);
    const auto samples = bench.render_channel(768);
    for (std::size_t n = 0; n < samples.size(); ++n) {
        const double faded = n < 640 ? 1.0 - static_cast<double>(n) / 640.0 : 0.0;
        ASSERT_NEAR(samples[n], 1.0 + 2.0 * faded, 1e-5) << n;
    }
}

TEST(MatrixNode, FeedsEachInputToEachOutputWithTheGainOfTheirCrossing) {
    NodeBench bench =
        bench_of("matrix", {{"inputs", 3.0}, {"outputs", 2.0}},
                 {{"gain_1_2_db", 0.0F}, {"gain_2_1_db", -20.0F}, {"gain_3_1_db", 0.0F}, {"gain_3_2_db", 20.0F}});
    const auto recording = bench.render(64);
    ASSERT_EQ(recording.size(), 2U);
    for (const float sample : recording[0]) ASSERT_NEAR(sample, 2.0 * 0.1 + 3.0, 1e-5);
    for (const float sample : recording[1]) ASSERT_NEAR(sample, 1.0 + 30.0, 1e-5);
}

TEST(MatrixNode, RampsTheFirstAndTheLastOfManyParametersTogether) {
    NodeBench bench = bench_of("matrix", {{"inputs", 12.0}, {"outputs", 12.0}}, {});
    bench.pass(64);
    // The parameters 0, 63, 64 and 143.
    for (const char* crossing : {"gain_1_1_db", "gain_6_4_db", "gain_6_5_db", "gain_12_12_db"}) {
        bench.set(crossing, 0.0F, 96);
    }
    const auto recording = bench.render(192);
    for (std::size_t n = 0; n < 192; ++n) {
        const double gain = std::min(1.0, static_cast<double>(n) / 96.0);
        for (std::size_t output = 0; output < 12; ++output) {
            const double input = output == 0 ? 1.0 : output == 11 ? 12.0 : output == 3 || output == 4 ? 6.0 : 0.0;
            ASSERT_NEAR(recording[output][n], gain * input, 1e-5) << "output " << output + 1 << ", frame " << n;
        }
    }
}

TEST(MatrixNode, BeginsSilent) {
    NodeBench bench = bench_of("matrix", {}, {});
    for (const auto& channel : bench.render(64)) {
        for (const float sample : channel) ASSERT_EQ(sample, 0.0F);
    }
}

}  // namespace
}  // namespace rta::test::mixer_test
