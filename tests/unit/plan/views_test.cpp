// SPDX-License-Identifier: MIT
// Nodes that forward channels, such as split and merge: what the plan shares, and what it must not share.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "dsp/audio_buffer.h"
#include "plan/compiler.h"
#include "rt/audio_thread.h"
#include "support/graph_builder.h"

namespace rta::views_test {
namespace {

using test::GraphBuilder;

using Samples = std::vector<std::vector<float>>;  ///< of each channel of the device

Samples render(CompiledGraph& plan, std::uint32_t channels, int blocks = 1) {
    AudioThreadGate gate;
    const auto claim = gate.try_claim(gate.start_generation());
    AudioBuffer out{channels, 64};
    Crossfade crossfade;
    Samples samples(channels);
    for (int block = 0; block < blocks; ++block) {
        out.clear();
        plan.render(claim.key(), {AudioReadView{}, out.write()}, 64U * static_cast<unsigned>(block), crossfade, {});
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            const auto block_samples = out.read().channel(channel);
            samples[channel].insert(samples[channel].end(), block_samples.begin(), block_samples.end());
        }
    }
    return samples;
}

/// Returns the first sample of each channel; all samples of a channel must be equal.
std::vector<float> constants(CompiledGraph& plan, std::uint32_t channels) {
    std::vector<float> values;
    for (const std::vector<float>& channel : render(plan, channels)) {
        EXPECT_EQ(std::ranges::count(channel, channel.front()), std::ssize(channel));
        values.push_back(channel.front());
    }
    return values;
}

std::vector<std::string> names_of_steps(const CompiledGraph& plan) {
    std::vector<std::string> names;
    for (const CompiledGraph::Step& step : test::steps_of(plan)) names.push_back(step.node->description().name);
    std::ranges::sort(names);
    return names;
}

std::string port(const std::string& node, const char* name, int number) {
    return node + ":" + name + "_" + std::to_string(number);
}

using Names = std::vector<std::string>;

/// Two constants of different value, merged.
GraphBuilder pair() {
    GraphBuilder builder;
    builder.add("constant", "left", {}, {{"value", 0.25F}}).add("constant", "right", {}, {{"value", 0.5F}});
    builder.add("merge", "pair", {{"channels", 2.0}}).connect("left", "pair:in_1").connect("right", "pair:in_2");
    return builder;
}

TEST(Views, SplitAndMergeOf64ChannelsHaveNoStepAndNoBuffers) {
    GraphBuilder builder;
    builder.add("noise", "source", {{"channels", 64.0}}).add("split", "split", {{"channels", 64.0}});
    builder.add("merge", "merge", {{"channels", 64.0}}).add("output", "out", {{"channels", 64.0}});
    builder.connect("source", "split").connect("merge", "out");
    for (int i = 1; i <= 64; ++i) builder.connect(port("split", "out", i), port("merge", "in", 65 - i));
    const auto plan = compile(builder.request());
    ASSERT_TRUE(plan);
    EXPECT_EQ(names_of_steps(**plan), (Names{"out", "source"}));
    EXPECT_EQ((*plan)->buffer_count(), 64U);

    GraphBuilder straight;
    straight.add("noise", "source", {{"channels", 64.0}}).add("output", "out", {{"channels", 64.0}});
    straight.connect("source", "out");
    Samples expected = render(**compile(straight.request()), 64);
    std::ranges::reverse(expected);
    EXPECT_EQ(render(**plan, 64), expected);
}

TEST(Views, AChainOfSplitsAndMergesHasNoSteps) {
    GraphBuilder builder = pair();
    std::string before = "pair";
    for (int i = 0; i < 50; ++i) {
        const std::string n = std::to_string(i);
        builder.add("split", "s" + n, {{"channels", 2.0}}).add("merge", "m" + n, {{"channels", 2.0}});
        builder.connect(before, "s" + n).connect("s" + n + ":out_1", "m" + n + ":in_2");
        builder.connect("s" + n + ":out_2", "m" + n + ":in_1");
        before = "m" + n;
    }
    builder.add("output", "out", {{"channels", 2.0}}).connect(before, "out");
    const auto plan = compile(builder.request());
    EXPECT_EQ(names_of_steps(**plan), (Names{"left", "out", "right"}));
    EXPECT_EQ((*plan)->buffer_count(), 2U);
    EXPECT_EQ(constants(**plan, 2), (std::vector{0.25F, 0.5F}));
}

TEST(Views, AnInPlaceNodeBehindASplitOverwritesNoSignalThatIsReadElsewhere) {
    GraphBuilder builder = pair();
    builder.add("split", "split", {{"channels", 2.0}}).add("gain", "gain", {}, {{"invert", 1.0F}});
    builder.add("output", "out", {{"channels", 2.0}}).add("output", "inverted", {{"first_channel", 3.0}});
    // `pair` is read by `split` and by `out`. Names and ids put `gain` before `out` or behind it.
    builder.connect("pair", "split").connect("split:out_1", "gain").connect("gain", "inverted").connect("pair", "out");
    EXPECT_EQ(constants(**compile(builder.request()), 3), (std::vector{0.25F, 0.5F, -0.25F}));

    GraphBuilder other = pair();
    other.add("output", "out", {{"channels", 2.0}}).add("output", "inverted", {{"first_channel", 3.0}});
    other.add("gain", "gain", {}, {{"invert", 1.0F}}).add("split", "split", {{"channels", 2.0}});
    other.connect("pair", "out").connect("pair", "split").connect("split:out_1", "gain").connect("gain", "inverted");
    EXPECT_EQ(constants(**compile(other.request()), 3), (std::vector{0.25F, 0.5F, -0.25F}));
}

TEST(Views, AnInPlaceNodeBehindASplitUsesTheBufferThatNoOtherReads) {
    GraphBuilder builder;
    builder.add("noise", "source", {{"channels", 2.0}}).add("split", "split", {{"channels", 2.0}});
    builder.add("gain", "a").add("gain", "b").add("merge", "merge", {{"channels", 2.0}});
    builder.add("output", "out", {{"channels", 2.0}}).connect("source", "split").connect("merge", "out");
    builder.connect("split:out_1", "a").connect("split:out_2", "b").connect("a", "merge:in_1");
    builder.connect("b", "merge:in_2");
    EXPECT_EQ((*compile(builder.request()))->buffer_count(), 2U);
}

TEST(Views, AMergeOfTheSameSignalIsNotOverwrittenInPlace) {
    GraphBuilder builder;
    builder.add("constant", "source", {}, {{"value", 0.5F}}).add("merge", "merge", {{"channels", 3.0}});
    builder.connect("source", "merge:in_1").connect("source", "merge:in_3");
    builder.add("gain", "gain", {{"channels", 3.0}}, {{"gain_db", -6.0206F}}).connect("merge", "gain");
    builder.add("output", "out", {{"channels", 3.0}}).connect("gain", "out");
    const auto plan = compile(builder.request());
    const std::vector<float> heard = constants(**plan, 3);
    EXPECT_NEAR(heard[0], 0.25F, 1e-6F) << "scaled twice: 0.125";
    EXPECT_EQ(heard[1], 0.0F) << "not connected";
    EXPECT_EQ(heard[2], heard[0]);
}

TEST(Views, AMonoSignalFeedsAllOutputsOfASplit) {
    GraphBuilder builder;
    builder.add("constant", "source", {}, {{"value", 0.5F}}).add("split", "split", {{"channels", 3.0}});
    builder.add("gain", "gain", {}, {{"invert", 1.0F}}).connect("source", "split").connect("split:out_2", "gain");
    builder.add("merge", "merge", {{"channels", 3.0}}).add("output", "out", {{"channels", 3.0}});
    builder.connect("split:out_1", "merge:in_1").connect("gain", "merge:in_2").connect("split:out_3", "merge:in_3");
    builder.connect("merge", "out");
    EXPECT_EQ(constants(**compile(builder.request()), 3), (std::vector{0.5F, -0.5F, 0.5F}));
}

TEST(Views, AnUnconnectedSplitIsSilent) {
    GraphBuilder builder;
    builder.add("split", "split", {{"channels", 2.0}}).add("gain", "gain").add("output", "out", {{"channels", 2.0}});
    builder.connect("split:out_1", "gain").connect("gain", "out").connect("split:out_2", "out");
    const auto plan = compile(builder.request());
    EXPECT_EQ(constants(**plan, 2), (std::vector{0.0F, 0.0F}));
    EXPECT_EQ(names_of_steps(**plan), (Names{"gain", "out"}));
}

TEST(Views, AnInputThatIsMixedIsCopiedOnce) {
    GraphBuilder builder = pair();
    builder.add("constant", "more", {}, {{"value", 0.125F}}).connect("more", "pair:in_1");
    builder.add("output", "out", {{"channels", 2.0}}).connect("pair", "out");
    const auto plan = compile(builder.request());
    EXPECT_EQ(names_of_steps(**plan), (Names{"left", "more", "out", "pair", "right"}));
    EXPECT_EQ(constants(**plan, 2), (std::vector{0.375F, 0.5F}));
    const auto steps = test::steps_of(**plan);
    const auto step = std::ranges::find(
        steps, "pair", [](const CompiledGraph::Step& other) { return other.node->description().name; });
    EXPECT_EQ(step->inputs[0].channel(0).data(), step->outputs[0].channel(0).data()) << "the mix is the output";
    EXPECT_NE(step->inputs[1].channel(0).data(), step->outputs[0].channel(1).data()) << "of another node";
}

TEST(Views, ASplitFromWhichADelayIsFilledHasAStep) {
    GraphBuilder builder = pair();
    builder.add("split", "split", {{"channels", 2.0}}).connect("pair", "split");
    builder.add("output", "out").connect("split:out_2", "out");
    CompileRequest request = builder.request();
    const auto split = std::ranges::find(
        request.nodes, "split", [](const CompileRequest::Node& node) { return node.instance->description().name; });
    ConnectionState filled{};
    filled.delay = std::make_unique<dsp::FixedDelay>(1U, 64U);
    request.fillings.push_back({static_cast<std::uint32_t>(split - request.nodes.begin()), 0, &filled});
    const auto plan = compile(std::move(request));
    EXPECT_EQ(names_of_steps(**plan), (Names{"left", "out", "right", "split"}));
    EXPECT_EQ(constants(**plan, 1), (std::vector{0.5F}));
    std::vector<float> silence(64);
    std::vector<float> delayed(64);
    filled.delay->process(0, silence, delayed);
    EXPECT_EQ(delayed, std::vector<float>(64, 0.25F));
}

/// The gain of each connection: from a node and its port to a node and its port.
using Gains = std::map<std::tuple<NodeId, std::uint32_t, NodeId, std::uint32_t>, double>;

/// A random graph of sources, gains, splits and merges, in which every connection leads to a later node.
class RandomGraph {
 public:
    explicit RandomGraph(std::uint32_t seed, const char* source) : random_{seed}, source_{source} {
        const int count = below(3, 20);
        for (int i = 0; i < count; ++i) add(i);
        builder.add("output", "out", {{"channels", 4.0}});
        for (int i = 0; i < 6 * count; ++i) connect(below(0, count - 1), count);
    }

