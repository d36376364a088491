// SPDX-License-Identifier: MIT
// Compares levels with the recording, sample by sample.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "support/offline_engine.h"

namespace rta::test::engine_levels_test {
namespace {

constexpr const char* kMetered = R"({
  "nodes": [ {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
             {"name": "other", "type": "sine", "parameters": {"frequency_hz": 123.4, "gain_db": -9}},
             {"name": "left_meter", "type": "meter"}, {"name": "right_meter", "type": "meter"},
             {"name": "left", "type": "output"}, {"name": "right", "type": "output", "settings": {"first_channel": 2}} ],
  "connections": [ {"from": "osc", "to": "left_meter"}, {"from": "left_meter", "to": "left"},
                   {"from": "other", "to": "right_meter"}, {"from": "right_meter", "to": "right"} ] })";

struct EngineLevels : testing::Test {
    /// Expects the level of channel 0 of `source` to equal that of the recording of `channel`.
    void expect_like_recording(const MeasuredLevels& levels, const MeasuredLevels::Source& source,
                               std::uint32_t channel, std::uint32_t of_source = 0) const {
        const auto& samples = offline.recorded[channel];
        double peak = 0;
        double sum = 0;
        for (std::uint64_t i = levels.frame - source.frame_count; i < levels.frame; ++i) {
            peak = std::max(peak, std::abs(static_cast<double>(samples.at(i))));
            sum += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
        }
        ASSERT_GT(source.channels.size(), of_source);
        EXPECT_EQ(source.channels[of_source].peak, static_cast<float>(peak));
        EXPECT_NEAR(source.channels[of_source].sum_of_squares, sum, 1e-5 * sum + 1e-12);
    }
    [[nodiscard]] NodeId id(const char* name) const { return offline.engine.graph().find(name)->id; }

    OfflineEngine offline;
};

TEST_F(EngineLevels, LevelsMatchTheReportedFrames) {
    offline.load(kMetered);
    offline.render_blocks(3);
    EXPECT_EQ(offline.engine.take_levels().frame_count, 0U) << "no client watches";
    offline.engine.watch_levels(true);
    offline.render_blocks(1);
    EXPECT_EQ(offline.engine.take_levels().frame_count, 0U) << "the quantum that was under way does not count";
    std::uint64_t end = 256;
    for (const std::uint32_t blocks : {4U, 7U, 1U, 1U, 20U, 3U}) {
        offline.render_blocks(blocks);
        const MeasuredLevels levels = offline.engine.take_levels();
        EXPECT_EQ(levels.frame - levels.frame_count, end) << "without a gap";
        EXPECT_EQ(levels.frame, offline.frame() / 256 * 256);
        end = levels.frame;
        EXPECT_EQ(levels.outputs.frame_count, levels.frame_count);
        ASSERT_EQ(levels.meters.size(), 2U);
        EXPECT_EQ(levels.meters[0].node, id("left_meter"));
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
            EXPECT_EQ(levels.meters[channel].frame_count, levels.frame_count);
            if (levels.frame_count == 0) continue;
            expect_like_recording(levels, levels.outputs, channel, channel);
            expect_like_recording(levels, levels.meters[channel], channel);
        }
    }
}

TEST_F(EngineLevels, MeasuredFromTheStartEveryFrameCounts) {
    offline.load(R"({"nodes": [ {"name": "tick", "type": "impulse"}, {"name": "level", "type": "meter"},
                                {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "tick", "to": "level"}, {"from": "level", "to": "out"} ] })");
    offline.engine.watch_levels(true);
    offline.render_blocks(4);
    const MeasuredLevels levels = offline.engine.take_levels();
    EXPECT_EQ(levels.frame_count, 256U);
    EXPECT_EQ(levels.frame, 256U);
    ASSERT_EQ(levels.meters.size(), 1U);
    EXPECT_EQ(levels.meters[0].channels[0].peak, 1.0F) << "in frame 0";
    expect_like_recording(levels, levels.outputs, 0);
    expect_like_recording(levels, levels.meters[0], 0);
}

TEST_F(EngineLevels, TheOutputsAreMeasuredBehindTheMuteAndTheMetersBeforeIt) {
    offline.load(kMetered);
    offline.engine.watch_levels(true);
    offline.render_blocks(8);
    static_cast<void>(offline.engine.take_levels());
    ASSERT_TRUE(offline.engine.mute_output(true));
    offline.settle();
    offline.render_blocks(8);
    static_cast<void>(offline.engine.take_levels());
    offline.render_blocks(8);
    const MeasuredLevels levels = offline.engine.take_levels();
    EXPECT_EQ(levels.outputs.channels[0].peak, 0.0F);
    EXPECT_GT(levels.meters[0].channels[0].peak, 0.4F);
}

