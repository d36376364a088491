// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "support/node_bench.h"

namespace rta::test::merge_test {
namespace {

/// A sample that no other port, channel or frame has.
float own_sample(std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
    return static_cast<float>(port * 100 + channel * 10'000) + static_cast<float>(frame) / 64.0F;
}

NodeBench merge(double channels) {
    NodeBench::Options options;
    options.signal = own_sample;
    return NodeBench{*builtin_nodes().find("merge"), {{"channels", channels}}, options};
}

TEST(Merge, EachInputIsAChannelOfTheOutput) {
    for (const std::uint32_t channels : {1U, 2U, 6U, 64U}) {
        NodeBench bench = merge(channels);
        const NodeBench::Recording out = bench.render(64);
        ASSERT_EQ(out.size(), channels);
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            for (std::uint32_t frame = 0; frame < 64; ++frame)
                ASSERT_EQ(out[channel][frame], own_sample(channel, 0, frame)) << "channel " << channel;
        }
    }
}

TEST(Merge, HasNumberedMonoInputsAndOneWideOutput) {
    for (const std::uint32_t channels : {1U, 64U}) {
        const NodeBench bench = merge(channels);
        const NodeLayout& layout = bench.layout();
        ASSERT_EQ(layout.inputs.size(), channels);
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            EXPECT_EQ(layout.inputs[channel].name, "in_" + std::to_string(channel + 1));
            EXPECT_EQ(layout.inputs[channel].width, 1U);
        }
        ASSERT_EQ(layout.outputs.size(), 1U);
        EXPECT_EQ(layout.outputs[0].name, "out");
        EXPECT_EQ(layout.outputs[0].width, channels);
        EXPECT_FALSE(layout.has_bypass) << "the node has no `in`";
    }
}

}  // namespace
}  // namespace rta::test::merge_test
