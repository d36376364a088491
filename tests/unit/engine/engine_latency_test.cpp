// SPDX-License-Identifier: MIT
// Paths of different latency that join: reported, aligned if the graph requests it, and edited without a click or a
// dip.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/analysis.h"
#include "support/offline_engine.h"

namespace rta::test::engine_latency_test {
namespace {

/// The look-ahead of a limiter, plus the frames that its true-peak meter needs.
constexpr std::size_t kShort = 1 * 48 + 39;
constexpr std::size_t kLong = 5 * 48 + 39;

/// Returns a graph with an impulse on three paths: through a limiter of 5 ms, through one of 1 ms, and directly.
std::string three_ways(bool compensated) {
    std::string document = R"({
  "nodes": [ {"name": "click", "type": "impulse", "parameters": {"gain_db": -20}},
             {"name": "long", "type": "limiter", "settings": {"look_ahead_ms": 5}},
             {"name": "short", "type": "limiter", "settings": {"look_ahead_ms": 1}},
             {"name": "straight", "type": "gain"},
             {"name": "out", "type": "output"},
             {"name": "alone", "type": "output", "settings": {"first_channel": 2}} ],
  "connections": [ {"from": "click", "to": "long"}, {"from": "long", "to": "out"},
                   {"from": "click", "to": "short"}, {"from": "short", "to": "out"},
                   {"from": "click", "to": "straight"}, {"from": "straight", "to": "out"},
                   {"from": "straight", "to": "alone"} ])";
    return document + (compensated ? ", \"latency_compensation\": true }" : " }");
}

std::vector<std::size_t> frames_above(const std::vector<float>& samples, float level) {
    std::vector<std::size_t> frames;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (std::abs(samples[i]) > level) frames.push_back(i);
    }
    return frames;
}

TEST(EngineLatency, WithoutCompensationPathsKeepTheirLatency) {
    OfflineEngine offline;
    offline.load(three_ways(false));
    offline.render_blocks(10);
    EXPECT_EQ(frames_above(offline.recorded[0], 0.05F), (std::vector<std::size_t>{0, kShort, kLong}));
    EXPECT_EQ(frames_above(offline.recorded[1], 0.05F), (std::vector<std::size_t>{0}));
}

TEST(EngineLatency, CompensationAlignsMeetingPathsAndDeviceOutputs) {
    OfflineEngine offline;
    offline.load(three_ways(true));
    offline.render_blocks(10);
    EXPECT_EQ(frames_above(offline.recorded[0], 0.05F), (std::vector<std::size_t>{kLong}));
    EXPECT_NEAR(offline.recorded[0][kLong], 0.3F, 1e-4F) << "three times -20 dB in one frame";
    EXPECT_EQ(frames_above(offline.recorded[1], 0.05F), (std::vector<std::size_t>{kLong}));
    EXPECT_NEAR(offline.recorded[1][kLong], 0.1F, 1e-6F);
}

TEST(EngineLatency, IsReportedForEachNodeAndForTheGraph) {
    OfflineEngine offline;
    offline.load(R"({
  "nodes": [ {"name": "tone", "type": "sine"}, {"name": "first", "type": "limiter", "settings": {"look_ahead_ms": 1}},
             {"name": "vol", "type": "gain"}, {"name": "second", "type": "limiter", "settings": {"look_ahead_ms": 5}},
             {"name": "out", "type": "output"} ],
  "connections": [ {"from": "tone", "to": "first"}, {"from": "first", "to": "vol"}, {"from": "vol", "to": "second"},
                   {"from": "second", "to": "out"} ] })");
    const LatencyReport latency = offline.engine.latency();
    EXPECT_EQ(latency.output_frames, kShort + kLong);
    ASSERT_EQ(latency.nodes.size(), 2U);
    EXPECT_EQ(latency.nodes[0].node, offline.engine.graph().find("first")->id);
    EXPECT_EQ(latency.nodes[0].own_frames, kShort);
    EXPECT_EQ(latency.nodes[0].output_frames, kShort);
    EXPECT_EQ(latency.nodes[1].own_frames, kLong);
    EXPECT_EQ(latency.nodes[1].output_frames, kShort + kLong);
    offline.edit({RemoveNode{"first"}, RemoveNode{"second"}});
    EXPECT_EQ(offline.engine.latency().output_frames, 0U);
}

