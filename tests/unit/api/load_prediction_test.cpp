// SPDX-License-Identifier: MIT
// Predicted loads: the model, the sum over the graph, max_load and the warning. No test depends on how fast the machine
// is: where figures matter, the costs are those of the test.
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "graph/cost_class.h"
#include "script.h"

namespace rta::api::test {
namespace {

constexpr double kBlockS = 64.0 / 48'000.0;

std::uint64_t class_of(const std::string& type, Settings settings = {}) {
    return NodeDescription::make(*builtin_nodes().find(type), "n", std::move(settings)).value()->cost_class;
}

TEST(LoadModel, WithoutMeasurementsTheLoadIsTheSumOfTheCosts) {
    const LoadModel model{0.002};
    EXPECT_DOUBLE_EQ(model.predict(0.0), 0.002);
    EXPECT_DOUBLE_EQ(model.predict(0.5), 0.502);
}

TEST(LoadModel, LearnsTheConstantAndTheFactorOfTheMachine) {
    LoadModel model{0.002};
    for (const double costs : {0.0, 0.05, 0.3, 0.6}) model.observe(costs, 0.01 + 1.4 * costs);
    for (const double costs : {0.02, 0.1, 0.45, 0.8})
        EXPECT_NEAR(model.predict(costs), 0.01 + 1.4 * costs, 0.1 * (0.01 + 1.4 * costs)) << costs;
    // One graph is enough for graphs like it.
    LoadModel single{0.002};
    single.observe(0.4, 0.6);
    EXPECT_NEAR(single.predict(0.4), 0.6, 0.12);
}

TEST(LoadModel, FollowsTheLatestGraphs) {
    LoadModel model{0.002};
    for (int i = 1; i <= 30; ++i) model.observe(0.02 * i, 0.002 + 0.02 * i);
    for (std::size_t i = 1; i <= LoadModel::kMaximumObservations; ++i)
        model.observe(0.07 * static_cast<double>(i), 0.002 + 0.14 * static_cast<double>(i));
    EXPECT_NEAR(model.predict(0.35), 0.702, 0.03);
}

TEST(LoadModel, WhateverWasMeasuredMoreCostsAreMoreLoad) {
    std::mt19937 random{7};
    std::uniform_real_distribution<double> share{0.0, 3.0};
    for (int round = 0; round < 200; ++round) {
        LoadModel model{0.002};
        for (int i = 0; i < round % 12; ++i) model.observe(share(random), share(random) * (round % 3));
        EXPECT_GE(model.constant(), 0.0);
        double last = -1.0;
        for (const double costs : {0.0, 0.01, 0.1, 0.5, 1.0, 10.0}) {
            EXPECT_GT(model.predict(costs), last);
            last = model.predict(costs);
        }
    }
}

TEST(CostClass, NodesOfOneTypeAndSizeCostTheSame) {
    EXPECT_EQ(class_of("gain"), class_of("gain", {{"channels", 1.0}}));
    EXPECT_NE(class_of("gain"), class_of("gain", {{"channels", 2.0}}));
    EXPECT_NE(class_of("gain"), class_of("sine"));
    EXPECT_EQ(class_of("noise", {{"seed", 1.0}}), class_of("noise", {{"seed", 2.0}}));
    EXPECT_NE(class_of("noise", {{"color", "pink"}}), class_of("noise", {{"color", "white"}}));
    EXPECT_EQ(class_of("delay_line", {{"max_time_ms", 600.0}}), class_of("delay_line", {{"max_time_ms", 1'000.0}}));
    EXPECT_NE(class_of("delay_line", {{"max_time_ms", 600.0}}), class_of("delay_line", {{"max_time_ms", 6'000.0}}));
    EXPECT_NE(class_of("equalizer", {{"bands", 2.0}}),
              class_of("equalizer", {{"bands", 2.0}, {"kind_2", "high_shelf"}}));
}

TEST(NodeCosts, EveryBuiltInTypeCanBeMeasured) {
    NodeCosts costs;
    for (const NodeType* const type : builtin_nodes().types()) {
        const auto node = NodeDescription::make(*type, "n", {}).value();
        costs.measure(*node);
        const auto cost = costs.find(node->cost_class);
        ASSERT_TRUE(cost && cost->ps) << type->name;
        EXPECT_GE(*cost->ps, 0) << type->name;
    }
    EXPECT_GT(costs.mixes().input_ps, 0);
}

TEST(NodeCosts, MoreChannelsCostMore) {
    NodeCosts costs;
    const auto cost_of = [&](double channels) {
        const auto node =
            NodeDescription::make(*builtin_nodes().find("compressor"), "n", {{"channels", channels}}).value();
        costs.measure(*node);
        return costs.find(node->cost_class)->ps.value();
    };
    EXPECT_GT(cost_of(64.0), 2 * cost_of(1.0));
}

TEST(NodeCosts, ANodeThatTakesTooMuchMemoryIsNotMeasured) {
    NodeCosts costs;
    const auto node =
        NodeDescription::make(*builtin_nodes().find("delay_line"), "n", {{"channels", 64.0}, {"max_time_ms", 10'000.0}})
            .value();
    costs.measure(*node);
    const auto cost = costs.find(node->cost_class);
    ASSERT_TRUE(cost);
    EXPECT_FALSE(cost->ps);
}

TEST(NodeCosts, TheNumberOfClassesIsLimited) {
    NodeCosts costs;
    for (std::uint64_t i = 0; i <= NodeCosts::kMaximumClasses; ++i) costs.store(i, {1});
    EXPECT_FALSE(costs.find(0)) << "the oldest is forgotten";
    EXPECT_TRUE(costs.find(1));
    EXPECT_TRUE(costs.find(NodeCosts::kMaximumClasses));
}

class LoadPredictionTest : public ::testing::Test {
 protected:
    LoadPredictionTest() { script.play("hello a\n"); }

    [[nodiscard]] LoadPrediction& load() { return script.dispatcher.services().load; }
    /// The costs of the test, in microseconds for a block.
    void set_costs() {
        const std::map<std::string, std::int64_t> costs{{"sine", 100}, {"gain", 50}, {"mixer", 10}};
        for (const auto& [type, us] : costs) load().costs().store(class_of(type), {us * 1'000'000});
        load().costs().store(class_of("output", {{"channels", 2.0}}), {20'000'000});
        load().costs().store(MixCost{.output_ps = 3'000'000, .input_ps = 1'000'000});
    }
    v1::Response call(const std::string& text) {
        script.send('a', request(text));
        for (int blocks = 0; blocks < 1'000; ++blocks) {
            if (const auto message = script.receive('a'); message && message->has_response())
                return message->response();
            script.block();  // the engine has no room yet
        }
        ADD_FAILURE() << "no response to " << text;
        return {};
    }
    v1::Response edit(const std::string& edits, const std::string& more = "") {
        return call("id: 9 apply_transaction { " + more + " edits { " + edits + " } }");
    }
    static std::string add(const std::string& type, const std::string& name) {
        return "edits { add_node { name: \"" + name + "\" type: \"" + type + "\" } } ";
    }
    static std::string connect(const std::string& from, const std::string& to) {
        return "edits { connect { from: \"" + from + "\" to: \"" + to + "\" } } ";
    }
    /// The predicted load of the current graph without the constant, in microseconds for a block.
    double predicted_us() {
        Unmeasured none;
        const double empty = load().query().predict(AudioGraph{}, none).value();
        return (load().current().value() - empty) * kBlockS * 1e6;
    }

    Script script;
};

TEST_F(LoadPredictionTest, IsTheSumOverNodesAndMixes) {
    set_costs();
    script.play(tone());
    EXPECT_NEAR(predicted_us(), 170.0, 0.01);
    // Two signals into `vol`: one channel is mixed from two.
    const v1::Response added = edit(add("sine", "osc2") + connect("osc2", "vol"));
    EXPECT_NEAR(predicted_us(), 170.0 + 100.0 + 3.0 + 2.0, 0.01);
    EXPECT_FLOAT_EQ(added.apply_transaction().predicted_load(), static_cast<float>(load().current().value()));
    EXPECT_EQ(added.apply_transaction().warnings_size(), 0);
    // A connection with a gain is mixed, into both channels of the output.
    edit(R"(edits { connect { from: "vol" to: "out" gain_db: -6 } })");
    EXPECT_NEAR(predicted_us(), 275.0 + 2.0 * (3.0 + 1.0), 0.01);
    edit(R"(edits { remove_node { name: "osc2" } } edits { remove_node { name: "out" } })");
    EXPECT_NEAR(predicted_us(), 150.0, 0.01);
    call("id: 9 undo {}");
    EXPECT_NEAR(predicted_us(), 283.0, 0.01);
    call("id: 9 apply_transaction { graph {} }");
    EXPECT_NEAR(predicted_us(), 0.0, 0.01);
}

TEST_F(LoadPredictionTest, EveryNodeMoreIsMoreLoad) {
    script.play(tone());
    double last = 0.0;
    for (int i = 0; i < 8; ++i) {
        const v1::Response checked = call("id: 2 check_graph { edits { " + add("reverb", "r") + "} }");
        ASSERT_TRUE(checked.check_graph().has_predicted_load()) << "a dry run waits for the measurement";
        const v1::Response added = edit(add("reverb", "r" + std::to_string(i)), "max_load: 1");
        ASSERT_EQ(added.status().code(), v1::OK) << added.status().message();
        EXPECT_FLOAT_EQ(added.apply_transaction().predicted_load(), checked.check_graph().predicted_load());
        EXPECT_GT(added.apply_transaction().predicted_load(), last);
        last = added.apply_transaction().predicted_load();
    }
}

TEST_F(LoadPredictionTest, AGraphOverMaxLoadIsRefusedWithTheFigure) {
    set_costs();
    script.play(tone());
    std::string sines;
    for (int i = 0; i < 8; ++i) sines += add("sine", "s" + std::to_string(i));
    const v1::Response refused = edit(sines, "max_load: 0.7");
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(
        refused.status().message().find("the predicted load of the new graph is 73 % of the time of a block, more "
                                        "than the 70 % of max_load; nothing has changed"),
        std::string::npos)
        << refused.status().message();
    EXPECT_FALSE(refused.status().has_edit_index());
    EXPECT_EQ(script.engine.revision(), 1U);
    EXPECT_EQ(script.engine.graph().node_count(), 3U);
    EXPECT_NEAR(predicted_us(), 170.0, 0.01);
    // The same request, with room for it.
    const v1::Response taken = edit(sines, "max_load: 0.74");
    EXPECT_EQ(taken.apply_transaction().revision(), 2U);
    EXPECT_NEAR(taken.apply_transaction().predicted_load(), 0.73F, 0.005F);
    for (const char* const wrong : {"0", "-0.5", "1.01", "nan"}) {
        const v1::Response invalid = edit(add("gain", "x"), std::string{"max_load: "} + wrong);
        EXPECT_EQ(invalid.status().code(), v1::INVALID_ARGUMENT) << wrong;
    }
}

TEST_F(LoadPredictionTest, AboveNinetyPercentTheAnswerWarns) {
    set_costs();
    script.play(tone());
    std::string sines;
    for (int i = 0; i < 11; ++i) sines += add("sine", "s" + std::to_string(i));
    const v1::Response checked = call("id: 2 check_graph { edits { " + sines + " } }");
    ASSERT_EQ(checked.check_graph().warnings_size(), 1);
    EXPECT_NE(checked.check_graph().warnings(0).find("the predicted load is 95.5 % of the time of a block"),
              std::string::npos)
        << checked.check_graph().warnings(0);
    EXPECT_EQ(edit(sines).apply_transaction().warnings_size(), 1);
    // What is restored is not refused, nor does it depend on the load.
    edit(R"(edits { remove_node { name: "s0" } })");
    EXPECT_EQ(call("id: 3 undo {}").status().code(), v1::OK);
}

TEST_F(LoadPredictionTest, ACommitDoesNotWaitForMeasurements) {
    script.workers.held = false;
    script.play(tone());
    script.workers.held = true;
    script.send('a', request("id: 2 apply_transaction { edits { " + add("reverb", "r") + "} }"));
    ASSERT_EQ(script.workers.jobs.size(), 1U) << "its processor is built";
    script.workers.finish(0);
    const auto committed = script.receive('a');
    ASSERT_TRUE(committed);
    EXPECT_EQ(committed->response().apply_transaction().revision(), 2U);
    EXPECT_FALSE(committed->response().apply_transaction().has_predicted_load());
    EXPECT_FALSE(load().current());
    // One class after the other is measured, on the worker for responses.
    script.tick(std::chrono::milliseconds{300});
    std::size_t measured = 0;
    for (; !script.workers.jobs.empty(); ++measured) {
        ASSERT_EQ(script.workers.jobs.size(), 1U);
        EXPECT_EQ(script.workers.jobs[0].lane, Workers::Lane::responses);
        script.workers.finish(0);
        script.tick(std::chrono::milliseconds{100});
    }
    EXPECT_EQ(measured, 4U);
    EXPECT_TRUE(load().current());
    EXPECT_FALSE(load().interval(script.now)) << "nothing is left to be measured";
}

TEST_F(LoadPredictionTest, MaxLoadWaitsForTheMeasurement) {
    script.workers.held = true;
    script.send('a', request("id: 2 apply_transaction { max_load: 1 edits { " + add("reverb", "r") + "} }"));
    script.workers.finish(0);
    EXPECT_FALSE(script.receive('a'));
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    EXPECT_EQ(script.workers.jobs[0].lane, Workers::Lane::responses);
    EXPECT_EQ(script.engine.revision(), 0U);
    script.workers.finish(0);
    const auto committed = script.receive('a');
    ASSERT_TRUE(committed);
    EXPECT_EQ(committed->response().apply_transaction().revision(), 1U) << sentence(committed);
    EXPECT_TRUE(committed->response().apply_transaction().has_predicted_load());
}

TEST_F(LoadPredictionTest, WhatCannotBeMeasuredIsRefusedWithMaxLoadOnly) {
    load().costs().store(class_of("reverb"), {});
    const v1::Response refused = edit(add("reverb", "r"), "max_load: 1");
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(refused.status().message().find("the load of the new graph cannot be predicted"), std::string::npos)
        << refused.status().message();
    const v1::Response taken = edit(add("reverb", "r"));
    EXPECT_EQ(taken.status().code(), v1::OK);
    EXPECT_FALSE(taken.apply_transaction().has_predicted_load());
}

TEST_F(LoadPredictionTest, LearnsFromTheLoadOfTheRunningGraph) {
    set_costs();
    script.play(tone());
    const auto load_of = [&](double us) { return 0.01 + 1.5 * us * 1e-6 / kBlockS; };
    double us = 170.0;
    for (int i = 0; i < 6; ++i) {
        script.daemon.load.mean = load_of(us);
        script.tick(std::chrono::seconds{2});
        edit(add("gain", "g" + std::to_string(i)));
        us += 50.0;
    }
    EXPECT_NEAR(load().current().value(), load_of(us), 0.05 * load_of(us));
    // A load that was measured right after a change belongs to both graphs, and counts for none.
    const double before = load().current().value();
    script.daemon.load.mean = 0.9;
    script.tick(std::chrono::seconds{1});
    EXPECT_DOUBLE_EQ(load().query().model.predict(us * 1e-6 / kBlockS), before);
}

TEST_F(LoadPredictionTest, AScheduledTransactionIsCheckedWhenItIsDue) {
    set_costs();
    script.play(tone() + "a> id: 2 subscribe { topics: TOPIC_CHANGES }\na< response { id: 2 subscribe { } }\n");
    const auto at = script.engine.renderer().frames() + 40 * 64;
    const auto scheduled = [&](const std::string& name, const std::string& max_load) {
        return call("id: 3 apply_transaction { max_load: " + max_load + " at { frame: " + std::to_string(at) +
                    " } edits { " + add("sine", name) + " } }");
    };
    const auto next_change = [&] {
        while (const auto message = script.receive('a')) {
            if (message->event().has_pending_changed() &&
                message->event().pending_changed().what() != v1::PendingChanged::ADDED)
                return message->event().pending_changed();
        }
        return v1::PendingChanged{};
    };
    EXPECT_EQ(scheduled("s1", "0.1").status().code(), v1::OK);
    for (int i = 0; i < 60; ++i) {
        script.render_block();
        script.tick(std::chrono::milliseconds{2});
    }
    const v1::PendingChanged failed = next_change();
    EXPECT_EQ(failed.what(), v1::PendingChanged::FAILED);
    EXPECT_EQ(failed.error().code(), v1::RESOURCE_EXHAUSTED) << failed.error().message();
    EXPECT_EQ(script.engine.graph().find("s1"), nullptr);
}

/// When the server stops, the engine continues, and the prediction is destroyed.
TEST_F(LoadPredictionTest, AnEngineThatIsReleasedIsNotWatched) {
    set_costs();
    script.play(tone());
    const auto remove = [&](const char* node) {
        auto prepared = script.engine.prepare({.edits = {RemoveNode{node}}});
        ASSERT_TRUE(prepared);
        ASSERT_TRUE(script.engine.commit(*prepared));
        script.block();
    };
    const double before = predicted_us();
    script.dispatcher.release_engine();
    remove("osc");
    EXPECT_EQ(predicted_us(), before) << "the change is not counted";

    const auto wake = [] {};
    auto other = std::make_unique<LoadPrediction>(
        script.engine, script.daemon, script.workers, [&] { return script.now; }, wake);
    other->release_engine();
    other.reset();
    remove("vol");
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
}

/// The sum that is kept from commit to commit is that of the graph.
TEST_F(LoadPredictionTest, AfterRandomEditsTheSumIsThatOfTheGraph) {
    std::mt19937 random{42};
    const auto below = [&](std::size_t count) {
        return std::uniform_int_distribution<std::size_t>{0, count - 1}(random);
    };
    const std::vector<std::string> types{"gain", "sine", "mixer", "split", "merge", "biquad", "output", "matrix"};
    int committed = 0;
    for (int i = 0; i < 400; ++i) {
        const auto nodes = script.engine.graph().nodes();
        const auto node = [&] { return nodes.empty() ? std::string{"none"} : nodes[below(nodes.size())]->name(); };
        std::string text;
        switch (below(7)) {
            case 0:
            case 1:
                text = add(types[below(types.size())], "n" + std::to_string(i));
                break;
            case 2:
                text = "edits { remove_node { name: \"" + node() + "\" } }";
                break;
            case 3:
                text =
                    "edits { change_settings { node: \"" + node() +
                    "\" settings { fields { key: \"channels\" value { number_value: " + std::to_string(1 + below(3)) +
                    " } } } } }";
                break;
            case 4:
                text = "edits { rename_node { name: \"" + node() + "\" new_name: \"r" + std::to_string(i) + "\" } }";
                break;
            default: {
                const std::string from = node();
                const std::string to = node();
                text = "edits { connect { from: \"" + from + (below(2) == 0 ? "" : ":out_1") + "\" to: \"" + to +
                       (below(2) == 0 ? "" : ":in_1") +
                       "\" gain_db: " + std::to_string(-6 * static_cast<int>(below(2))) + " } }";
            }
        }
        const bool undo = below(9) == 0;
        const v1::Response response = undo ? call("id: 4 undo {}") : edit(text);
        committed += response.status().code() == v1::OK ? 1 : 0;
        script.block();
        script.tick(std::chrono::milliseconds{300});
        Unmeasured unmeasured;
        const auto again = load().query().predict(script.engine.graph(), unmeasured);
        const auto kept = load().current();
        if (kept) {
            ASSERT_TRUE(again);
            ASSERT_NEAR(*kept, *again, 1e-12) << i;
        }
    }
    EXPECT_GT(committed, 150);
    for (int i = 0; i < 50; ++i) script.tick(std::chrono::milliseconds{100});
    EXPECT_TRUE(load().current());
}

}  // namespace
}  // namespace rta::api::test
