// SPDX-License-Identifier: MIT
// What recalls sound like: speech through random scenes, and fades against their definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/scenes/processor_pool.h"
#include "api/scenes/recall_plan.h"
#include "api/scenes/scene_content.h"
#include "document/document.h"
#include "support/analysis.h"
#include "support/effort.h"
#include "support/offline_engine.h"
#include "support/wav.h"

namespace rta::api::test {
namespace {

using rta::test::OfflineEngine;

/// An engine that recalls scenes as the daemon does.
class Stage {
 public:
    explicit Stage(bool ramps) : offline{EngineConfig{.ramps = ramps}, builtin_nodes(), 1, 1} {}

    void recall(const std::string& scene, std::optional<float> fade_ms = {}) {
        const auto content = read_scene(scene, offline.engine);
        ASSERT_TRUE(content) << content.error().sentence;
        for (int attempts = 0; attempts < 1'000; ++attempts) {
            const SharedGraphSnapshot snapshot = offline.engine.snapshot();
            const auto result = recalled(snapshot->graph, snapshot->next_id, *content);
            ASSERT_TRUE(result) << result.error().sentence;
            Transaction transaction{.edits = recall_edits(snapshot->graph, *result, snapshot->next_id, fade_ms)};
            transaction.restores = true;
            transaction.gain_ramp_ms = fade_ms.value_or(0.0F);
            auto prepared = offline.engine.prepare(std::move(transaction), snapshot, spares);
            ASSERT_TRUE(prepared) << prepared.error().sentence;
            const auto ticket = offline.engine.commit(*prepared);
            if (ticket) return;
            ASSERT_EQ(ticket.error().code, ErrorCode::resource_exhausted) << ticket.error().sentence;
            render(1);
        }
        FAIL() << "the engine never has room";
    }
    void render(std::size_t blocks) {
        static const std::vector<float> recording = rta::test::speech();
        for (; blocks > 0; --blocks) {
            for (float& sample : offline.inputs.write().channel(0)) {
                sample = recording[played.size() % recording.size()];
                played.push_back(sample);
            }
            offline.render_block();
        }
    }

