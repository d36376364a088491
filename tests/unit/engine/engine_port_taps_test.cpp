// SPDX-License-Identifier: MIT
// Watched ports: what they measure, and that nothing else changes.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "support/offline_engine.h"

namespace rta::test::engine_port_taps_test {
namespace {

constexpr const char* kGraph = R"({
  "nodes": [ {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 937.5, "gain_db": -20}},
             {"name": "split", "type": "split", "settings": {"channels": 1}},
             {"name": "vol", "type": "gain", "parameters": {"gain_db": -6}},
             {"name": "hall", "type": "reverb"}, {"name": "out", "type": "output"} ],
  "connections": [ {"from": "osc", "to": "split"}, {"from": "split", "to": "vol"}, {"from": "vol", "to": "hall"},
                   {"from": "hall", "to": "out"}, {"from": "osc", "to": "out", "gain_db": -3} ] })";

struct EnginePortTaps : testing::Test {
    EnginePortTaps() { offline.load(kGraph); }

    static TappedPort tap_at(OfflineEngine& at, const char* port, bool samples = false) {
        const PortRef ref = at.engine.graph().resolve_output(port).value();
        return {ref, std::make_shared<PortTap>(1, 48'000.0, 64, samples)};
    }
    /// Takes everything that was measured.
    static MeasuredLevels::Channel take(PortTap& tap) {
        MeasuredLevels::Channel sum;
        while (const auto record = tap.levels().take()) {
            sum.peak = std::max(sum.peak, record->peak);
            sum.sum_of_squares += record->sum_of_squares;
            sum.frame_count += record->channel_frame_count;
        }
        return sum;
    }
    static double rms_db(const MeasuredLevels::Channel& channel) {
        return 10.0 * std::log10(channel.sum_of_squares / static_cast<double>(channel.frame_count));
    }

    OfflineEngine offline;
};

TEST_F(EnginePortTaps, AWatchedSineHasItsLevel) {
    const TappedPort osc = tap_at(offline, "osc");
    const TappedPort vol = tap_at(offline, "vol");
    const TappedPort forwarded = tap_at(offline, "split");
    offline.engine.watch_ports({vol, osc, forwarded});
    EXPECT_TRUE(offline.engine.outstanding());
    offline.settle();
    for (const TappedPort& port : {osc, vol, forwarded}) take(*port.tap);
    offline.render_blocks(100);
    const auto at_osc = take(*osc.tap);
    const auto at_vol = take(*vol.tap);
    EXPECT_NEAR(static_cast<double>(at_osc.frame_count), 6'400.0, 256.0) << "whole quanta";
    EXPECT_NEAR(20.0 * std::log10(static_cast<double>(at_osc.peak)), -20.0, 0.05);
    EXPECT_NEAR(rms_db(at_osc), -23.01, 0.01);
    EXPECT_NEAR(rms_db(at_vol), -29.01, 0.01);
    EXPECT_EQ(take(*forwarded.tap).peak, at_osc.peak) << "a node without a step";
    EXPECT_EQ(offline.engine.revision(), 1U);
    EXPECT_EQ(offline.engine.graph().node_count(), 5U);
}

TEST_F(EnginePortTaps, TheSamplesAreThoseOfThePort) {
    const TappedPort osc = tap_at(offline, "osc", true);
    offline.engine.watch_ports({osc});
    offline.settle();
    offline.render_blocks(100);
    std::vector<float> samples(2'048);
    const std::uint64_t end = osc.tap->samples()->copy_latest(0, samples);
    EXPECT_EQ(end, offline.frame());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double turns = 937.5 / 48'000.0 * static_cast<double>(end - samples.size() + i);
        EXPECT_NEAR(static_cast<double>(samples[i]), 0.1 * std::sin(2.0 * M_PI * turns), 1e-5) << i;
    }
}

/// Random watches and edits, compared with an engine without watches.
TEST_F(EnginePortTaps, TheSoundIsTheSameBitForBit) {
    OfflineEngine plain;
    plain.load(kGraph);
    std::mt19937 random{3};
    const auto below = [&](unsigned count) { return std::uniform_int_distribution<unsigned>{0, count - 1}(random); };
    const std::vector<const char*> ports{"osc", "split", "vol", "hall"};
    for (int i = 0; i < 300; ++i) {
        std::vector<TappedPort> watched;
        for (const char* const port : ports) {
            if (below(2) == 0) watched.push_back(tap_at(offline, port, below(2) == 0));
        }
        offline.engine.watch_ports(std::move(watched));
        if (below(3) == 0) {
            const std::vector<Edit> edits{Connect{"vol", "out", -1.0F * static_cast<float>(below(20))}};
            offline.edit(edits);
            plain.edit(edits);
        } else if (below(3) == 0) {
            const std::vector<SetParameter> change{{"vol", "gain_db", -1.0F * static_cast<float>(below(20)), {}}};
            ASSERT_TRUE(offline.engine.set_parameters(change));
            ASSERT_TRUE(plain.engine.set_parameters(change));
        }
        const unsigned blocks = 1 + below(12);
        offline.render_blocks(blocks);
        plain.render_blocks(blocks);
    }
    EXPECT_EQ(offline.engine.revision(), plain.engine.revision());
    EXPECT_EQ(offline.recorded, plain.recorded);
}

TEST_F(EnginePortTaps, ATapIsFreedWhenNoPlanBorrowsIt) {
    std::vector<std::weak_ptr<PortTap>> taps;
    for (int i = 0; i < 20; ++i) {
        const TappedPort port = tap_at(offline, i % 2 == 0 ? "osc" : "hall", true);
        taps.push_back(port.tap);
        offline.engine.watch_ports({port});
        if (i % 3 != 0) offline.render_blocks(2);
    }
    EXPECT_FALSE(taps.back().expired());
    offline.engine.watch_ports({});
    offline.settle();
    offline.render_blocks(2);
    for (const auto& tap : taps) EXPECT_TRUE(tap.expired());
    EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
}

TEST_F(EnginePortTaps, ARemovedNodeIsNotMeasuredAndAResetKeepsTheTaps) {
    const TappedPort osc = tap_at(offline, "osc");
    const TappedPort vol = tap_at(offline, "vol");
    offline.engine.watch_ports({osc, vol});
    offline.settle();
    ASSERT_TRUE(offline.reset());
    offline.settle();
    take(*osc.tap);
    offline.render_blocks(100);
    EXPECT_NEAR(rms_db(take(*osc.tap)), -23.01, 0.01) << "after a reset";
    offline.edit({RemoveNode{"vol"}});
    offline.settle();
    take(*vol.tap);
    take(*osc.tap);
    offline.render_blocks(100);
    EXPECT_EQ(take(*vol.tap).frame_count, 0U);
    EXPECT_EQ(take(*osc.tap).frame_count, 6'400U);
}

}  // namespace
}  // namespace rta::test::engine_port_taps_test