TEST_F(EngineLevels, AMeterThatComesLaterIsMeasuredFromItsFirstFrameOn) {
    offline.load(kMetered);
    offline.engine.watch_levels(true);
    offline.render_blocks(9);
    static_cast<void>(offline.engine.take_levels());
    offline.edit({AddNode{"meter", "late", {}, {}}, Connect{"osc", "late", {}}, RemoveNode{"right_meter"}});
    offline.render_blocks(7);
    const MeasuredLevels levels = offline.engine.take_levels();
    ASSERT_EQ(levels.meters.size(), 2U);
    EXPECT_EQ(levels.frame_count, 512U);
    EXPECT_EQ(levels.meters[1].node, id("late"));
    EXPECT_EQ(levels.meters[1].frame_count, 512U - 64U);
    expect_like_recording(levels, levels.meters[1], 0);
    // A reset changes the processors, not the meters.
    ASSERT_TRUE(offline.reset());
    offline.render_blocks(8);
    const MeasuredLevels after = offline.engine.take_levels();
    EXPECT_EQ(after.meters[1].node, id("late"));
    EXPECT_EQ(after.meters[1].frame_count, 512U);
    expect_like_recording(after, after.meters[1], 0);
}

TEST_F(EngineLevels, AGainReductionCoversTheSameFramesAsTheLevels) {
    offline.load(R"({"nodes": [ {"name": "half", "type": "constant", "parameters": {"value": 0.5}},
                                {"name": "comp", "type": "compressor",
                                 "parameters": {"threshold_db": -20, "ratio": 100, "knee_db": 0}},
                                {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "half", "to": "comp"}, {"from": "comp", "to": "out"} ]})");
    offline.engine.watch_levels(true);
    offline.render_blocks(8);
    static_cast<void>(offline.engine.take_levels());
    for (int i = 0; i < 20; ++i) {
        offline.render_blocks(7);
        const MeasuredLevels levels = offline.engine.take_levels();
        ASSERT_EQ(levels.meters.size(), 1U);
        const MeasuredLevels::Source& comp = levels.meters[0];
        EXPECT_EQ(comp.node, id("comp"));
        EXPECT_EQ(comp.frame_count, levels.frame_count);
        EXPECT_TRUE(comp.channels.empty());
        ASSERT_TRUE(comp.gain);
        if (levels.frame_count == 0) continue;
        // While it attacks, the last gain is the smallest.
        EXPECT_NEAR(comp.gain->last, offline.recorded[0][levels.frame - 1] / 0.5F, 1e-6F);
        EXPECT_EQ(comp.gain->smallest, comp.gain->last);
    }
    const auto refused = offline.engine.restart_loudness(std::vector<std::string>{"comp"});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("does not measure loudness: expected a meter"), std::string::npos);
    EXPECT_TRUE(offline.engine.restart_loudness({})) << "all meters: none";
}

TEST_F(EngineLevels, MeasurementsBeforeAPauseAreDiscarded) {
    offline.load(kMetered);
    offline.engine.watch_levels(true);
    offline.render_blocks(50);
    offline.engine.watch_levels(false);
    offline.render_blocks(50);
    offline.engine.watch_levels(true);
    offline.render_blocks(4);
    static_cast<void>(offline.engine.take_levels());
    offline.render_blocks(8);
    const MeasuredLevels levels = offline.engine.take_levels();
    EXPECT_LE(levels.frame_count, 512U);
    EXPECT_EQ(levels.meters[0].frame_count, levels.frame_count);
    expect_like_recording(levels, levels.meters[0], 0);
}

TEST_F(EngineLevels, AControlThreadThatComesLateLosesNothing) {
    offline.load(kMetered);
    offline.engine.watch_levels(true);
    offline.render_blocks(4);
    static_cast<void>(offline.engine.take_levels());
    offline.render_blocks(75 * 60);  // 6 s
    std::uint64_t outputs = 0;
    std::map<std::uint64_t, std::uint64_t> meters;
    for (int i = 0; i < 3; ++i) {
        const MeasuredLevels levels = offline.engine.take_levels();
        outputs += levels.frame_count;
        for (const auto& meter : levels.meters) meters[meter.node.value()] += meter.frame_count;
        offline.render_blocks(4);
    }
    EXPECT_EQ(outputs, (75 * 60 + 8) * 64U);
    for (const auto& [node, frames] : meters) EXPECT_EQ(frames, outputs);
}