    /// Some connections mix, and some of these have a gain other than 1.
    [[nodiscard]] CompileRequest request() {
        CompileRequest request = builder.request();
        request.segment_nodes = static_cast<std::uint32_t>(below(1, 24));
        const int rarity = below(1, 12);
        for (auto& connection : request.connections) {
            connection.at_rest = below(0, rarity) != 0;
            if (below(0, rarity) == 0) connection.target_gain = static_cast<float>(below(-1, 1)) / 2.0F;
            gains[{request.nodes[connection.from_node].id, connection.from_port, request.nodes[connection.to_node].id,
                   connection.to_port}] = static_cast<double>(connection.target_gain);
        }
        return request;
    }

    GraphBuilder builder;
    Gains gains;

 private:
    int below(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }
    [[nodiscard]] static std::string name(int i) { return "n" + std::to_string(i); }

    void add(int i) {
        const double channels = below(1, 4);
        const int kind = i == 0 ? 0 : below(0, 6);
        if (kind == 0) {
            const auto value = static_cast<float>(below(-31, 31)) / 32.0F;
            if (source_ == "constant") {
                builder.add("constant", name(i), {}, {{"value", value}});
            } else {
                builder.add("noise", name(i), {{"channels", channels}, {"seed", static_cast<double>(i + 1)}});
            }
        } else if (kind <= 2) {
            builder.add("gain", name(i), {{"channels", channels}}, {{"invert", static_cast<float>(below(0, 1))}});
        } else {
            builder.add(kind <= 4 ? "split" : "merge", name(i), {{"channels", channels}});
        }
    }

