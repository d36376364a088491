// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::constant_test {
namespace {

using test::NodeBench;

const NodeType& constant() { return *builtin_nodes().find("constant"); }

TEST(ConstantNode, IsZeroByDefault) {
    NodeBench bench{constant()};
    const NodeBench::Recording recording = bench.render(256);
    ASSERT_EQ(recording.size(), 1U);
    for (const float sample : recording[0]) ASSERT_EQ(sample, 0.0F);
}

TEST(ConstantNode, IsItsValueInEverySample) {
    for (const float value : {-1.0F, 0.3F, 1.0F}) {
        NodeBench::Options options;
        options.parameters = {{"value", value}};
        NodeBench bench{constant(), {}, options};
        for (const float sample : bench.render_channel(256)) ASSERT_EQ(sample, value);
    }
}

TEST(ConstantNode, MovesInEqualSteps) {
    NodeBench bench{constant()};
    bench.pass(64);
    bench.set("value", -0.5F, 960);
    const std::vector<float> out = bench.render_channel(1'280);
    for (std::size_t n = 0; n < out.size(); ++n) {
        ASSERT_NEAR(out[n], -0.5 * std::min(1.0, static_cast<double>(n) / 960.0), 0x1p-24) << n;
    }
}

}  // namespace
}  // namespace rta::test::constant_test
