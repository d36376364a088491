// SPDX-License-Identifier: MIT
// The volume of the output, together with mutes, panics and the fade at exit.
#include <gtest/gtest.h>

#include <cmath>

#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_volume_test {
namespace {

constexpr std::size_t kRamp = 960;  // 20 ms at 48 kHz
constexpr float kTolerance = 4e-6F;

constexpr const char* kOne = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 1}},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "one", "to": "out"} ] })";

/// A limiter delays by its look-ahead.
constexpr const char* kLate = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 0.5}},
             {"name": "lim", "type": "limiter"},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "one", "to": "lim"}, {"from": "lim", "to": "out"} ] })";

/// 10^(volume / 20) by the mathematics library, not by dsp/math.
float gain_of(float volume_db) {
    return volume_db <= -120.0F ? 0.0F : static_cast<float>(std::pow(10.0, static_cast<double>(volume_db) / 20.0));
}

/// A ramp of 20 ms, linear in gain, then the end.
void expect_ramp(std::span<const float> samples, float begin, float end) {
    ASSERT_GT(samples.size(), kRamp);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const float along = std::min(static_cast<float>(i) / static_cast<float>(kRamp), 1.0F);
        ASSERT_NEAR(samples[i], begin + (end - begin) * along, kTolerance) << "frame " << i;
    }
}

/// The largest step between two samples.
float largest_step(std::span<const float> samples) {
    float largest = 0.0F;
    for (std::size_t i = 1; i < samples.size(); ++i) largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    return largest;
}

struct EngineVolume : testing::Test {
    void set(float volume_db) {
        const auto ticket = offline.engine.set_output_volume(volume_db);
        ASSERT_TRUE(ticket) << ticket.error().sentence;
        EXPECT_EQ(ticket->revision, offline.engine.revision()) << "it takes no revision";
    }
    void mute(bool muted) { ASSERT_TRUE(offline.engine.mute_output(muted)); }
    [[nodiscard]] std::span<const float> from(std::size_t frame) const {
        return std::span{offline.recorded[0]}.subspan(frame);
    }
    OfflineEngine offline;
};

TEST_F(EngineVolume, RampsToEveryVolumeOfItsRange) {
    offline.load(kOne);
    offline.render_blocks(2);
    float before = 0.0F;
    for (const float volume_db : {-6.0F, 12.0F, -120.0F, 12.0F, -119.9F, 0.0F, -0.1F, 3.0F, -120.0F, 0.0F}) {
        const std::size_t begin = offline.frame();
        set(volume_db);
        offline.settle();
        offline.render_blocks(2);
        expect_ramp(from(begin), gain_of(before), gain_of(volume_db));
        EXPECT_EQ(offline.engine.output_volume_db(), volume_db);
        before = volume_db;
    }
    EXPECT_EQ(offline.recorded[0].back(), 1.0F) << "0 dB is exact";
    EXPECT_EQ(offline.recorded[1], offline.recorded[0]) << "on all channels";
}