    /// Connects random ports. Where the widths differ, or a port has enough connections, nothing happens.
    void connect(int from, int count) {
        const int to = below(from + 1, count);
        const GraphNode& source = *builder.graph.find(name(from));
        const GraphNode& target = *builder.graph.find(to == count ? "out" : name(to));
        const auto& outputs = source.description->layout.outputs;
        const auto& inputs = target.description->layout.inputs;
        if (outputs.empty() || inputs.empty()) return;
        const auto& out = outputs[static_cast<std::size_t>(below(0, static_cast<int>(outputs.size()) - 1))];
        const auto& in = inputs[static_cast<std::size_t>(below(0, static_cast<int>(inputs.size()) - 1))];
        const auto used = std::ranges::count_if(target.incoming, [&](const IncomingConnection& connection) {
            return inputs[connection.to_port].name == in.name;
        });
        if (used != 0 && below(0, 3) != 0) return;
        (void)builder.graph.connect(source.name() + ":" + out.name, target.name() + ":" + in.name, {});
    }

    std::mt19937 random_;
    std::string_view source_;
};

/// Computes the expected output of a graph of constants, gains, splits and merges, without plans or buffers.
class Reference {
 public:
    Reference(const AudioGraph& graph, const Gains& gains) : graph_{graph}, gains_{gains} {}