    OfflineEngine offline;
    std::shared_ptr<SpareProcessors> spares = std::make_shared<ProcessorPool>();
    std::vector<float> played;  ///< into the input
};

/// A chain of gains in front of parallel gains, whose levels sum to at most 1. Scenes share some of the names, with the same
/// or with other settings, so that nodes stay, are replaced, added and removed.
std::string random_scene(std::mt19937& random) {
    const auto any = [&](int count) { return std::uniform_int_distribution{0, count - 1}(random); };
    const auto level = [&] { return std::uniform_real_distribution{-12.0F, 0.0F}(random); };
    const auto gain = [&](const std::string& name, float gain_db) {
        return GraphDocument::Node{name, "gain", {}, {{"gain_db", gain_db}, {"invert", any(3) == 0 ? 1.0F : 0.0F}}};
    };
    GraphDocument document;
    document.nodes = {{"in", "input", {}, {}}, {"out", "output", {}, {}}};
    std::string last = "in";
    for (int length = any(3); length > 0; --length) {
        const std::string name = "chain_" + std::to_string(any(2) + 2 * length);
        document.nodes.push_back(gain(name, level()));
        document.connections.push_back({last, name, level()});
        last = name;
    }
    const int branches = 1 + any(3);
    for (int branch = 0; branch < branches; ++branch) {
        const std::string name = "branch_" + std::to_string(any(2) + 2 * branch);
        document.nodes.push_back(gain(name, level() - 20.0F * std::log10(static_cast<float>(branches))));
        document.connections.push_back({last, name, {}});
        document.connections.push_back({name, "out", level()});
    }
    return write_scene({}, document);
}

/// Upper bound of the change of the gain in one frame. In series: up to two gains, then one of a branch; each has a port in a
/// crossfade (to the other polarity: 2/480), a connection whose gain ramps (1/480), and parameters that ramp over 960 frames
/// (2/960 with another polarity); and the port of the output, which crossfades (2/480).
constexpr double kSlope = (3 * (2 + 1 + 1) + 2) / 480.0;

struct Recalls {
    std::vector<rta::test::Finding> steps;
    std::size_t shortest = 0;
};

Recalls recall_at_random(bool ramps, int count) {
    std::mt19937 random{20};
    std::vector<std::string> scenes;
    for (int i = 0; i < 20; ++i) scenes.push_back(random_scene(random));
    Stage stage{ramps};
    stage.recall(scenes.front());
    stage.render(100);
    for (int i = 0; i < count; ++i) {
        stage.recall(scenes[std::uniform_int_distribution<std::size_t>{0, 19}(random)]);
        // Often before the round of the one before has ended, which takes 7.5 blocks.
        stage.render(std::uniform_int_distribution<std::size_t>{0, 24}(random));
    }
    stage.render(100);
    const std::vector<float>& heard = stage.offline.recorded[0];
    return {rta::test::find_gain_steps(stage.played, heard, kSlope, 1e-3), heard.size()};
}

TEST(SceneSound, ThousandRecallsAmongTwentyScenesOnSpeechMakeNoStepBeyondTheFades) {
    const Recalls recalls = recall_at_random(true, rta::test::cases(1'000, 100));
    EXPECT_TRUE(recalls.steps.empty()) << recalls.steps.size() << " steps, the first at frame "
                                       << recalls.steps.front().frame;
}

TEST(SceneSound, WithoutRampsThereAreSteps) {
    const int count = rta::test::cases(1'000, 100);
    EXPECT_GT(recall_at_random(false, count).steps.size(), static_cast<std::size_t>(count) / 10);
}

/// A constant through a gain and a connection.
std::string levels(float node_db, float connection_db) {
    GraphDocument document;
    document.nodes = {{"one", "constant", {}, {{"value", 0.5F}}},
                      {"vol", "gain", {}, {{"gain_db", node_db}}},
                      {"out", "output", {}, {}}};
    document.connections = {{"one", "vol", connection_db}, {"vol", "out", {}}};
    return write_scene({}, document);
}

TEST(SceneSound, AFadeRampsParametersAndGainsOverItsTime) {
    constexpr std::size_t kFade = 96'000;  // 2 s
    for (const bool connection : {false, true}) {
        SCOPED_TRACE(connection ? "gain of a connection" : "parameter");
        Stage stage{true};
        stage.recall(levels(0.0F, 0.0F));
        stage.render(100);
        const std::vector<float>& heard = stage.offline.recorded[0];
        const float full = heard.back();
        ASSERT_GT(full, 0.0F);
        const std::size_t begin = heard.size();
        stage.recall(connection ? levels(0.0F, -20.0F) : levels(-20.0F, 0.0F), 2'000.0F);
        stage.render(kFade / 64 + 10);
        // Both are linear in the factor, from 1 to 0.1.
        for (const std::size_t n : {std::size_t{1}, kFade / 4, kFade / 2, kFade - 1}) {
            const double passed = static_cast<double>(n) / static_cast<double>(kFade);
            EXPECT_NEAR(heard[begin + n] / full, 1.0 - 0.9 * passed, 1e-3) << "frame " << n;
        }
        EXPECT_NEAR(heard.back() / full, 0.1, 1e-6);
        stage.render(40);  // 53 ms: a plan with the gain at rest has followed
        EXPECT_FALSE(stage.offline.engine.outstanding());
    }
}

TEST(SceneSound, ARecallDuringAFadeStartsFromTheCurrentValues) {
    Stage stage{true};
    stage.recall(levels(0.0F, 0.0F));
    stage.render(100);
    const std::vector<float>& heard = stage.offline.recorded[0];
    const float full = heard.back();
    ASSERT_GT(full, 0.0F);
    stage.recall(levels(-40.0F, -40.0F), 1'000.0F);
    stage.render(375);  // half of it
    const float half = heard.back();
    const std::size_t begin = heard.size();
    stage.recall(levels(0.0F, 0.0F), 500.0F);
    stage.render(10);
    EXPECT_NEAR(heard[begin], half, 1e-4 * full) << "no step";
    stage.render(375);
    EXPECT_NEAR(heard.back(), full, 1e-6 * full);
    for (std::size_t n = begin - 20'000; n < heard.size(); ++n)
        ASSERT_LE(std::abs(heard[n] - heard[n - 1]), full * 3.0 / 24'000) << n;
}

TEST(SceneSound, WhatIsAddedDuringALongFadeIsNotHeldBack) {
    Stage stage{true};
    stage.recall(levels(0.0F, 0.0F));
    stage.render(100);
    stage.recall(levels(-20.0F, -20.0F), 60'000.0F);
    stage.render(10);
    const std::uint64_t frame = stage.offline.frame();
    stage.offline.edit({AddNode{"constant", "two", {}, {}}, Connect{"two", "out", {}}});
    stage.render(20);
    ASSERT_FALSE(stage.offline.transactions_heard.empty());
    EXPECT_EQ(stage.offline.transactions_heard.back().first, stage.offline.engine.revision());
    EXPECT_LE(stage.offline.transactions_heard.back().second, frame + 2 * 64 + 480);
}

}  // namespace
}  // namespace rta::api::test