TEST_F(EngineVolume, RefusesWhatIsOutOfRange) {
    offline.load(kOne);
    set(-6.0F);
    for (const float volume_db : {std::nextafter(-120.0F, -200.0F), std::nextafter(12.0F, 20.0F),
                                  std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        const auto refused = offline.engine.set_output_volume(volume_db);
        ASSERT_FALSE(refused) << volume_db;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        EXPECT_TRUE(refused.error().sentence.ends_with("out of range: -120 (silence) to 12 dB"))
            << refused.error().sentence;
        EXPECT_EQ(offline.engine.output_volume_db(), -6.0F);
    }
}

TEST_F(EngineVolume, IsInEffectFromTheFirstFrame) {
    set(-20.0F);
    offline.load(kOne);
    offline.render_blocks(4);
    for (const float sample : offline.recorded[0]) ASSERT_NEAR(sample, 0.1F, kTolerance);
}

TEST_F(EngineVolume, IsKeptWhileTheOutputIsMuted) {
    offline.load(kOne);
    offline.render_blocks(2);
    mute(true);
    offline.settle();
    const std::size_t silent = offline.frame();
    set(-12.0F);
    EXPECT_TRUE(offline.engine.output_silent()) << "a panic must not wait for it";
    offline.settle();
    offline.render_blocks(20);
    for (const float sample : from(silent)) ASSERT_EQ(sample, 0.0F);
    const std::size_t begin = offline.frame();
    mute(false);
    offline.settle();
    offline.render_blocks(2);
    expect_ramp(from(begin), 0.0F, gain_of(-12.0F));
}

TEST_F(EngineVolume, DoesNotProlongAMuteThatIsFading) {
    offline.load(kOne);
    set(12.0F);
    offline.settle();
    offline.render_blocks(20);
    const std::size_t begin = offline.frame();
    mute(true);
    offline.render_blocks(5);
    set(-6.0F);
    offline.render_blocks(10);
    EXPECT_TRUE(offline.engine.output_silent()) << "after 15 blocks of 64 frames";
    offline.render_blocks(5);
    expect_ramp(from(begin), gain_of(12.0F), 0.0F);
}

TEST_F(EngineVolume, ContinuesFromTheLevelOfAFadeThatIsRunning) {
    offline.load(kOne);
    mute(true);
    offline.render_blocks(20);
    const std::size_t begin = offline.frame();
    mute(false);
    offline.render_blocks(6);
    const std::size_t changed = offline.frame();
    const float reached = static_cast<float>(changed - begin) / static_cast<float>(kRamp);
    set(6.0F);
    offline.settle();
    offline.render_blocks(2);
    for (std::size_t i = begin; i < changed; ++i)
        ASSERT_NEAR(offline.recorded[0][i], static_cast<float>(i - begin) / static_cast<float>(kRamp), kTolerance);
    expect_ramp(from(changed), reached, gain_of(6.0F));
}

TEST_F(EngineVolume, SurvivesAPanicAndWaitsForLookAheadAfterIt) {
    offline.load(kLate);
    offline.render_blocks(40);
    mute(true);
    offline.settle();
    ASSERT_TRUE(offline.reset());
    set(12.0F);
    mute(false);  // waits until the look-ahead of the new limiter is filled
    set(6.0F);    // while it waits
    offline.render_block();
    set(0.0F);
    offline.render_blocks(4);
    set(-6.0F);
    offline.settle();
    offline.render_blocks(30);
    EXPECT_EQ(offline.engine.output_volume_db(), -6.0F);
    EXPECT_NEAR(offline.recorded[0].back(), 0.5F * gain_of(-6.0F), kTolerance);
    const auto heard = from(40 * 64);
    EXPECT_LT(largest_step(heard), 0.5F * gain_of(6.0F) / static_cast<float>(kRamp) + kTolerance);
}

TEST_F(EngineVolume, DoesNotUndoTheFadeAtExit) {
    offline.load(kOne);
    offline.render_blocks(4);
    set(6.0F);
    offline.render_blocks(3);
    const std::size_t begin = offline.frame();
    const float reached = 1.0F + (gain_of(6.0F) - 1.0F) * 192.0F / static_cast<float>(kRamp);
    const std::size_t fades = offline.device_fades.size();
    ASSERT_TRUE(offline.engine.fade_device(0.0F, kDeviceFadeMs));
    offline.render_blocks(5);
    set(-3.0F);
    offline.render_blocks(15);
    expect_ramp(from(begin), reached, 0.0F);
    ASSERT_EQ(offline.device_fades.size(), fades + 1);
    EXPECT_EQ(offline.device_fades.back(), begin + kRamp) << "the change has not prolonged it";
}

TEST_F(EngineVolume, NeverStepsHoweverItIsChanged) {
    offline.load(kOne);
    offline.render_blocks(4);
    for (unsigned seed = 0; seed < 400; ++seed) {
        std::mt19937 random{seed};
        const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
        switch (draw(4)) {
            case 0:
                mute(draw(2) == 0);
                break;
            case 1:
                set(draw(2) == 0 ? -120.0F : 12.0F);
                break;
            default:
                set(static_cast<float>(draw(1'321)) / 10.0F - 120.0F);
                break;
        }
        offline.render_blocks(draw(24));
    }
    // A ramp over the whole range is the steepest.
    EXPECT_LT(largest_step(offline.recorded[0]), gain_of(12.0F) / static_cast<float>(kRamp) + kTolerance);
    EXPECT_GT(*std::ranges::max_element(offline.recorded[0]), 3.9F) << "the test hears the whole range";
}

/// 32 gains of 24 dB: 2.5e38, close to the largest float.
TEST_F(EngineVolume, NeverPassesInfinityToTheDevice) {
    std::vector<Edit> edits{AddNode{"constant", "one", {}, {{"value", 1.0F}}}, AddNode{"output", "out", {}, {}}};
    std::string last = "one";
    for (int i = 0; i < 32; ++i) {
        const std::string name = "g" + std::to_string(i);
        edits.emplace_back(AddNode{"gain", name, {}, {{"gain_db", 24.0F}}});
        edits.emplace_back(Connect{last, name, {}});
        last = name;
    }
    edits.emplace_back(Connect{last, "out", {}});
    offline.edit(edits);
    offline.settle();
    offline.render_blocks(4);
    ASSERT_GT(offline.recorded[0].back(), 1e38F);
    set(12.0F);
    offline.settle();
    offline.render_blocks(4);
    for (const float sample : offline.recorded[0]) ASSERT_TRUE(std::isfinite(sample));
    EXPECT_TRUE(offline.faults.empty()) << "no node is at fault";
    set(-120.0F);
    offline.settle();
    set(-6.0F);
    offline.settle();
    offline.render_blocks(4);
    EXPECT_GT(offline.recorded[0].back(), 1e38F) << "it plays again";
}

}  // namespace
}  // namespace rta::test::engine_volume_test
