// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::input_test {
namespace {

using test::NodeBench;

float captured(std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
    return static_cast<float>(channel + 1) * 0.125F + static_cast<float>(frame % 1'000) * 0x1p-14F;
}

NodeBench input_node(double channels, double first_channel, std::uint32_t device_channels,
                     std::map<std::string, float, std::less<>> parameters = {}) {
    NodeBench::Options options;
    options.device_inputs = device_channels;
    options.parameters = std::move(parameters);
    options.device_signal = captured;
    return NodeBench{
        *builtin_nodes().find("input"), {{"channels", channels}, {"first_channel", first_channel}}, options};
}

TEST(InputNode, PassesTheDevicesChannelsOnBitForBit) {
    NodeBench bench = input_node(2, 1, 2);
    const NodeBench::Recording recording = bench.render(1'024);
    ASSERT_EQ(recording.size(), 2U);
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::size_t n = 0; n < 1'024; ++n) {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(recording[channel][n]),
                      std::bit_cast<std::uint32_t>(captured(0, channel, n)));
        }
    }
}

TEST(InputNode, CountsChannelsFromOne) {
    NodeBench bench = input_node(2, 3, 8);
    const NodeBench::Recording recording = bench.render(64);
    EXPECT_EQ(recording[0][10], captured(0, 2, 10));
    EXPECT_EQ(recording[1][10], captured(0, 3, 10));
}

TEST(InputNode, IsSilentOnChannelsThatTheDeviceLacks) {
    for (const std::uint32_t device_channels : {0U, 1U, 3U}) {
        NodeBench bench = input_node(3, 2, device_channels);
        const NodeBench::Recording recording = bench.render(64);
        ASSERT_EQ(recording.size(), 3U);
        for (std::uint32_t channel = 0; channel < 3; ++channel) {
            for (std::size_t n = 0; n < 64; ++n) {
                const bool there = channel + 1 < device_channels;
                ASSERT_EQ(recording[channel][n], there ? captured(0, channel + 1, n) : 0.0F) << channel << ", " << n;
            }
        }
    }
}

TEST(InputNode, ReplacesSamplesThatAreNotNumbersBySilence) {
    for (const float gain_db : {0.0F, -6.0F}) {
        NodeBench bench = input_node(1, 1, 1, {{"gain_db", gain_db}});
        bench.feed([](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
            if (frame == 5) return std::numeric_limits<float>::quiet_NaN();
            if (frame == 6) return std::numeric_limits<float>::infinity();
            if (frame == 7) return -std::numeric_limits<float>::infinity();
            return captured(0, channel, frame);
        });
        const double gain = std::pow(10.0, static_cast<double>(gain_db) / 20.0);
        const std::vector<float> out = bench.render_channel(64);
        for (std::size_t n = 0; n < out.size(); ++n) {
            const bool lost = n >= 5 && n <= 7;
            ASSERT_NEAR(out[n], lost ? 0.0 : gain * captured(0, 0, n), gain * 0x1p-23) << n;
        }
    }
}

TEST(InputNode, RampsItsGain) {
    NodeBench bench = input_node(1, 1, 1);
    bench.pass(64);
    bench.set("gain_db", -120.0F, 960);
    const std::vector<float> out = bench.render_channel(1'280);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const double gain = 1.0 - std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(out[n], gain * captured(0, 0, n + 64), 0x1p-23) << n;
    }
}

}  // namespace
}  // namespace rta::test::input_test
