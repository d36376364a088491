// SPDX-License-Identifier: MIT
// Checks which connections fade and for how long, sample by sample. Signals are constants, so that the recording is
// the fade itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "support/offline_engine.h"

namespace rta::test::engine_fade_test {
namespace {

constexpr std::size_t kConnectionFade = 480;  // 10 ms at 48 kHz
constexpr std::size_t kDeviceFade = 960;      // 20 ms
constexpr float kTolerance = 2e-6F;           // float32 sums of a few products near 1

/// A constant of 1 through a gain to both channels.
constexpr const char* kChain = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 1}},
             {"name": "vol", "type": "gain"},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "one", "to": "vol"}, {"from": "vol", "to": "out"} ] })";

struct EngineFade : testing::Test {
    void start() {
        offline.load(kChain);
        offline.render_blocks(4);
    }
    /// Returns the output of channel 0 from `frame` on.
    [[nodiscard]] std::span<const float> from(std::size_t frame) const {
        return std::span{offline.recorded[0]}.subspan(frame);
    }
    static float largest_step(std::span<const float> samples) {
        float step = 0.0F;
        for (std::size_t i = 1; i < samples.size(); ++i) step = std::max(step, std::abs(samples[i] - samples[i - 1]));
        return step;
    }
    static void expect_ramp(std::span<const float> samples, float begin, float end, std::size_t length) {
        ASSERT_GE(samples.size(), length);
        for (std::size_t i = 0; i < length; ++i) {
            const float expected = begin + (end - begin) * static_cast<float>(i) / static_cast<float>(length);
            ASSERT_NEAR(samples[i], expected, kTolerance) << "frame " << i;
        }
        for (const float sample : samples.subspan(length)) ASSERT_EQ(sample, end);
    }

    OfflineEngine offline;
};

TEST_F(EngineFade, WhatIsThereAtFrameZeroStartsUnfaded) {
    start();
    for (const float sample : offline.recorded[0]) ASSERT_EQ(sample, 1.0F);
    EXPECT_EQ(offline.recorded[0], offline.recorded[1]);
}

TEST_F(EngineFade, ANewOutputFadesItsPathToTheDeviceIn) {
    offline.render_blocks(3);
    const std::size_t begin = offline.recorded[0].size();
    offline.load(kChain);
    offline.render_blocks(20);
    expect_ramp(from(begin), 0.0F, 1.0F, kDeviceFade);
}

TEST_F(EngineFade, ALeavingOutputFadesItsPathToTheDeviceOut) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({RemoveNode{"out"}});
    offline.render_blocks(20);
    expect_ramp(from(begin), 1.0F, 0.0F, kDeviceFade);
}

TEST_F(EngineFade, AnInsertedNodeCrossFadesWithThePathItReplacesWithoutADip) {
    start();
    offline.edit({AddNode{"gain", "extra", {}, {}}, Disconnect{"vol", "out"}, Connect{"vol", "extra", {}},
                  Connect{"extra", "out", {}}});
    offline.settle();
    for (const float sample : offline.recorded[0]) ASSERT_NEAR(sample, 1.0F, kTolerance);
}

TEST_F(EngineFade, AnInsertedNodeOfAnotherLevelFadesLinearlyToIt) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({AddNode{"gain", "extra", {}, {{"gain_db", -120.0F}}}, Disconnect{"vol", "out"},
                  Connect{"vol", "extra", {}}, Connect{"extra", "out", {}}});
    offline.settle();
    expect_ramp(from(begin), 1.0F, 0.0F, kConnectionFade);
}

TEST_F(EngineFade, ARemovedNodeCrossFadesWithThePathThatReplacesIt) {
    start();
    offline.edit({RemoveNode{"vol"}, Connect{"one", "out", {}}});
    offline.settle();
    for (const float sample : offline.recorded[0]) ASSERT_NEAR(sample, 1.0F, kTolerance);
    EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
}

TEST_F(EngineFade, ADisconnectedSourceFadesOut) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({Disconnect{"one", "vol"}});
    offline.settle();
    offline.render_blocks(4);
    expect_ramp(from(begin), 1.0F, 0.0F, kConnectionFade);
}

TEST_F(EngineFade, NewChainFadesOnlyAtItsJunction) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({AddNode{"constant", "two", {}, {{"value", 0.5F}}}, AddNode{"gain", "two_vol", {}, {}},
                  Connect{"two", "two_vol", {}}, Connect{"two_vol", "out", {}}});
    offline.settle();
    offline.render_blocks(4);
    // If the inner connection also faded, this would be a parabola.
    expect_ramp(from(begin), 1.0F, 1.5F, kConnectionFade);
}