/// Devices of different widths in sequence. Every sample of channel c is (c + 1) / 8.
struct EngineLevelsOfDevices : testing::Test {
    void SetUp() override {
        constexpr const char* kDocument = R"({
          "nodes": [ {"name": "c0", "type": "constant", "parameters": {"value": 0.125}},
                     {"name": "c1", "type": "constant", "parameters": {"value": 0.25}},
                     {"name": "m", "type": "meter"},
                     {"name": "o0", "type": "output"}, {"name": "o1", "type": "output", "settings": {"first_channel": 2}} ],
          "connections": [ {"from": "c0", "to": "m"}, {"from": "m", "to": "o0"}, {"from": "c1", "to": "o1"} ] })";
        auto read = read_document(kDocument);
        ASSERT_TRUE(read);
        auto prepared = engine.prepare(Transaction{{ReplaceGraph{std::move(*read)}}});
        ASSERT_TRUE(prepared);
        ASSERT_TRUE(engine.commit(*prepared));
        engine.watch_levels(true);
        render(2, 4);
        EXPECT_EQ(engine.take_levels().frame_count, 256U);
    }
    void render(std::uint32_t channels, int blocks) {
        AudioBuffer outputs{channels, 64};
        for (int i = 0; i < blocks; ++i) {
            const auto claim = engine.gate().try_claim(generation);
            ASSERT_TRUE(claim);
            engine.renderer().render(claim.key(), {AudioReadView{}, outputs.write()});
        }
    }
    /// Expects levels of these numbers of frames per channel, each frame at the constant of its channel.
    static void expect_channels(const MeasuredLevels& levels, std::initializer_list<std::uint64_t> frames) {
        ASSERT_EQ(levels.outputs.channels.size(), frames.size());
        float value = 0.0F;
        for (std::size_t channel = 0; channel < frames.size(); ++channel) {
            value += 0.125F;
            const std::uint64_t count = frames.begin()[channel];
            EXPECT_EQ(levels.outputs.channels[channel].peak, value);
            EXPECT_EQ(levels.outputs.channels[channel].frame_count, count);
            EXPECT_NEAR(levels.outputs.channels[channel].sum_of_squares,
                        static_cast<double>(value * value) * static_cast<double>(count), 1e-3);
        }
    }

    Engine engine{builtin_nodes(), {}};
    AudioThreadGate::Generation generation = engine.gate().start_generation();
};

TEST_F(EngineLevelsOfDevices, NoFrameIsLostWhereTheDeviceChangesInAQuantum) {
    render(2, 5);
    render(1, 6);
    MeasuredLevels levels = engine.take_levels();
    EXPECT_EQ(levels.frame, 256U + 512U);
    EXPECT_EQ(levels.frame_count, 512U);
    expect_channels(levels, {512});
    EXPECT_EQ(levels.meters[0].frame_count, 512U) << "whose width is its own";
    render(2, 5);
    levels = engine.take_levels();
    EXPECT_EQ(levels.frame, 256U + 1'024U);
    EXPECT_EQ(levels.frame_count, 512U);
    expect_channels(levels, {512, 320});
    render(0, 2);
    render(2, 2);
    levels = engine.take_levels();
    EXPECT_EQ(levels.frame_count, 256U);
    expect_channels(levels, {128, 128});
}

TEST_F(EngineLevelsOfDevices, ChannelsThatAreGoneAreNotTold) {
    render(2, 4);
    render(1, 4);
    expect_channels(engine.take_levels(), {512});
    render(2, 4);
    render(0, 4);
    const MeasuredLevels levels = engine.take_levels();
    EXPECT_EQ(levels.frame_count, 512U);
    expect_channels(levels, {});
    render(2, 4);
    render(1, 4);
    render(2, 4);
    expect_channels(engine.take_levels(), {768, 256});
}

TEST_F(EngineLevelsOfDevices, ADeviceThatChangesWhileNobodyTakesLosesNothing) {
    render(2, 75 * 20);  // 2 s: the ring is full
    render(1, 2);
    render(2, 2);
    std::uint64_t frames = 0;
    for (int i = 0; i < 3; ++i) {
        const MeasuredLevels levels = engine.take_levels();
        frames += levels.frame_count;
        ASSERT_FALSE(levels.outputs.channels.empty());
        EXPECT_EQ(levels.outputs.channels[0].frame_count, levels.frame_count);
        render(2, 4);
    }
    EXPECT_EQ(frames, (75 * 20 + 4 + 8) * 64U);
}

}  // namespace
}  // namespace rta::test::engine_levels_test