    /// Returns the sum at a channel of an input port.
    double input(const GraphNode& node, std::uint32_t port, std::uint32_t channel) {
        double sum = 0.0;
        for (const IncomingConnection& connection : node.incoming) {
            if (connection.to_port != port) continue;
            const GraphNode& source = *graph_.find(connection.from.node);
            const bool mono = source.description->layout.outputs[connection.from.port].width == 1;
            sum += gains_.at({connection.from.node, connection.from.port, node.id, port}) *
                   output(source, connection.from.port, mono ? 0 : channel);
        }
        return sum;
    }

 private:
    double output(const GraphNode& node, std::uint32_t port, std::uint32_t channel) {
        const std::string_view type = node.description->type->name;
        if (type == "constant") return static_cast<double>(node.parameters.at(0));
        if (type == "split") return input(node, 0, port);
        if (type == "merge") return input(node, channel, 0);
        const auto invert = node.description->layout.find_parameter("invert");
        return input(node, 0, channel) * (node.parameters.at(*invert) == 1.0F ? -1.0 : 1.0);
    }

    const AudioGraph& graph_;
    const Gains& gains_;
};

TEST(Views, NoChannelIsOverwrittenBeforeItsLastReaderHasRun) {
    int views = 0;
    for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
        RandomGraph random{seed, "constant"};
        auto plan = compile(random.request());
        ASSERT_TRUE(plan);
        views += static_cast<int>(random.builder.graph.node_count() - (*plan)->step_count());
        Reference reference{random.builder.graph, random.gains};
        const GraphNode& out = *random.builder.graph.find("out");
        const std::vector<float> heard = constants(**plan, 4);
        // Sums of multiples of 1/32, halved at up to 20 nodes in a row, are exact in double. Of those that are not exact
        // in float, none has been drawn.
        for (std::uint32_t channel = 0; channel < 4; ++channel) {
            ASSERT_EQ(static_cast<double>(heard[channel]), reference.input(out, 0, channel))
                << "seed " << seed << ", channel " << channel;
        }
    }
    EXPECT_GT(views, 3'000) << "the test must contain views";
}

/// Random changes of the same nodes: connections are removed, added, and change their gains and fades.
class RandomChanges {
 public:
    explicit RandomChanges(std::uint32_t seed) : graph{seed, "constant"}, random_{seed}, all_{graph.request()} {}