TEST_F(EngineFade, ARepeatedConnectRampsTheGainOfTheConnection) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({Connect{"vol", "out", -120.0F}});
    offline.settle();
    offline.render_blocks(4);
    expect_ramp(from(begin), 1.0F, 0.0F, kConnectionFade);
    EXPECT_EQ(offline.engine.graph().connection_count(), 2U);
}

TEST_F(EngineFade, AnEditDuringACrossfadeWaitsForItsEnd) {
    start();
    offline.edit({Disconnect{"one", "vol"}});
    offline.render_blocks(3);  // 192 of 480 frames
    ASSERT_NEAR(offline.recorded[0].back(), 1.0F - 191.0F / 480.0F, kTolerance);
    offline.edit({Connect{"one", "vol", {}}});
    offline.settle();
    offline.render_blocks(4);
    ASSERT_EQ(offline.transactions_heard.size(), 3U);
    const std::size_t turn = offline.transactions_heard[2].second;
    EXPECT_LE(turn, offline.transactions_heard[1].second + kConnectionFade + 64);
    expect_ramp(from(turn), 0.0F, 1.0F, kConnectionFade);
}

TEST_F(EngineFade, NodeRemovedDuringItsFadeInLeavesNoDip) {
    start();
    for (int i = 0; i < 20; ++i) {
        offline.edit({AddNode{"gain", "extra", {}, {}}, Disconnect{"vol", "out"}, Connect{"vol", "extra", {}},
                      Connect{"extra", "out", {}}});
        offline.render_blocks(3);
        offline.edit({RemoveNode{"extra"}, Connect{"vol", "out", {}}});
        offline.render_blocks(2);
    }
    offline.settle();
    for (const float sample : offline.recorded[0]) ASSERT_NEAR(sample, 1.0F, kTolerance);
}

TEST_F(EngineFade, TwoNodesThatChangePlacesAreNeverSilent) {
    start();
    offline.edit({AddNode{"gain", "second", {}, {}}, Disconnect{"vol", "out"}, Connect{"vol", "second", {}},
                  Connect{"second", "out", {}}});
    offline.settle();
    const std::size_t begin = offline.recorded[0].size();
    // one -> vol -> second -> out becomes one -> second -> vol -> out. Both together would form a loop, so the ports
    // change one after another.
    offline.edit({Disconnect{"one", "vol"}, Disconnect{"vol", "second"}, Disconnect{"second", "out"},
                  Connect{"one", "second", {}}, Connect{"second", "vol", {}}, Connect{"vol", "out", {}}});
    offline.settle();
    offline.render_blocks(4);
    for (const float sample : from(begin)) ASSERT_NEAR(sample, 1.0F, kTolerance);
}

TEST_F(EngineFade, ParametersRampInTwentyMilliseconds) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    const SetParameter change{"one", "value", -1.0F, {}};
    ASSERT_TRUE(offline.engine.set_parameters({&change, 1}));
    offline.render_blocks(20);
    expect_ramp(from(begin), 1.0F, -1.0F, 960);
}

TEST_F(EngineFade, LevelsRampLinearlyInAmplitudeDownToExactSilence) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    const SetParameter change{"vol", "gain_db", -120.0F, 5.0F};
    ASSERT_TRUE(offline.engine.set_parameters({&change, 1}));
    offline.render_blocks(20);
    expect_ramp(from(begin), 1.0F, 0.0F, 240);
}

TEST_F(EngineFade, AChangedSettingBuildsTheNodeAnewAndCrossFades) {
    start();
    offline.edit({ChangeSettings{"vol", {{"channels", 2.0}}}});
    offline.settle();
    for (const float sample : offline.recorded[0]) ASSERT_NEAR(sample, 1.0F, kTolerance);
    EXPECT_EQ(offline.engine.graph().find("vol")->description->settings.integer("channels"), 2U);
}

TEST_F(EngineFade, TheDeviceFadesOutAndSaysWhen) {
    start();
    const std::size_t begin = offline.recorded[0].size();
    ASSERT_TRUE(offline.engine.fade_device(0.0F, 20.0F));
    offline.render_blocks(20);
    expect_ramp(from(begin), 1.0F, 0.0F, 960);
    ASSERT_EQ(offline.device_fades.size(), 1U);
    EXPECT_EQ(offline.device_fades.front(), begin + 960);
}

TEST_F(EngineFade, WithoutRampsEveryEditIsAStep) {
    EngineConfig config;
    config.ramps = false;
    OfflineEngine stepping{config};
    stepping.load(kChain);
    stepping.render_blocks(4);
    stepping.edit({Disconnect{"one", "vol"}});
    stepping.render_blocks(4);
    EXPECT_EQ(largest_step(stepping.recorded[0]), 1.0F);
}

}  // namespace
}  // namespace rta::test::engine_fade_test
