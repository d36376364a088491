// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::impulse_test {
namespace {

using test::NodeBench;

const NodeType& impulse() { return *builtin_nodes().find("impulse"); }

void expect_one_impulse(const NodeBench::Recording& recording, float height) {
    ASSERT_EQ(recording.size(), 1U);
    EXPECT_EQ(recording[0][0], height);
    for (std::size_t n = 1; n < recording[0].size(); ++n) ASSERT_EQ(recording[0][n], 0.0F) << n;
}

TEST(ImpulseNode, IsOneInTheFirstFrameAndSilenceForEver) {
    NodeBench bench{impulse()};
    expect_one_impulse(bench.render(1'024), 1.0F);
}

TEST(ImpulseNode, HasTheLevelAskedFor) {
    NodeBench::Options options;
    options.parameters = {{"gain_db", -40.0F}};
    NodeBench bench{impulse(), {}, options};
    expect_one_impulse(bench.render(256), 0.01F);
}

TEST(ImpulseNode, TakesTheLevelOfItsFrameFromARamp) {
    NodeBench bench{impulse()};
    bench.set("gain_db", -120.0F, 960);
    expect_one_impulse(bench.render(1'024), 1.0F);
}

}  // namespace
}  // namespace rta::test::impulse_test