TEST(EngineLatency, ABypassedNodeIsAsLateAsItWas) {
    OfflineEngine offline;
    offline.load(three_ways(true));
    offline.edit({SetParameter{"long", "bypass", 1.0F, 0.0F}, SetParameter{"short", "bypass", 1.0F, 0.0F}});
    offline.render_blocks(10);
    EXPECT_EQ(frames_above(offline.recorded[0], 0.05F), (std::vector<std::size_t>{kLong}));
    EXPECT_NEAR(offline.recorded[0][kLong], 0.3F, 1e-4F);
}

struct LatencyEdit : testing::Test {
    /// Plays a constant of 0.5, plus the same at -6 dB in parallel.
    void start(bool compensated) {
        offline.load(std::string{R"({
  "nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
             {"name": "beside", "type": "gain", "parameters": {"gain_db": -6}}, {"name": "out", "type": "output"} ],
  "connections": [ {"from": "dc", "to": "out"}, {"from": "dc", "to": "beside"}, {"from": "beside", "to": "out"} ])"} +
                     (compensated ? ", \"latency_compensation\": true }" : " }"));
        offline.render_blocks(20);
    }
    void insert_limiter(double look_ahead_ms) {
        offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", look_ahead_ms}}, {}}, Disconnect{"dc", "out"},
                      Connect{"dc", "lim", {}}, Connect{"lim", "out", {}}});
    }
    /// Expects that the output has been constant so far.
    void expect_constant() {
        const float level = offline.recorded[0].front();
        EXPECT_GT(level, 0.7F);
        const auto [low, high] = std::ranges::minmax(offline.recorded[0]);
        EXPECT_NEAR(low, level, 1e-5F);
        EXPECT_NEAR(high, level, 1e-5F);
    }

    OfflineEngine offline;
};

TEST_F(LatencyEdit, AnInsertedNodeThatLooksAheadCrossFadesWithoutADip) {
    start(false);
    insert_limiter(5.0);
    offline.settle();
    expect_constant();
}

TEST_F(LatencyEdit, InsertedLookAheadNodeCrossfadesWithoutDipUnderCompensation) {
    start(true);
    insert_limiter(5.0);
    offline.settle();
    expect_constant();
    offline.edit({ChangeSettings{"lim", {{"look_ahead_ms", 12.0}}}});
    offline.settle();
    expect_constant();
    offline.edit({RemoveNode{"lim"}, Connect{"dc", "out", {}}});
    offline.settle();
    expect_constant();
}

TEST_F(LatencyEdit, FadeStartsWhenTheNewSignalArrives) {
    start(false);
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", 5.0}}, {}},
                  AddNode{"gain", "up", {}, {{"gain_db", 6.0F}}}, Disconnect{"dc", "out"}, Connect{"dc", "lim", {}},
                  Connect{"lim", "up", {}}, Connect{"up", "out", {}}});
    offline.settle();
    const auto& heard = offline.recorded[0];
    const auto moved = std::ranges::find_if(heard, [&](float sample) { return std::abs(sample - heard[0]) > 1e-5F; });
    // The input of a node that looks ahead fades in over 10 ms, and then its look-ahead fills. In the meantime, the old
    // signal glides to the same latency.
    const auto waited = static_cast<std::size_t>(moved - heard.begin()) - begin;
    EXPECT_GE(waited, 100 * kLong);
    EXPECT_LE(waited, 100 * kLong + 3 * 64);
    EXPECT_NEAR(heard.back() - heard.front(), 0.5F * (std::pow(10.0F, 0.3F) - 1.0F), 1e-4F);
}

TEST_F(LatencyEdit, EditRevertedBeforeItsFadeStartsIsInaudible) {
    start(false);
    insert_limiter(20.0);
    offline.render_block();
    offline.edit({RemoveNode{"lim"}, Connect{"dc", "out", {}}});
    offline.settle();
    expect_constant();
}

TEST_F(LatencyEdit, ReplacementBeforeTheFadeStartsKeepsTheOldPath) {
    start(false);
    insert_limiter(20.0);
    offline.render_blocks(4);
    offline.edit({ChangeSettings{"lim", {{"look_ahead_ms", 5.0}}}});
    offline.render_blocks(2);
    offline.edit({AddNode{"limiter", "second", {{"look_ahead_ms", 10.0}}, {}}, Disconnect{"lim", "out"},
                  Connect{"lim", "second", {}}, Connect{"second", "out", {}}});
    offline.settle();
    expect_constant();
}

