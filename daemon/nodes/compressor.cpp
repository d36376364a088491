// SPDX-License-Identifier: MIT
#include "dsp/compressor.h"

#include <array>
#include <cstdint>
#include <memory>

#include "graph/node_type.h"

namespace rta::nodes {

namespace {

constexpr std::array kSettings{
    look_ahead_setting(
        "How much later the sound comes out than it is looked at, so that the gain is down when it comes."),
    side_chain_setting(),
    channels_setting("Width of every port of the node; the loudest channel decides for all."),
};

enum Parameter : std::uint8_t { kThresholdDb, kRatio, kKneeDb, kAttackMs, kReleaseMs, kMakeupDb };
constexpr std::array kParameters{
    ParameterSpec{"threshold_db", Unit::decibel, -80.0F, 0.0F, -20.0F, "Peak level above which gain is reduced."},
    ParameterSpec{"ratio", Unit::ratio, 1.0F, 100.0F, 4.0F,
                  "How many dB more must go in for one dB more to come out, above the threshold.",
                  RampLaw::logarithmic},
    ParameterSpec{"knee_db", Unit::decibel, 0.0F, 24.0F, 6.0F,
                  "Width of the bend around the threshold; 0 is a corner."},
    ParameterSpec{"attack_ms", Unit::milliseconds, 0.05F, 500.0F, 10.0F,
                  "Time constant with which the reduction grows: after it 63% of the way are done.",
                  RampLaw::logarithmic},
    ParameterSpec{"release_ms", Unit::milliseconds, 1.0F, 5'000.0F, 150.0F,
                  "Time constant with which the reduction shrinks, from 5 ms after the level has fallen.",
                  RampLaw::logarithmic},
    ParameterSpec{"makeup_db", Unit::decibel, -24.0F, 24.0F, 0.0F, "Gain after the compression.", RampLaw::amplitude},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}, PortSpec{.name = "side_chain", .repeat = {"side_chain"}}};
constexpr std::array kOutputs{PortSpec{"out"}};

class CompressorProcessor final : public Processor {
 public:
    explicit CompressorProcessor(const BuildContext& context)
        : compressor_{context.sample_rate_hz,
                      static_cast<std::uint32_t>(
                          context.settings.number("look_ahead_ms") * context.sample_rate_hz / 1'000.0 + 0.5),
                      context.settings.integer("channels"), context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto value = [&](Parameter parameter) RTA_NONBLOCKING {
            const ParameterView& view = context.parameters[parameter];
            return dsp::BlockValue{view.value, view.ramp};
        };
        // The last input is the side chain, where there is one.
        compressor_.process(context.inputs.front(), context.inputs.back(),
                            {.threshold_db = value(kThresholdDb),
                             .ratio = value(kRatio),
                             .knee_db = value(kKneeDb),
                             .attack_ms = value(kAttackMs),
                             .release_ms = value(kReleaseMs),
                             .makeup = value(kMakeupDb)},
                            context.outputs[0]);
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return compressor_.latency_frames(); }

 private:
    dsp::Compressor compressor_;
};

}  // namespace

extern constinit const NodeType kCompressor{
    .name = "compressor",
    .help = "Reduces the gain of what is louder than a threshold.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<CompressorProcessor>(context);
    },
};

}  // namespace rta::nodes
