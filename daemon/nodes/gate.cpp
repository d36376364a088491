// SPDX-License-Identifier: MIT
#include "dsp/gate.h"

#include <array>
#include <cstdint>
#include <memory>

#include "graph/level_tap.h"
#include "graph/node_type.h"

namespace rta::nodes::gate {

namespace {

constexpr std::array kSettings{
    look_ahead_setting(
        "Delay of the output relative to the level detector, so that the gate is open before a sound starts if the "
        "attack is no longer than this. Adds latency."),
    side_chain_setting(),
    channels_setting("Number of channels of every port. The loudest channel sets the gain of all."),
};

enum Parameter : std::uint8_t { kThresholdDb, kHysteresisDb, kKneeDb, kAttackMs, kHoldMs, kReleaseMs, kRangeDb };
constexpr std::array kParameters{
    ParameterSpec{"threshold_db", Unit::decibel, -120.0F, 0.0F, -50.0F, "Peak level that opens the gate.",
                  RampLaw::amplitude},
    ParameterSpec{"hysteresis_db", Unit::decibel, 0.0F, 24.0F, 4.0F,
                  "Distance below the threshold to which the level must fall before the gate closes.",
                  RampLaw::amplitude},
    ParameterSpec{
        "knee_db", Unit::decibel, 0.0F, 24.0F, 0.0F,
        "Width of the soft knee around the threshold, within which the gate is partly open; 0 is a hard knee."},
    ParameterSpec{"attack_ms", Unit::milliseconds, 0.05F, 500.0F, 1.0F, "Time from closed to open.",
                  RampLaw::logarithmic},
    ParameterSpec{
        "hold_ms", Unit::milliseconds, 0.0F, 2'000.0F, 50.0F,
        "Time for which the level must stay low before the gate closes; at least 25 ms, so that the gate stays open "
        "between the peaks of low notes."},
    ParameterSpec{"release_ms", Unit::milliseconds, 1.0F, 5'000.0F, 150.0F, "Time from open to closed.",
                  RampLaw::logarithmic},
    ParameterSpec{"range_db", Unit::decibel, -120.0F, 0.0F, -80.0F,
                  "Gain while the gate is closed; -120 dB is silence.", RampLaw::amplitude},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}, PortSpec{.name = "side_chain", .repeat = {"side_chain"}}};
constexpr std::array kOutputs{PortSpec{"out"}};

class GateProcessor final : public Processor {
 public:
    explicit GateProcessor(const BuildContext& context)
        : gate_{context.sample_rate_hz,
                static_cast<std::uint32_t>(context.settings.number("look_ahead_ms") * context.sample_rate_hz / 1'000.0 +
                                           0.5),
                context.settings.integer("channels"), context.block_size},
          tap_{0, context.sample_rate_hz, context.block_size, LevelTap::Measures::gain_reduction} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto value = [&](Parameter parameter) RTA_NONBLOCKING {
            const ParameterView& view = context.parameters[parameter];
            return dsp::BlockValue{view.value, view.ramp};
        };
        const bool wanted = tap_.wanted();
        dsp::GainRange applied;
        // The last input is the side chain if the node has one, otherwise `in`.
        gate_.process(context.inputs.front(), context.inputs.back(),
                      {.threshold = value(kThresholdDb),
                       .hysteresis = value(kHysteresisDb),
                       .knee_db = value(kKneeDb),
                       .attack_ms = value(kAttackMs),
                       .hold_ms = value(kHoldMs),
                       .release_ms = value(kReleaseMs),
                       .floor = value(kRangeDb)},
                      context.outputs[0], wanted ? &applied : nullptr);
        if (wanted) tap_.add(context.frame, context.frame_count, applied);
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return gate_.latency_frames(); }
    [[nodiscard]] LevelTap* level_tap() override { return &tap_; }

 private:
    dsp::Gate gate_;
    LevelTap tap_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "gate",
    .help =
        "Passes the signal while its level is above a threshold. Clients that subscribe to levels receive the gain "
        "reduction.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .reports = Reports::gain_reduction,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<GateProcessor>(context);
    },
    .response = &flat_response,
    .counts_as = "an open gate",
    .memory_bytes = &look_ahead_memory_bytes,
};

}  // namespace rta::nodes::gate
