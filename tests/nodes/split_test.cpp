// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "support/node_bench.h"

namespace rta::test::split_test {
namespace {

/// A sample that no other port, channel or frame has.
float own_sample(std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
    return static_cast<float>(port * 10'000 + channel * 100) + static_cast<float>(frame) / 64.0F;
}

NodeBench split(double channels) {
    NodeBench::Options options;
    options.signal = own_sample;
    return NodeBench{*builtin_nodes().find("split"), {{"channels", channels}}, options};
}

TEST(Split, EachOutputIsAChannelOfTheInput) {
    for (const std::uint32_t channels : {1U, 2U, 6U, 64U}) {
        NodeBench bench = split(channels);
        const NodeBench::Recording out = bench.render(64);
        ASSERT_EQ(out.size(), channels);
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            for (std::uint32_t frame = 0; frame < 64; ++frame)
                ASSERT_EQ(out[channel][frame], own_sample(0, channel, frame)) << "channel " << channel;
        }
    }
}

TEST(Split, HasOneWideInputAndNumberedMonoOutputs) {
    for (const std::uint32_t channels : {1U, 64U}) {
        const NodeBench bench = split(channels);
        const NodeLayout& layout = bench.layout();
        ASSERT_EQ(layout.inputs.size(), 1U);
        EXPECT_EQ(layout.inputs[0].name, "in");
        EXPECT_EQ(layout.inputs[0].width, channels);
        ASSERT_EQ(layout.outputs.size(), channels);
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            EXPECT_EQ(layout.outputs[channel].name, "out_" + std::to_string(channel + 1));
            EXPECT_EQ(layout.outputs[channel].width, 1U);
        }
        EXPECT_FALSE(layout.has_bypass) << "the node has no `out`";
    }
}

}  // namespace
}  // namespace rta::test::split_test