TEST_F(LatencyEdit, EditsElsewhereDelayAFadeByNoMoreThanARound) {
    start(false);
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}},
                  AddNode{"gain", "up", {}, {{"gain_db", 6.0F}}}, Disconnect{"dc", "out"}, Connect{"dc", "lim", {}},
                  Connect{"lim", "up", {}}, Connect{"up", "out", {}}});
    for (int i = 0; i < 60; ++i) {
        offline.edit({AddNode{"gain", "other" + std::to_string(i), {}, {}}});
        offline.render_block();
    }
    offline.settle();
    const auto& heard = offline.recorded[0];
    const auto moved = std::ranges::find_if(heard, [&](float sample) { return std::abs(sample - heard[0]) > 1e-5F; });
    const auto waited = static_cast<std::size_t>(moved - heard.begin()) - begin;
    EXPECT_GE(waited, 480U + 20 * 48 + 39);
    EXPECT_LE(waited, 480U + 20 * 48 + 39 + 480 + 3 * 64);
}

TEST_F(LatencyEdit, AnOutputThatLeavesWithSlowerFadesLeavesWithoutAStep) {
    start(false);
    offline.edit({RemoveNode{"out"}});
    // Edits before the first block is rendered: both outputs fade in with the second plan.
    offline.edit({AddNode{"output", "next", {}, {}}, AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}},
                  Connect{"dc", "lim", {}}, Connect{"lim", "next", {}}});
    offline.settle();
    const auto& heard = offline.recorded[0];
    for (std::size_t i = 1; i < heard.size(); ++i) ASSERT_LT(std::abs(heard[i] - heard[i - 1]), 2e-3F) << "frame " << i;
}

