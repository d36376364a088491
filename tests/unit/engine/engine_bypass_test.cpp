// SPDX-License-Identifier: MIT
// The bypass that the engine gives to every node whose `in` and `out` have one width.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>

#include "dsp/fixed_delay.h"
#include "support/offline_engine.h"

namespace rta::test {
namespace {

constexpr std::uint32_t kLatency = 100;

/// Halves the sound and brings it out 100 frames late, as a look-ahead does.
class LateProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        delay_.process(0, context.inputs[0].channel(0), context.outputs[0].channel(0));
        delay_.advance(context.frame_count);
        for (float& sample : context.outputs[0].channel(0)) sample *= 0.5F;
    }
    void reset() RTA_NONBLOCKING override {}
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

/// A sine through a node of that type, and beside it, on the right, as it is.
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

TEST(EngineBypass, IsThereWhereInAndOutHaveOneWidthAndNowhereElse) {
    for (const NodeType* type : builtin_nodes().types()) {
        const bool through_node = !type->inputs.empty() && type->inputs[0].name == "in" && type->outputs.size() == 1 &&
                                  type->outputs[0].name == "out" && type->inputs[0].width == type->outputs[0].width;
        EXPECT_EQ(bypass_of(*type) != nullptr, through_node) << type->name;
    }
    EXPECT_NE(bypass_of(*builtin_nodes().find("gain")), nullptr);
    EXPECT_EQ(bypass_of(*builtin_nodes().find("mixer")), nullptr);
    EXPECT_EQ(bypass_of(*builtin_nodes().find("output")), nullptr);
}

}  // namespace
}  // namespace rta::test