    [[nodiscard]] CompileRequest next() {
        const int count = std::uniform_int_distribution{1, 3}(random_);
        for (int i = 0; i < count && !all_.connections.empty(); ++i) {
            const auto index = std::uniform_int_distribution<std::size_t>{0, all_.connections.size() - 1}(random_);
            CompileRequest::Connection& changed = all_.connections[index];
            const int kind = std::uniform_int_distribution{0, 2}(random_);
            if (kind == 0 && !removed_.erase(index)) removed_.insert(index);
            if (kind == 1) changed.at_rest = !changed.at_rest;
            if (kind == 2) changed.target_gain = changed.target_gain == 1.0F ? 0.5F : 1.0F;
            graph.gains[{all_.nodes[changed.from_node].id, changed.from_port, all_.nodes[changed.to_node].id,
                         changed.to_port}] = removed_.contains(index) ? 0.0 : static_cast<double>(changed.target_gain);
        }
        CompileRequest request = all_;
        request.gain_fade_frames = 0;
        request.connections.clear();
        for (std::size_t i = 0; i < all_.connections.size(); ++i) {
            if (!removed_.contains(i)) request.connections.push_back(all_.connections[i]);
        }
        return request;
    }

    RandomGraph graph;

 private:
    std::mt19937 random_;
    CompileRequest all_;
    std::set<std::size_t> removed_;  ///< indices of connections
};

TEST(Views, APlanThatSharesSegmentsWithThePreviousOneIsTheSameAsAFreshOne) {
    std::size_t shared = 0;
    std::size_t segments = 0;
    for (std::uint32_t seed = 0; seed < 500; ++seed) {
        RandomChanges changes{seed};
        std::unique_ptr<CompiledGraph> previous;
        for (int change = 0; change < 20; ++change) {
            auto plan = compile(changes.next(), previous.get());
            ASSERT_TRUE(plan);
            Reference reference{changes.graph.builder.graph, changes.graph.gains};
            const GraphNode& out = *changes.graph.builder.graph.find("out");
            const std::vector<float> heard = constants(**plan, 4);
            for (std::uint32_t channel = 0; channel < 4; ++channel) {
                ASSERT_EQ(static_cast<double>(heard[channel]), reference.input(out, 0, channel))
                    << "seed " << seed << ", change " << change << ", channel " << channel;
            }
            for (const auto& segment : (*plan)->segments()) {
                if (previous != nullptr &&
                    std::ranges::find(previous->segments(), segment) != previous->segments().end())
                    ++shared;
            }
            segments += (*plan)->segments().size();
            previous = *std::move(plan);
        }
    }
    EXPECT_GT(shared, segments / 4) << "the test must contain shared segments";
    EXPECT_LT(shared, segments) << "and others";
}

TEST(Views, APlanWithViewsEqualsOneWithCopiesBitForBit) {
    for (std::uint32_t seed = 0; seed < 500; ++seed) {
        RandomGraph random{seed, "noise"};
        CompileRequest views = random.request();
        const std::vector<CompileRequest::Connection> connections = views.connections;
        const Samples heard = render(**compile(std::move(views)), 4, 3);
        CompileRequest copies = random.builder.request();
        for (std::size_t i = 0; i < connections.size(); ++i) {
            copies.connections[i].at_rest = connections[i].at_rest;
            copies.connections[i].target_gain = connections[i].target_gain;
        }
        for (CompileRequest::Node& node : copies.nodes) node.forwards_channels = false;
        const auto plan = compile(std::move(copies));
        ASSERT_EQ((*plan)->step_count(), random.builder.graph.node_count());
        ASSERT_EQ(render(**plan, 4, 3), heard) << "seed " << seed;
    }
}

}  // namespace
}  // namespace rta::views_test