/// Returns the output while `nodes` are inserted in series between `source` and the output.
std::vector<float> heard_while_put_in(std::uint32_t block_size, const std::string& source, std::vector<AddNode> nodes,
                                      std::uint32_t frames) {
    OfflineEngine offline{EngineConfig{.block_size = block_size}};
    offline.load(R"({"nodes": [ )" + source + R"(, {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "source", "to": "out"} ]})");
    offline.render_blocks(4'096 / block_size);
    std::vector<Edit> edits{Disconnect{"source", "out"}};
    std::string before = "source";
    for (AddNode& node : nodes) {
        edits.emplace_back(Connect{before, node.name, {}});
        before = node.name;
        edits.emplace(edits.begin(), std::move(node));
    }
    edits.emplace_back(Connect{before, "out", {}});
    offline.edit(std::move(edits));
    offline.render_blocks(frames / block_size);
    return std::move(offline.recorded[0]);
}

constexpr const char* kHalf = R"({"name": "source", "type": "constant", "parameters": {"value": 0.5}})";
/// 0.5 at 100 Hz: a step of 0.0065 per frame.
constexpr const char* kSine =
    R"({"name": "source", "type": "sine", "parameters": {"frequency_hz": 100, "gain_db": -6.0206}})";

float largest_step(const std::vector<float>& samples) {
    float largest = 0.0F;
    for (std::size_t i = 1; i < samples.size(); ++i) largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    return largest;
}

AddNode delay_line(double time_ms, float feedback) {
    return {"delay_line", "delay", {}, {{"time_ms", static_cast<float>(time_ms)}, {"feedback", feedback}}};
}

TEST(EngineOnset, ADelayLineThatIsPutInDoesNotBeginWithAStep) {
    for (const std::uint32_t block_size : {16U, 64U, 512U, 1'024U}) {
        for (const double time_ms : {0.0, 0.03, 0.1, 0.5, 0.7777, 1.3, 1.4, 2.0, 5.0, 10.5, 15.0, 20.0, 100.0}) {
            // When the delayed constant becomes audible, it has the level to which its input has faded in by then.
            EXPECT_LT(largest_step(heard_while_put_in(block_size, kHalf, {delay_line(time_ms, 0.5F)}, 12'288)), 0.004F)
                << time_ms << " ms, blocks of " << block_size;
            EXPECT_LT(largest_step(heard_while_put_in(block_size, kSine, {delay_line(time_ms, 0.0F)}, 12'288)), 0.008F)
                << time_ms << " ms, blocks of " << block_size;
        }
    }
}

TEST(EngineOnset, ADelayLineWaitsForTheLookAheadInFrontOfIt) {
    for (const std::uint32_t block_size : {16U, 64U, 1'024U}) {
        const std::vector<float> heard = heard_while_put_in(
            block_size, kSine, {{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, delay_line(300.0, 0.0F)}, 24'576);
        EXPECT_LT(largest_step(heard), 0.008F) << "blocks of " << block_size;
        // The limiter is filled after 20 ms, and its output is audible 300 ms later.
        const std::size_t begin = 4'096 + 20 * 48 + 39 + 300 * 48;
        EXPECT_EQ(heard[begin - 1], 0.0F);
        EXPECT_NEAR(test::peak(std::span{heard}.subspan(begin + 480)), 0.5, 0.001) << "blocks of " << block_size;
    }
}

TEST(EngineOnset, ADelayLineWaitsForALookAheadThatCameShortlyBefore) {
    OfflineEngine offline;
    offline.load(std::string{R"({"nodes": [ )"} + kSine + R"(, {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "source", "to": "out"} ]})");
    offline.render_blocks(64);
    offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, Connect{"source", "lim", {}}});
    offline.render_blocks(2);
    offline.edit({delay_line(300.0, 0.0F), Disconnect{"source", "out"}, Connect{"lim", "delay", {}},
                  Connect{"delay", "out", {}}});
    offline.render_blocks(400);
    EXPECT_LT(largest_step(offline.recorded[0]), 0.008F);
}

TEST(EngineOnset, ADelayLineWaitsForACompensatingDelayInFrontOfIt) {
    OfflineEngine offline;
    offline.load(std::string{R"({"latency_compensation": true, "nodes": [ )"} + kSine +
                 R"(, {"name": "out", "type": "output"}, {"name": "lim", "type": "limiter", "settings":
                     {"look_ahead_ms": 20}} ], "connections": [ {"from": "source", "to": "out"},
                     {"from": "source", "to": "lim"}, {"from": "lim", "to": "out"} ]})");
    offline.render_blocks(64);
    // The mixed signals are delayed for the limiter, and so is the source before the delay line.
    offline.edit({AddNode{"mixer", "mix", {}, {}}, Connect{"source", "mix:in_1", {}}, Connect{"lim", "mix:in_2", {}},
                  delay_line(300.0, 0.0F), Connect{"mix", "delay", {}}, Connect{"delay", "out", {}}});
    offline.render_blocks(400);
    // Twice the step of the source, and the same again when the delayed signal has arrived.
    EXPECT_LT(largest_step(offline.recorded[0]), 0.03F);
}

TEST(EngineOnset, AReverbThatIsPutInBeginsItsTailWithoutACorner) {
    constexpr const char* kTone =
        R"({"name": "source", "type": "sine", "parameters": {"frequency_hz": 200, "gain_db": -6.0206}})";
    for (const float pre_delay_ms : {0.0F, 10.0F, 250.0F}) {
        for (const double look_ahead_ms : {0.0, 20.0}) {
            std::vector<AddNode> nodes{{"reverb", "verb", {}, {{"mix", 1.0F}, {"pre_delay_ms", pre_delay_ms}}}};
            std::size_t fade_end = 4'096 + 480;
            if (look_ahead_ms > 0.0) {
                nodes.insert(nodes.begin(), {"limiter", "lim", {{"look_ahead_ms", look_ahead_ms}}, {}});
                fade_end += 20 * 48 + 39;
            }
            const std::vector<float> heard = heard_while_put_in(64, kTone, std::move(nodes), 48'000);
            const double bend = test::largest_second_difference(std::span{heard}.subspan(fade_end + 2)).size;
            const double bend_at_rest = test::largest_second_difference(std::span{heard}.last(4'800)).size;
            // At the end of the 10 ms fade-in of the input, the second difference is 0.5 / 480.
            EXPECT_LT(bend, 2.0 * bend_at_rest + 0.5 / 480.0)
                << pre_delay_ms << " ms, behind " << look_ahead_ms << " ms";
        }
    }
}

TEST(EngineOnset, NodesPresentAtFrameZeroStartUnfaded) {
    for (const char* type : {"delay_line", "reverb"}) {
        OfflineEngine offline;
        offline.load(std::string{R"({"nodes": [ )"} + kHalf + R"(, {"name": "node", "type": ")" + type +
                     R"(", "parameters": {"mix": 1}}, {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "source", "to": "node"}, {"from": "node", "to": "out"} ]})");
        offline.render_blocks(200);
        const auto& heard = offline.recorded[0];
        const auto first = std::ranges::find_if(heard, [](float sample) { return sample != 0.0F; });
        ASSERT_NE(first, heard.end()) << type;
        EXPECT_GT(std::abs(*first), 0.01F) << type;
    }
}

TEST_F(LatencyEdit, AfterAResetTheOutputFadesInWhenTheLookAheadIsFilled) {
    start(false);
    insert_limiter(20.0);
    offline.settle();
    ASSERT_TRUE(offline.engine.mute_output(true));
    offline.settle();
    ASSERT_TRUE(offline.reset());
    ASSERT_TRUE(offline.engine.mute_output(false));
    offline.settle();
    const auto& heard = offline.recorded[0];
    EXPECT_NEAR(heard.back(), heard.front(), 1e-5F);
    for (std::size_t i = 1; i < heard.size(); ++i) ASSERT_LT(std::abs(heard[i] - heard[i - 1]), 2e-3F) << "frame " << i;
}

TEST_F(LatencyEdit, CompensationIsSwitchedOnAndOffWhileItPlays) {
    start(false);
    insert_limiter(5.0);
    offline.settle();
    for (const bool on : {true, false, true}) {
        offline.edit({SetLatencyCompensation{on}});
        offline.settle();
        EXPECT_EQ(offline.engine.graph().latency_compensation(), on);
        EXPECT_EQ(offline.engine.graph().document().latency_compensation, on);
    }
    expect_constant();
}

TEST(EngineLatencyLimits, CompensationAboveTheDelayLimitIsRejected) {
    OfflineEngine offline;
    GraphDocument document;
    document.latency_compensation = true;
    document.nodes.push_back({.name = "in", .type = "sine", .settings = {{"channels", 64.0}}, .parameters = {}});
    document.nodes.push_back({.name = "out", .type = "output", .settings = {{"channels", 64.0}}, .parameters = {}});
    std::string before = "in";
    for (int i = 0; i < 40; ++i) {
        const std::string name = "lim" + std::to_string(i);
        document.nodes.push_back({.name = name,
                                  .type = "limiter",
                                  .settings = {{"channels", 64.0}, {"look_ahead_ms", 20.0}},
                                  .parameters = {}});
        document.connections.push_back({.from = before, .to = name, .gain_db = {}});
        before = name;
    }
    document.connections.push_back({.from = before, .to = "out", .gain_db = {}});
    // Each of them delays 64 channels by 40 x 999 frames: 2.6 million samples.
    for (int i = 0; i < 30; ++i) {
        const std::string name = "straight" + std::to_string(i);
        document.nodes.push_back({.name = name, .type = "gain", .settings = {{"channels", 64.0}}, .parameters = {}});
        document.connections.push_back({.from = "in", .to = name, .gain_db = {}});
        document.connections.push_back({.from = name, .to = "out", .gain_db = {}});
    }
    const auto refused = offline.apply({ReplaceGraph{document}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_NE(refused.error().sentence.find("latency_compensation needs 293 MiB of delays"), std::string::npos)
        << refused.error().sentence;
    EXPECT_EQ(refused.error().edit_index, 0U);
    EXPECT_EQ(offline.engine.graph().node_count(), 0U);
    document.latency_compensation = false;
    EXPECT_TRUE(offline.apply({ReplaceGraph{document}}));
    const auto switched =
        offline.apply({RenameNode{"in", "source"}, SetLatencyCompensation{true}, RemoveNode{"lim20"}});
    ASSERT_TRUE(switched) << "half of the chain is left";
    const auto again = offline.apply(
        {RenameNode{"source", "in"}, AddNode{"limiter", "lim20", {{"channels", 64.0}, {"look_ahead_ms", 20.0}}, {}},
         Connect{"lim19", "lim20", {}}, Connect{"lim20", "lim21", {}}, RenameNode{"in", "source"}});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().edit_index, 3U);
}

}  // namespace
}  // namespace rta::test::engine_latency_test
