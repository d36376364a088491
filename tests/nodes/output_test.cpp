// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/audio_buffer.h"
#include "support/node_bench.h"

namespace rta::test::output_test {
namespace {

using test::NodeBench;

float played(std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
    return static_cast<float>(channel + 1) * 0.125F + static_cast<float>(frame % 1'000) * 0x1p-14F;
}

NodeBench output_node(double channels, double first_channel, std::uint32_t device_channels,
                      std::map<std::string, float, std::less<>> parameters = {}) {
    NodeBench::Options options;
    options.device_outputs = device_channels;
    options.parameters = std::move(parameters);
    options.signal = played;
    return NodeBench{
        *builtin_nodes().find("output"), {{"channels", channels}, {"first_channel", first_channel}}, options};
}

TEST(OutputNode, HandsTheSamplesToTheDeviceAsTheyAre) {
    NodeBench bench = output_node(2, 1, 2);
    const NodeBench::Recording recording = bench.render(1'024);
    ASSERT_EQ(recording.size(), 2U);
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::size_t n = 0; n < 1'024; ++n) ASSERT_EQ(recording[channel][n], played(0, channel, n)) << n;
    }
}

TEST(OutputNode, CountsChannelsFromOneAndLeavesTheOthersAlone) {
    NodeBench bench = output_node(2, 3, 6);
    const NodeBench::Recording recording = bench.render(64);
    ASSERT_EQ(recording.size(), 6U);
    for (const std::size_t channel : {0U, 1U, 4U, 5U}) {
        for (const float sample : recording[channel]) ASSERT_EQ(sample, 0.0F) << channel;
    }
    for (std::size_t n = 0; n < 64; ++n) {
        ASSERT_EQ(recording[2][n], played(0, 0, n));
        ASSERT_EQ(recording[3][n], played(0, 1, n));
    }
}

TEST(OutputNode, DropsChannelsThatTheDeviceLacks) {
    NodeBench bench = output_node(3, 2, 2);
    const NodeBench::Recording recording = bench.render(64);
    ASSERT_EQ(recording.size(), 2U);
    for (std::size_t n = 0; n < 64; ++n) {
        ASSERT_EQ(recording[0][n], 0.0F);
        ASSERT_EQ(recording[1][n], played(0, 0, n));
    }
    NodeBench without_device = output_node(3, 2, 0);
    EXPECT_TRUE(without_device.render(64).empty());
}

TEST(OutputNode, AddsToWhatOtherOutputsPlay) {
    const auto type = builtin_nodes().find("output");
    const Settings none;
    const ResolvedSettings settings = ResolvedSettings::resolve(type->settings, none, "out").value();
    const auto processor = type->create({48'000.0, 16, settings}).value();
    AudioBuffer in{1, 16};
    AudioBuffer device{1, 16};
    for (std::size_t n = 0; n < 16; ++n) {
        in.write().channel(0)[n] = 0.25F;
        device.write().channel(0)[n] = 0.5F;
    }
    const AudioReadView input = in.read();
    const ParameterView gain{1.0F, nullptr};
    ProcessContext context;
    context.inputs = {&input, 1};
    context.parameters = {&gain, 1};
    context.frame_count = 16;
    context.device.outputs = device.write();
    context.presence = {1.0F, nullptr};
    processor->process(context);
    processor->process(context);
    for (const float sample : device.read().channel(0)) EXPECT_EQ(sample, 1.0F);
}

TEST(OutputNode, FadesWithItsPresence) {
    NodeBench bench = output_node(1, 1, 1, {{"gain_db", 6.0F}});
    const double gain = std::pow(10.0, 6.0 / 20.0);
    bench.pass(64);
    bench.set_presence(0.0F, 960);
    const std::vector<float> out = bench.render_channel(1'280);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const double presence = 1.0 - std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(out[n], gain * presence * played(0, 0, n + 64), gain * 0x1p-22) << n;
    }
    EXPECT_EQ(out.back(), 0.0F);
    bench.set_presence(1.0F, 960);
    EXPECT_NEAR(bench.render_channel(1'280).back(), gain * played(0, 0, 64 + 2 * 1'280 - 1), gain * 0x1p-22);
}

TEST(OutputNode, RampsItsGainAndFadesAtOnce) {
    NodeBench bench = output_node(1, 1, 1);
    bench.pass(64);
    bench.set("gain_db", -120.0F, 480);
    bench.set_presence(0.0F, 960);
    const std::vector<float> out = bench.render_channel(960);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const double gain = 1.0 - std::min(1.0, static_cast<double>(n) / 480.0);
        const double presence = 1.0 - std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(out[n], gain * presence * played(0, 0, n + 64), 0x1p-22) << n;
    }
}

}  // namespace
}  // namespace rta::test::output_test
