// SPDX-License-Identifier: MIT
// The bypass that the engine adds to every node whose `in` and `out` have the same width.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>

#include "dsp/fixed_delay.h"
#include "support/offline_engine.h"

namespace rta::test::engine_bypass_test {
namespace {

constexpr std::uint32_t kLatency = 100;

/// Halves the signal and delays it by 100 frames, like a look-ahead.
class LateProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        delay_.process(0, context.inputs[0].channel(0), context.outputs[0].channel(0));
        delay_.advance(context.frame_count);
        for (float& sample : context.outputs[0].channel(0)) sample *= 0.5F;
    }
    [[nodiscard]] std::uint32_t latency_frames() const override { return kLatency; }

 private:
    dsp::FixedDelay delay_{1, kLatency};
};

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};
constexpr NodeType kLate{.name = "late",
                         .help = "Late.",
                         .inputs = kInputs,
                         .outputs = kOutputs,
                         .in_place = true,
                         .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                             return std::make_unique<LateProcessor>();
                         }};

/// Returns a graph with a sine through a node of this type on the left, and directly on the right.
std::string through(const char* type, const char* parameters) {
    return std::string{
               R"({"nodes": [ {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
      {"name": "node", "type": ")"} +
           type + R"(", "parameters": {)" + parameters + R"(}},
      {"name": "left", "type": "output"}, {"name": "right", "type": "output", "settings": {"first_channel": 2}} ],
      "connections": [ {"from": "osc", "to": "node"}, {"from": "node", "to": "left"}, {"from": "osc", "to": "right"} ]})";
}

TEST(EngineBypass, PassesTheInputOnBitForBit) {
    OfflineEngine offline;
    offline.load(through("gain", R"("gain_db": -20, "bypass": 1)"));
    offline.render_blocks(20);
    EXPECT_EQ(offline.recorded[0], offline.recorded[1]);
}

TEST(EngineBypass, CrossFadesThereAndBack) {
    OfflineEngine offline;
    offline.load(through("gain", R"("gain_db": -20)"));
    offline.render_blocks(10);
    offline.edit({SetParameter{"node", "bypass", 1.0F, {}}});
    offline.render_blocks(20);
    offline.edit({SetParameter{"node", "bypass", 0.0F, {}}});
    offline.render_blocks(20);
    for (std::size_t n = 0; n < offline.recorded[0].size(); ++n) {
        const double frame = static_cast<double>(n);
        const double there = std::clamp((frame - 640.0) / 960.0, 0.0, 1.0);
        const double back = std::clamp((frame - 1'920.0) / 960.0, 0.0, 1.0);
        const double bypass = there - back;
        const double expected = offline.recorded[1][n] * (bypass + (1.0 - bypass) * 0.1);
        ASSERT_NEAR(offline.recorded[0][n], expected, 1e-6) << n;
    }
}

TEST(EngineBypass, KeepsTheLatencyOfTheNode) {
    const std::array<const NodeType*, 3> types{&kLate, builtin_nodes().find("output"), builtin_nodes().find("sine")};
    const NodeRegistry registry{types};
    OfflineEngine offline{{}, registry};
    offline.load(through("late", ""));
    offline.render_blocks(10);
    offline.edit({SetParameter{"node", "bypass", 1.0F, {}}});
    offline.render_blocks(30);
    for (std::size_t n = kLatency; n < offline.recorded[0].size(); ++n) {
        const double bypass = std::clamp((static_cast<double>(n) - 640.0) / 960.0, 0.0, 1.0);
        const double expected = offline.recorded[1][n - kLatency] * (0.5 + 0.5 * bypass);
        ASSERT_NEAR(offline.recorded[0][n], expected, 1e-6) << n;
    }
    EXPECT_EQ(offline.recorded[0].back(), offline.recorded[1][offline.recorded[1].size() - 1 - kLatency]);
}

/// Returns the layout of a node of this type, with its maximum or its default width.
NodeLayout layout_of(const NodeType& type, bool widest) {
    Settings settings;
    for (const SettingSpec& setting : type.settings) {
        if (widest && setting.name == "channels") settings.emplace("channels", setting.maximum);
    }
    auto description = NodeDescription::make(type, "node", std::move(settings));
    return description ? (*description)->layout : NodeLayout{};
}

TEST(EngineBypass, IsThereWhereInAndOutHaveOneWidthAndNowhereElse) {
    for (const NodeType* type : builtin_nodes().types()) {
        for (const bool widest : {false, true}) {
            const NodeLayout layout = layout_of(*type, widest);
            const bool through_node = !layout.inputs.empty() && layout.inputs[0].name == "in" &&
                                      layout.outputs.size() == 1 && layout.outputs[0].name == "out" &&
                                      layout.inputs[0].width == layout.outputs[0].width;
            EXPECT_EQ(layout.has_bypass, through_node) << type->name << (widest ? ", widest" : "");
            EXPECT_EQ(layout.find_parameter("bypass").has_value(), through_node) << type->name;
        }
    }
    EXPECT_TRUE(layout_of(*builtin_nodes().find("gain"), false).has_bypass);
    EXPECT_FALSE(layout_of(*builtin_nodes().find("mixer"), false).has_bypass);
    EXPECT_FALSE(layout_of(*builtin_nodes().find("pan"), false).has_bypass) << "from one channel to two";
    EXPECT_TRUE(layout_of(*builtin_nodes().find("pan"), true).has_bypass) << "the balance of two channels";
}

TEST(EngineBypass, PassesBothSidesOfABalanceOn) {
    OfflineEngine offline;
    offline.load(R"({"nodes": [ {"name": "a", "type": "sine", "parameters": {"frequency_hz": 997}},
      {"name": "balance", "type": "pan", "settings": {"channels": 2}, "parameters": {"position": -1, "bypass": 1}},
      {"name": "wide", "type": "gain", "settings": {"channels": 2}},
      {"name": "out", "type": "output", "settings": {"channels": 2}} ],
      "connections": [ {"from": "a", "to": "wide"}, {"from": "wide", "to": "balance"}, {"from": "balance", "to": "out"} ]})");
    offline.render_blocks(20);
    EXPECT_EQ(offline.recorded[0], offline.recorded[1]) << "the side turned away from is as loud as the other";
    EXPECT_GT(std::ranges::max(offline.recorded[0]), 0.05F);
    offline.edit({SetParameter{"balance", "bypass", 0.0F, {}}});
    offline.settle();
    offline.render_blocks(30);
    EXPECT_EQ(offline.recorded[1].back(), 0.0F) << "the balance is back: the right side is silent";
    EXPECT_NE(offline.recorded[0].back(), 0.0F);
}

}  // namespace
}  // namespace rta::test::engine_bypass_test
