// SPDX-License-Identifier: MIT
#include "plan/compiler.h"

#include <gtest/gtest.h>

#include <random>

#include "dsp/audio_buffer.h"
#include "rt/audio_thread.h"
#include "support/graph_builder.h"

namespace rta {
namespace {

using test::GraphBuilder;

GraphBuilder chain(int length) {
    GraphBuilder builder;
    builder.add("sine", "n0");
    for (int i = 1; i < length; ++i) {
        builder.add("gain", "n" + std::to_string(i));
        builder.connect("n" + std::to_string(i - 1), "n" + std::to_string(i));
    }
    return builder;
}

std::vector<float> render(CompiledGraph& plan) {
    AudioThreadGate gate;
    const auto claim = gate.try_claim(gate.start_generation());
    AudioBuffer out{1, 64};
    Crossfade crossfade;
    plan.render(claim.key(), {AudioReadView{}, out.write()}, 0, crossfade, {});
    const auto samples = out.read().channel(0);
    return {samples.begin(), samples.end()};
}

TEST(Compiler, AChainOfAThousandNodesNeedsTwoOrThreeBuffers) {
    const GraphBuilder builder = chain(1000);
    const auto with_one_segment = [&](bool at_unity) {
        CompileRequest request = builder.request(at_unity);
        request.segment_nodes = 1000;
        return (*compile(std::move(request)))->buffer_count();
    };
    EXPECT_LE(with_one_segment(true), 2U);
    EXPECT_LE(with_one_segment(false), 3U) << "while every connection fades";
    EXPECT_LE((*compile(builder.request(true)))->buffer_count(), 4U) << "two of them from segment to segment";
}

TEST(Compiler, AThousandChainsSideBySideNeedOneBufferEachAtTheirSum) {
    GraphBuilder builder;
    builder.add("output", "out");
    for (int i = 0; i < 100; ++i) {
        const std::string n = std::to_string(i);
        builder.add("sine", "s" + n).add("gain", "g" + n).connect("s" + n, "g" + n).connect("g" + n, "out");
    }
    EXPECT_LE((*compile(builder.request()))->buffer_count(), 102U);
}

TEST(Compiler, EveryNodeHasOneStepInAnOrderThatFollowsTheConnections) {
    const GraphBuilder builder = chain(50);
    const auto plan = compile(builder.request());
    ASSERT_TRUE(plan);
    const auto steps = test::steps_of(**plan);
    ASSERT_EQ(steps.size(), 50U);
    for (std::size_t i = 1; i < 50; ++i) EXPECT_LT(steps[i - 1].node->id(), steps[i].node->id());
}

TEST(Compiler, CycleIsRejected) {
    GraphBuilder builder;
    builder.add("gain", "a").add("gain", "b").connect("a", "b").connect("b", "a");
    EXPECT_FALSE(compile(builder.request()));
}

/// Computes the expected output of a graph of constants and gains, without plans, buffers or an order.
class Reference {
 public:
    explicit Reference(const AudioGraph& graph) : graph_{graph} {}

    double value_of(const GraphNode& node) {
        double sum = 0.0;
        for (const IncomingConnection& connection : node.incoming) sum += value_of(*graph_.find(connection.from.node));
        if (node.description->type->name == "constant") return static_cast<double>(node.parameters.at(0));
        return sum;
    }

 private:
    const AudioGraph& graph_;
};

TEST(Compiler, NoSignalIsOverwrittenBeforeItsLastReaderHasRun) {
    std::mt19937 random{3};
    for (int round = 0; round < 300; ++round) {
        GraphBuilder builder;
        const int count = std::uniform_int_distribution{2, 14}(random);
        for (int i = 0; i < count; ++i) {
            const bool source = i == 0 || std::uniform_int_distribution{0, 2}(random) == 0;
            const auto value = static_cast<float>(std::uniform_int_distribution{0, 31}(random)) / 32.0F;
            const std::string name = "n" + std::to_string(i);
            // Some nodes have more than one channel, so that mono signals feed several channels.
            const double channels = std::uniform_int_distribution{1, 4}(random) == 1 ? 2.0 : 1.0;
            if (source) {
                builder.add("constant", name, {}, {{"value", value}});
            } else {
                builder.add("gain", name, {{"channels", channels}});
            }
        }
        builder.add("output", "out", {{"channels", 2.0}});
        for (int i = 0; i < 3 * count; ++i) {
            const int from = std::uniform_int_distribution{0, count - 1}(random);
            const int to = std::uniform_int_distribution{from + 1, count}(random);
            // If the target has no input or the widths differ, connecting fails and this pair stays unconnected.
            (void)builder.graph.connect("n" + std::to_string(from), to == count ? "out" : "n" + std::to_string(to), {});
        }
        for (const bool at_unity : {true, false}) {
            CompileRequest request = builder.request(at_unity);
            request.segment_nodes = std::uniform_int_distribution{1U, 16U}(random);
            auto plan = compile(std::move(request));
            ASSERT_TRUE(plan);
            const double expected = Reference{builder.graph}.value_of(*builder.graph.find("out"));
            // Sums of multiples of 1/32 are exact in float32 far beyond the values in these graphs.
            for (const float sample : render(**plan))
                ASSERT_EQ(static_cast<double>(sample), expected) << "round " << round;
        }
    }
}

}  // namespace
}  // namespace rta
