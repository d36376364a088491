// SPDX-License-Identifier: MIT
// Gain reductions as subscribers receive them.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

struct GainReductionTest : testing::Test {
    /// Renders 1 s, and returns the last levels that the client has received.
    v1::Levels play() {
        const TimePoint began = script.now;
        for (int block = 1; block <= 750; ++block) {
            script.now = began + std::chrono::microseconds{block * 64'000'000LL / 48'000};
            script.block();
        }
        v1::Levels levels;
        while (const auto message = script.receive('a')) {
            if (message->has_event() && message->event().has_levels()) levels = message->event().levels();
        }
        return levels;
    }

    Script script;
};

TEST_F(GainReductionTest, IsReportedWithoutMakeUpGainAndIs0WhileBypassed) {
    script.play("hello a");
    script.play(
        "a> id: 1 apply_transaction { wait_for_start: true edits { "
        "edits { add_node { name: \"half\" type: \"constant\" parameters { key: \"value\" value: 0.5 } } } "
        "edits { add_node { name: \"gate\" type: \"gate\" parameters { key: \"range_db\" value: -120 } } } "
        "edits { add_node { name: \"comp\" type: \"compressor\" "
        "settings { fields { key: \"channels\" value { number_value: 2 } } } "
        "parameters { key: \"threshold_db\" value: -26.0205999 } parameters { key: \"ratio\" value: 2 } "
        "parameters { key: \"knee_db\" value: 0 } parameters { key: \"makeup_db\" value: 6 } } } "
        "edits { connect { from: \"half\" to: \"comp\" } } } }");
    script.block();
    script.play("a> id: 2 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 20 }");
    v1::Levels levels = play();
    ASSERT_EQ(levels.meters_size(), 2);
    const v1::MeterLevels& comp = levels.meters(0);
    EXPECT_EQ(comp.node(), "comp");
    EXPECT_EQ(comp.channels_size(), 0);
    EXPECT_FALSE(comp.has_loudness());
    EXPECT_NEAR(comp.gain_reduction().largest_db(), 10.0, 0.01) << "20 dB over the threshold, 2:1";
    EXPECT_NEAR(comp.gain_reduction().current_db(), 10.0, 0.01);
    EXPECT_EQ(levels.meters(1).node(), "gate");
    EXPECT_EQ(levels.meters(1).gain_reduction().largest_db(), 120.0F) << "closed: silence";
    EXPECT_EQ(levels.meters(1).gain_reduction().current_db(), 120.0F);

    script.play("a> id: 3 set_parameters { changes { node: \"comp\" parameter: \"bypass\" value: 1 } }");
    levels = play();
    ASSERT_EQ(levels.meters_size(), 2);
    EXPECT_TRUE(levels.meters(0).has_gain_reduction());
    EXPECT_EQ(levels.meters(0).gain_reduction().largest_db(), 0.0F);
    EXPECT_EQ(levels.meters(0).gain_reduction().current_db(), 0.0F);
}

}  // namespace
}  // namespace rta::api::test
